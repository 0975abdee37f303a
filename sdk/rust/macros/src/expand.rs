//! Writes the exports of the component around the author's function.

use std::path::PathBuf;

use proc_macro2::{Literal, Span, TokenStream};
use quote::quote;
use syn::{FnArg, ItemFn, LitStr, Type, parse::Parser};

use crate::inputs::inputs;
use crate::manifest::{Manifest, World};

/// The function as it was, `Inputs` beside it and the component around it, or a compile error.
pub(crate) fn plugin(world: World, args: TokenStream, item: TokenStream) -> TokenStream {
    match try_plugin(world, args, item.clone()) {
        Ok(tokens) => tokens,
        Err(error) => {
            let error = error.to_compile_error();
            quote!(#error #item)
        }
    }
}

fn try_plugin(world: World, args: TokenStream, item: TokenStream) -> syn::Result<TokenStream> {
    let function: ItemFn = syn::parse2(item)?;
    let path = manifest_path(args)?;
    let here = |text: String| syn::Error::new(Span::call_site(), text);
    let root = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .ok_or_else(|| here("build plugins with cargo: CARGO_MANIFEST_DIR is not set".into()))?;
    let manifest = Manifest::read(&root, &path, world).map_err(here)?;
    let inputs = inputs(&manifest, world);
    let state = state_type(&function)?;
    let guest = guest(world, &function, &state);
    let files = manifest.files.iter().map(|file| {
        quote!(
            const _: &[u8] = include_bytes!(#file);
        )
    });
    let json = Literal::byte_string(manifest.json.as_bytes());
    let length = manifest.json.len();
    let export = match world {
        World::Check => quote!(export_check!(Component with_types_in ::weir_sdk::__rt::check_world)),
        World::Report => quote!(export_report!(Component with_types_in ::weir_sdk::__rt::report_world)),
    };
    Ok(quote! {
        #inputs
        #function

        const _: () = {
            #(#files)*

            #[allow(dead_code)]
            struct Component;

            ::std::thread_local! {
                static STATE: ::std::cell::OnceCell<#state> = const { ::std::cell::OnceCell::new() };
            }

            #guest

            #[cfg(target_family = "wasm")]
            ::weir_sdk::__rt::export_lifecycle!(Component with_types_in ::weir_sdk::__rt::life);
            #[cfg(target_family = "wasm")]
            ::weir_sdk::__rt::#export;

            // The host reads it before it runs any code of ours.
            #[cfg(target_family = "wasm")]
            #[unsafe(link_section = "weir:manifest")]
            pub static MANIFEST: [u8; #length] = *#json;
        };
    })
}

/// The implementations of the exported interfaces.
fn guest(world: World, function: &ItemFn, state: &Type) -> TokenStream {
    let name = &function.sig.ident;
    let call = match function.sig.inputs.len() {
        1 => quote!(#name(inputs)),
        _ => quote!(#name(inputs, state)),
    };
    let with_state = quote! {
        STATE.with(|cell| {
            let state = cell.get().ok_or_else(::weir_sdk::__rt::unconfigured)?;
            let _ = state;
            #call
        })
    };
    let export = match world {
        World::Check => quote! {
            impl ::weir_sdk::__rt::check_world::exports::weir::plugin::check::Guest for Component {
                fn check(
                    values: ::std::vec::Vec<::std::option::Option<::weir_sdk::__rt::Value>>,
                ) -> ::std::result::Result<::weir_sdk::Verdict, ::weir_sdk::Failure> {
                    let inputs = Inputs::__from_values(values)?;
                    #with_state
                }
            }
        },
        World::Report => quote! {
            impl ::weir_sdk::__rt::report_world::exports::weir::plugin::report::Guest for Component {
                fn report(
                    batch: ::weir_sdk::__rt::Batch,
                ) -> ::std::result::Result<(), ::weir_sdk::Failure> {
                    let inputs = ::weir_sdk::Rows::new(&batch)?;
                    #with_state
                }
            }
        },
    };
    quote! {
        impl ::weir_sdk::__rt::life::exports::weir::plugin::lifecycle::Guest for Component {
            fn configure(json: ::std::string::String) -> ::std::result::Result<(), ::weir_sdk::Failure> {
                let state = <#state as ::weir_sdk::Configure>::configure(&json)?;
                STATE.with(|cell| cell.set(state)).map_err(|_| ::weir_sdk::__rt::configured_twice())
            }
        }

        #export
    }
}

/// `manifest = "PATH"`, or the usual name.
fn manifest_path(args: TokenStream) -> syn::Result<String> {
    let mut path = "weir-plugin.toml".to_owned();
    let parser = syn::meta::parser(|meta| {
        if !meta.path.is_ident("manifest") {
            return Err(meta.error("unknown argument; the only one is manifest = \"PATH\""));
        }
        path = meta.value()?.parse::<LitStr>()?.value();
        Ok(())
    });
    parser.parse2(args)?;
    Ok(path)
}

/// The `T` of the second parameter, `&T`.
fn state_type(function: &ItemFn) -> syn::Result<Type> {
    let wrong = |span: &dyn quote::ToTokens| {
        Err(syn::Error::new_spanned(span, "a plugin function has the parameters (inputs) or (inputs, state: &State)"))
    };
    let mut params = function.sig.inputs.iter();
    match (params.next(), params.next(), params.next()) {
        (Some(FnArg::Typed(_)), None, _) => Ok(syn::parse_quote!(::weir_sdk::NoConfig)),
        (Some(FnArg::Typed(_)), Some(FnArg::Typed(second)), None) => match &*second.ty {
            Type::Reference(reference) => Ok((*reference.elem).clone()),
            other => wrong(other),
        },
        _ => wrong(&function.sig),
    }
}
