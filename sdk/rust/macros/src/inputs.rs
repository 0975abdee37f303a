//! Writes the struct `Inputs`: one typed field for each input of the manifest.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};

use crate::manifest::{Input, Manifest, Type, World};

/// The struct and its way from the wire.
pub(crate) fn inputs(manifest: &Manifest, world: World) -> TokenStream {
    match world {
        World::Check => check_inputs(manifest),
        World::Report => report_inputs(manifest),
    }
}

fn check_inputs(manifest: &Manifest) -> TokenStream {
    let fields = manifest.inputs.iter().map(|input| field(input, World::Check));
    let reads = manifest.inputs.iter().map(|input| {
        let (name, spoken) = (ident(input), spoken(input));
        let read = format_ident!("{}", reader(input.ty));
        let value = quote!(::weir_sdk::__rt::#read(values.next(), #spoken)?);
        match input.optional {
            true => quote!(#name: #value),
            false => quote!(#name: ::weir_sdk::__rt::required(#value, #spoken)?),
        }
    });
    quote! {
        /// What the manifest asks for, of one request.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Inputs { #(#fields),* }

        impl Inputs {
            #[doc(hidden)]
            pub fn __from_values(
                values: ::std::vec::Vec<::std::option::Option<::weir_sdk::__rt::Value>>,
            ) -> ::std::result::Result<Self, ::weir_sdk::Failure> {
                #[allow(unused_mut, unused_variables)]
                let mut values = values.into_iter();
                ::std::result::Result::Ok(Inputs { #(#reads),* })
            }
        }
    }
}

fn report_inputs(manifest: &Manifest) -> TokenStream {
    let fields = manifest.inputs.iter().map(|input| field(input, World::Report));
    let reads = manifest.inputs.iter().enumerate().map(|(column, input)| {
        let name = ident(input);
        let read = format_ident!("{}_at", reader(input.ty));
        let value = quote!(::weir_sdk::__rt::#read(batch, #column, row));
        match input.optional {
            true => quote!(#name: #value),
            false => quote!(#name: #value.unwrap_or_default()),
        }
    });
    let shape = manifest.inputs.iter().map(|input| {
        let kind = format_ident!("{}", kind(input.ty));
        quote!(::weir_sdk::__rt::Kind::#kind)
    });
    // Without a borrowed field the lifetime would be unused.
    let lifetime = quote!(#[doc(hidden)] pub __batch: ::std::marker::PhantomData<&'a ()>);
    quote! {
        /// What the manifest asks for, of one request.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Inputs<'a> { #(#fields,)* #lifetime }

        impl<'a> ::weir_sdk::Row<'a> for Inputs<'a> {
            const SHAPE: &'static [::weir_sdk::__rt::Kind] = &[#(#shape),*];
            #[allow(unused_variables)]
            fn read(batch: &'a ::weir_sdk::__rt::Batch, row: usize) -> Self {
                Inputs { #(#reads,)* __batch: ::std::marker::PhantomData }
            }
        }
    }
}

fn field(input: &Input, world: World) -> TokenStream {
    let name = ident(input);
    let doc = format!("`{}`", spoken(input));
    let ty = match (input.ty, world) {
        (Type::String, World::Check) => quote!(::std::string::String),
        (Type::String, World::Report) => quote!(::weir_sdk::Text<'a>),
        (Type::Int, _) => quote!(i64),
        (Type::Bool, _) => quote!(bool),
        (Type::Timestamp, _) => quote!(::weir_sdk::Timestamp),
        (Type::Duration, _) => quote!(::std::time::Duration),
        (Type::Map | Type::ListMap | Type::Struct, World::Check) => quote!(::weir_sdk::Pairs),
        (Type::Map | Type::ListMap | Type::Struct, World::Report) => quote!(::weir_sdk::PairsOf<'a>),
    };
    match input.optional {
        true => quote!(#[doc = #doc] pub #name: ::std::option::Option<#ty>),
        false => quote!(#[doc = #doc] pub #name: #ty),
    }
}

fn reader(ty: Type) -> &'static str {
    match ty {
        Type::String => "text",
        Type::Int => "int",
        Type::Bool => "boolean",
        Type::Timestamp => "timestamp",
        Type::Duration => "duration",
        Type::Map | Type::ListMap | Type::Struct => "pairs",
    }
}

fn kind(ty: Type) -> &'static str {
    match ty {
        Type::String => "Text",
        Type::Int => "Int",
        Type::Bool => "Boolean",
        Type::Timestamp => "Timestamp",
        Type::Duration => "Duration",
        Type::Map | Type::ListMap | Type::Struct => "Pairs",
    }
}

/// `request.headers[user-agent]` as the author wrote it.
fn spoken(input: &Input) -> String {
    match &input.key {
        Some(key) => format!("{}[{key}]", input.attribute),
        None => input.attribute.clone(),
    }
}

/// `request_headers_user_agent`: every character that no identifier may have becomes `_`.
fn ident(input: &Input) -> Ident {
    let spoken = spoken(input);
    let name: String = spoken
        .trim_end_matches(']')
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    Ident::new(&name, Span::call_site())
}
