//! Turns a plugin's manifest, `weir-plugin.toml`, into typed inputs and the exports of a component.
//!
//! Use it through `weir::check`, `weir::enrich` and `weir::report`.

mod arguments;
mod expand;
mod inputs;
mod outputs;

use proc_macro::TokenStream;
use weir_manifest::World;

/// Makes a check plugin of a function `fn(Inputs, &State, &Bag) -> Result<Verdict, Failure>`.
///
/// `Inputs` is a struct that this macro writes next to the function: one field for each line of
/// `[inputs]` in `weir-plugin.toml`, named after the attribute with `_` for each `.`; for `"*"` a
/// field `bound` with what the operator bound. `State` is any type that is
/// [`Configure`](trait.Configure.html), so any `serde::Deserialize`. The last parameters may be
/// left out.
///
/// `#[weir::check(tick = refresh, drain = flush, self_test = probe)]` names functions
/// `fn(&State) -> Result<(), Failure>` for the rest of a plugin's life; `manifest = "PATH"` names
/// another manifest, relative to the crate's folder.
#[proc_macro_attribute]
pub fn check(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::plugin(World::Check, args.into(), item.into()).into()
}

/// Makes an enrich plugin of a function `fn(Inputs, &State, &Bag) -> Result<Outputs, Failure>`.
///
/// As [`macro@check`]; `Outputs` is a struct that this macro writes too, one field for each line of
/// `[outputs]`.
#[proc_macro_attribute]
pub fn enrich(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::plugin(World::Enrich, args.into(), item.into()).into()
}

/// Makes a report plugin of a function `fn(Rows<'_, Inputs<'_>>, &State) -> Result<(), Failure>`.
///
/// As [`macro@check`], but the function gets many requests at once, and a text is a
/// `weir::Text` that can serve as a metric label without being copied.
#[proc_macro_attribute]
pub fn report(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::plugin(World::Report, args.into(), item.into()).into()
}
