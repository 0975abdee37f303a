//! Writes the struct `Outputs` of an enrich plugin: one typed field for each output of the manifest.

use proc_macro2::TokenStream;
use quote::quote;
use weir_manifest::{Manifest, World};

use crate::inputs::{field, ident, owned};

/// The struct and its way to the wire; nothing for the other worlds.
pub(crate) fn outputs(manifest: &Manifest) -> TokenStream {
    if manifest.world != World::Enrich {
        return quote!();
    }
    let fields = manifest.outputs.iter().map(|output| field(output, owned(output.ty)));
    let values = manifest.outputs.iter().map(|output| {
        let name = ident(output);
        match output.optional {
            true => quote!(self.#name.map(::weir::Value::from)),
            false => quote!(::std::option::Option::Some(::weir::Value::from(self.#name))),
        }
    });
    quote! {
        /// What the manifest promises to find out, of one request.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Outputs { #(#fields,)* }

        impl Outputs {
            #[doc(hidden)]
            pub fn __into_values(self) -> ::std::vec::Vec<::std::option::Option<::weir::Value>> {
                ::std::vec![#(#values),*]
            }
        }
    }
}
