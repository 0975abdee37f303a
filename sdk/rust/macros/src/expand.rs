//! Writes the exports of the component around the author's function.

use std::path::PathBuf;

use proc_macro2::{Ident, Literal, Span, TokenStream};
use quote::quote;
use syn::{FnArg, ItemFn, Type};
use weir_manifest::{Manifest, World};

use crate::arguments::Arguments;
use crate::inputs::inputs;
use crate::outputs::outputs;

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
    let arguments = Arguments::parse(args)?;
    let here = |text: String| syn::Error::new(Span::call_site(), text);
    let root = std::env::var_os("CARGO_MANIFEST_DIR")
        .map(PathBuf::from)
        .ok_or_else(|| here("build plugins with cargo: CARGO_MANIFEST_DIR is not set".into()))?;
    let (manifest, sources) = Manifest::read(&root, &arguments.manifest).map_err(here)?;
    if manifest.world != world {
        let (path, said) = (&arguments.manifest, manifest.world);
        return Err(here(format!(
            "{path}: [plugin] world is \"{said}\" but the function is marked #[{world}]; write world = \"{world}\""
        )));
    }
    let types = [inputs(&manifest), outputs(&manifest)];
    let state = state_type(world, &function)?;
    let lifecycle = lifecycle(&arguments, &state);
    let guest = guest(world, &function);
    // Cargo rebuilds when they change.
    let files = sources.iter().map(|file| file.display().to_string()).map(|file| {
        quote!(
            const _: &[u8] = include_bytes!(#file);
        )
    });
    let json = manifest.to_json();
    let (length, json) = (json.len(), Literal::byte_string(json.as_bytes()));
    let export = match world {
        World::Check => quote!(export_check!(Component with_types_in ::weir::__rt::check_world)),
        World::Enrich => quote!(export_enrich!(Component with_types_in ::weir::__rt::enrich_world)),
        World::Report => quote!(export_report!(Component with_types_in ::weir::__rt::report_world)),
    };
    Ok(quote! {
        #(#types)*
        #function

        const _: () = {
            #(#files)*

            #[allow(dead_code)]
            struct Component;

            ::std::thread_local! {
                static STATE: ::std::cell::OnceCell<#state> = const { ::std::cell::OnceCell::new() };
            }

            /// Runs `call` with what `configure` made.
            #[allow(dead_code)]
            fn with_state<R>(
                call: impl ::std::ops::FnOnce(&#state) -> ::std::result::Result<R, ::weir::Failure>,
            ) -> ::std::result::Result<R, ::weir::Failure> {
                STATE.with(|cell| call(cell.get().ok_or_else(::weir::__rt::unconfigured)?))
            }

            #lifecycle
            #guest

            #[cfg(target_family = "wasm")]
            ::weir::__rt::export_lifecycle!(Component with_types_in ::weir::__rt::life);
            #[cfg(target_family = "wasm")]
            ::weir::__rt::#export;

            // The host reads it before it runs any code of ours.
            #[cfg(target_family = "wasm")]
            #[unsafe(link_section = "weir:manifest")]
            pub static MANIFEST: [u8; #length] = *#json;
        };
    })
}

fn lifecycle(arguments: &Arguments, state: &Type) -> TokenStream {
    let then = |function: &Option<Ident>| match function {
        Some(function) => quote!(with_state(|state| #function(state))),
        None => quote!(::std::result::Result::Ok(())),
    };
    let (tick, drain, self_test) = (then(&arguments.tick), then(&arguments.drain), then(&arguments.self_test));
    let nothing = quote!(::std::result::Result<(), ::weir::Failure>);
    quote! {
        impl ::weir::__rt::life::exports::weir::plugin::lifecycle::Guest for Component {
            fn configure(setup: ::weir::__rt::Setup) -> #nothing {
                let json = ::weir::__rt::set_up(setup);
                let state = <#state as ::weir::Configure>::configure(&json)?;
                STATE.with(|cell| cell.set(state)).map_err(|_| ::weir::__rt::configured_twice())
            }

            fn self_test() -> #nothing {
                #self_test
            }

            fn tick() -> #nothing {
                #tick
            }

            fn drain() -> #nothing {
                #drain
            }
        }
    }
}

/// The implementation of the world's own export.
fn guest(world: World, function: &ItemFn) -> TokenStream {
    let name = &function.sig.ident;
    let call = match (function.sig.inputs.len(), world) {
        (1, _) => quote!(with_state(|_| #name(inputs))),
        (2, _) | (_, World::Report) => quote!(with_state(|state| #name(inputs, state))),
        _ => quote!(with_state(|state| #name(inputs, state, request))),
    };
    let values = quote!(::std::vec::Vec<::std::option::Option<::weir::Value>>);
    match world {
        World::Check => quote! {
            impl ::weir::__rt::check_world::exports::weir::plugin::check::Guest for Component {
                #[allow(unused_variables)]
                fn check(
                    values: #values,
                    request: &::weir::Bag,
                ) -> ::std::result::Result<::weir::Verdict, ::weir::Failure> {
                    let inputs = Inputs::__from_values(values)?;
                    #call
                }
            }
        },
        World::Enrich => quote! {
            impl ::weir::__rt::enrich_world::exports::weir::plugin::enrich::Guest for Component {
                #[allow(unused_variables)]
                fn enrich(
                    values: #values,
                    request: &::weir::Bag,
                ) -> ::std::result::Result<#values, ::weir::Failure> {
                    let inputs = Inputs::__from_values(values)?;
                    #call.map(Outputs::__into_values)
                }
            }
        },
        World::Report => quote! {
            impl ::weir::__rt::report_world::exports::weir::plugin::report::Guest for Component {
                fn report(
                    batch: ::weir::__rt::Batch,
                ) -> ::std::result::Result<(), ::weir::Failure> {
                    let inputs = ::weir::Rows::new(&batch)?;
                    #call
                }
            }
        },
    }
}

/// The `T` of the second parameter, `&T`.
fn state_type(world: World, function: &ItemFn) -> syn::Result<Type> {
    let forms = match world {
        World::Report => "a report function has the parameters (rows) or (rows, state: &State)",
        _ => {
            "a plugin function has the parameters (inputs), (inputs, state: &State) or (inputs, state: &State, request: &Bag)"
        }
    };
    let wrong = |span: &dyn quote::ToTokens| Err(syn::Error::new_spanned(span, forms));
    let most = if world == World::Report { 2 } else { 3 };
    let mut params = function.sig.inputs.iter();
    match (params.next(), params.next()) {
        (Some(FnArg::Typed(_)), None) => Ok(syn::parse_quote!(::weir::NoConfig)),
        (Some(FnArg::Typed(_)), Some(FnArg::Typed(second))) if function.sig.inputs.len() <= most => match &*second.ty {
            Type::Reference(reference) => Ok((*reference.elem).clone()),
            other => wrong(other),
        },
        _ => wrong(&function.sig),
    }
}
