//! Turns a plugin's manifest, `weir-plugin.toml`, into typed inputs and the exports of a component.
//!
//! Use it through `weir_sdk::check` and `weir_sdk::report`.

mod expand;
mod inputs;
mod manifest;

use proc_macro::TokenStream;

/// Makes a check plugin of a function `fn(Inputs, &State) -> Result<Verdict, Failure>`.
///
/// `Inputs` is a struct that this macro writes next to the function: one field for each line of
/// `[inputs]` in `weir-plugin.toml`, named after the attribute with `_` for each `.`. `State` is any
/// type that is [`Configure`](trait.Configure.html), so any `serde::Deserialize`; the parameter may
/// be left out. `manifest = "PATH"` names another manifest, relative to the crate's folder.
#[proc_macro_attribute]
pub fn check(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::plugin(manifest::World::Check, args.into(), item.into()).into()
}

/// Makes a report plugin of a function `fn(Rows<'_, Inputs<'_>>, &State) -> Result<(), Failure>`.
///
/// As [`macro@check`], but the function gets many requests at once, and a text is a
/// `weir_sdk::Text` that can serve as a metric label without being copied.
#[proc_macro_attribute]
pub fn report(args: TokenStream, item: TokenStream) -> TokenStream {
    expand::plugin(manifest::World::Report, args.into(), item.into()).into()
}
