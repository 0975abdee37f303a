//! What stands in the parentheses of the attribute.

use proc_macro2::TokenStream;
use syn::{Ident, LitStr, parse::Parser};

/// `manifest = "PATH"` and the names of the functions for the rest of a plugin's life.
pub(crate) struct Arguments {
    pub(crate) manifest: String,
    pub(crate) tick: Option<Ident>,
    pub(crate) drain: Option<Ident>,
    pub(crate) self_test: Option<Ident>,
}

impl Arguments {
    pub(crate) fn parse(args: TokenStream) -> syn::Result<Arguments> {
        let mut arguments =
            Arguments { manifest: "weir-plugin.toml".to_owned(), tick: None, drain: None, self_test: None };
        let parser = syn::meta::parser(|meta| {
            let function = if meta.path.is_ident("manifest") {
                arguments.manifest = meta.value()?.parse::<LitStr>()?.value();
                return Ok(());
            } else if meta.path.is_ident("tick") {
                &mut arguments.tick
            } else if meta.path.is_ident("drain") {
                &mut arguments.drain
            } else if meta.path.is_ident("self_test") {
                &mut arguments.self_test
            } else {
                return Err(
                    meta.error("unknown argument; known: manifest = \"PATH\", and tick, drain, self_test = FUNCTION")
                );
            };
            *function = Some(meta.value()?.parse()?);
            Ok(())
        });
        parser.parse2(args)?;
        Ok(arguments)
    }
}
