//! Writes the struct `Inputs`: one typed field for each input of the manifest.

use proc_macro2::{Ident, Span, TokenStream};
use quote::{format_ident, quote};
use weir_manifest::{Input, Manifest, Type, World};

/// The struct and its way from the wire.
pub(crate) fn inputs(manifest: &Manifest) -> TokenStream {
    match manifest.world {
        World::Check | World::Enrich => positional(manifest),
        World::Report => columnar(manifest),
    }
}

fn positional(manifest: &Manifest) -> TokenStream {
    let fields = manifest.inputs.iter().map(|input| field(input, owned(input.ty)));
    let reads = manifest.inputs.iter().map(|input| {
        let (name, spoken) = (ident(input), input.to_string());
        let read = format_ident!("{}", reader(input.ty));
        let value = quote!(::weir::__rt::#read(values.next(), #spoken)?);
        match input.optional {
            true => quote!(#name: #value),
            false => quote!(#name: ::weir::__rt::required(#value, #spoken)?),
        }
    });
    let (more, rest) = match manifest.more_inputs {
        true => (
            quote!(#[doc = "What the operator bound beyond these."] pub bound: ::weir::Bound),
            quote!(bound: ::weir::__rt::bound(values)),
        ),
        false => (quote!(), quote!()),
    };
    quote! {
        /// What the manifest asks for, of one request.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Inputs { #(#fields,)* #more }

        impl Inputs {
            #[doc(hidden)]
            pub fn __from_values(
                values: ::std::vec::Vec<::std::option::Option<::weir::Value>>,
            ) -> ::std::result::Result<Self, ::weir::Failure> {
                #[allow(unused_mut, unused_variables)]
                let mut values = values.into_iter();
                ::std::result::Result::Ok(Inputs { #(#reads,)* #rest })
            }
        }
    }
}

fn columnar(manifest: &Manifest) -> TokenStream {
    let fields = manifest.inputs.iter().map(|input| field(input, borrowed(input.ty)));
    let reads = manifest.inputs.iter().enumerate().map(|(column, input)| {
        let name = ident(input);
        let read = format_ident!("{}_at", reader(input.ty));
        let value = quote!(::weir::__rt::#read(batch, #column, row));
        match input.optional {
            true => quote!(#name: #value),
            false => quote!(#name: #value.unwrap_or_default()),
        }
    });
    let shape = manifest.inputs.iter().map(|input| {
        let kind = format_ident!("{}", kind(input.ty));
        quote!(::weir::__rt::Kind::#kind)
    });
    let (more, rest) = match (manifest.more_inputs, manifest.inputs.len()) {
        (true, known) => (
            quote!(#[doc = "What the operator bound beyond these."] pub bound: ::weir::BoundCells<'a>,),
            quote!(bound: ::weir::__rt::bound_cells(batch, #known, row),),
        ),
        (false, _) => (quote!(), quote!()),
    };
    let open = manifest.more_inputs;
    // Without a borrowed field the lifetime would be unused.
    let lifetime = quote!(#[doc(hidden)] pub __batch: ::std::marker::PhantomData<&'a ()>);
    quote! {
        /// What the manifest asks for, of one request.
        #[derive(Clone, Debug, Default, PartialEq)]
        pub struct Inputs<'a> { #(#fields,)* #more #lifetime }

        impl<'a> ::weir::Row<'a> for Inputs<'a> {
            const SHAPE: &'static [::weir::__rt::Kind] = &[#(#shape),*];
            const OPEN: bool = #open;
            #[allow(unused_variables)]
            fn read(batch: &'a ::weir::__rt::Batch, row: usize) -> Self {
                Inputs { #(#reads,)* #rest __batch: ::std::marker::PhantomData }
            }
        }
    }
}

pub(crate) fn field(input: &Input, ty: TokenStream) -> TokenStream {
    let name = ident(input);
    let doc = format!("`{input}`");
    match input.optional {
        true => quote!(#[doc = #doc] pub #name: ::std::option::Option<#ty>),
        false => quote!(#[doc = #doc] pub #name: #ty),
    }
}

pub(crate) fn owned(ty: Type) -> TokenStream {
    match ty {
        Type::String => quote!(::std::string::String),
        Type::Int => quote!(i64),
        Type::Double => quote!(f64),
        Type::Bool => quote!(bool),
        Type::Bytes => quote!(::std::vec::Vec<u8>),
        Type::Timestamp => quote!(::weir::Timestamp),
        Type::Duration => quote!(::std::time::Duration),
        Type::Map | Type::ListMap | Type::Struct => quote!(::weir::Pairs),
        Type::List => quote!(::std::vec::Vec<::std::string::String>),
    }
}

fn borrowed(ty: Type) -> TokenStream {
    match ty {
        Type::String => quote!(::weir::Text<'a>),
        Type::Bytes => quote!(&'a [u8]),
        Type::Map | Type::ListMap | Type::Struct => quote!(::weir::PairsOf<'a>),
        Type::List => quote!(::weir::ListOf<'a>),
        other => owned(other),
    }
}

pub(crate) fn reader(ty: Type) -> &'static str {
    match ty {
        Type::String => "text",
        Type::Int => "int",
        Type::Double => "double",
        Type::Bool => "boolean",
        Type::Bytes => "bytes",
        Type::Timestamp => "timestamp",
        Type::Duration => "duration",
        Type::Map | Type::ListMap | Type::Struct => "pairs",
        Type::List => "texts",
    }
}

fn kind(ty: Type) -> &'static str {
    match ty {
        Type::String => "Text",
        Type::Int => "Int",
        Type::Double => "Double",
        Type::Bool => "Boolean",
        Type::Bytes => "Bytes",
        Type::Timestamp => "Timestamp",
        Type::Duration => "Duration",
        Type::Map | Type::ListMap | Type::Struct => "Pairs",
        Type::List => "Texts",
    }
}

/// `request_headers_user_agent`: every character that no identifier may have becomes `_`.
pub(crate) fn ident(input: &Input) -> Ident {
    let spoken = input.to_string();
    let name: String = spoken
        .trim_end_matches(']')
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c.to_ascii_lowercase() } else { '_' })
        .collect();
    Ident::new(&name, Span::call_site())
}
