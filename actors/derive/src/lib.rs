//! Derives `FromRow` of `afterword-actors`, which hands this crate on: nothing else depends on it.

use proc_macro2::{Span, TokenStream};
use quote::quote;
use syn::{Data, DeriveInput, Error, Fields, ext::IdentExt, parse_macro_input};

/// Reads each field from the column of its name.
#[proc_macro_derive(FromRow)]
pub fn from_row(input: proc_macro::TokenStream) -> proc_macro::TokenStream {
    let input = parse_macro_input!(input as DeriveInput);
    implementation(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn implementation(input: &DeriveInput) -> Result<TokenStream, Error> {
    let Data::Struct(data) = &input.data else { return Err(refusal()) };
    let Fields::Named(fields) = &data.fields else { return Err(refusal()) };
    let columns = fields.named.iter().filter_map(|field| field.ident.as_ref()).map(|field| {
        let column = field.unraw().to_string();
        quote! { #field: ::afterword_actors::store::sql::Row::get(row, #column)? }
    });
    let (name, (generics, arguments, bounds)) = (&input.ident, input.generics.split_for_impl());
    Ok(quote! {
        #[automatically_derived]
        impl #generics ::afterword_actors::store::sql::FromRow for #name #arguments #bounds {
            fn from_row(
                row: &::afterword_actors::store::sql::Row,
            ) -> ::std::result::Result<Self, ::afterword_actors::store::StoreError> {
                ::std::result::Result::Ok(Self { #(#columns),* })
            }
        }
    })
}

fn refusal() -> Error {
    Error::new(Span::call_site(), "a row is a struct with named fields: each is read from the column of its name")
}
