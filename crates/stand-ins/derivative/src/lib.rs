//! `#[derive(Derivative)]` for a struct whose `Debug` leaves out some of its fields.
//!
//! It replaces the crate of this name, which has no maintainer (RUSTSEC-2024-0388) and which
//! Pingora 0.9.1 needs for one struct. The root manifest patches it in. It can go as soon as a
//! version of Pingora does without that crate.
//!
//! What is read is what Pingora writes, and everything else is an error of the compiler:
//!
//! ```text
//! #[derive(Derivative)]
//! #[derivative(Debug)]
//! struct Name { field: Type, #[derivative(Debug = "ignore")] left_out: Type }
//! ```
//!
//! Left out: every other trait, every other option, enums, tuples, unions and generics.

use proc_macro::TokenStream;
use quote::quote;
use syn::{Attribute, Data, DeriveInput, Error, Field, Fields, LitStr, Result};

/// Implements `Debug` with the fields that are not ignored, as the derive of the standard library
/// does it.
#[proc_macro_derive(Derivative, attributes(derivative))]
pub fn derivative(input: TokenStream) -> TokenStream {
    let input = syn::parse_macro_input!(input as DeriveInput);
    debug(&input).unwrap_or_else(Error::into_compile_error).into()
}

fn debug(input: &DeriveInput) -> Result<proc_macro2::TokenStream> {
    let name = &input.ident;
    if !is_asked_for(&input.attrs)? {
        return Err(Error::new_spanned(name, "`#[derivative(Debug)]` is missing"));
    }
    if !input.generics.params.is_empty() {
        return Err(Error::new_spanned(&input.generics, "no generics are read here"));
    }
    let mut shown = Vec::new();
    for field in fields(input)? {
        if !is_ignored(field)? {
            shown.extend(&field.ident);
        }
    }
    let title = name.to_string();
    let titles = shown.iter().map(|field| syn::ext::IdentExt::unraw(*field).to_string());
    Ok(quote! {
        impl ::core::fmt::Debug for #name {
            fn fmt(&self, formatter: &mut ::core::fmt::Formatter<'_>) -> ::core::fmt::Result {
                formatter.debug_struct(#title)#(.field(#titles, &self.#shown))*.finish()
            }
        }
    })
}

fn fields(input: &DeriveInput) -> Result<impl Iterator<Item = &Field>> {
    match &input.data {
        Data::Struct(data) if matches!(data.fields, Fields::Named(_)) => Ok(data.fields.iter()),
        _ => Err(Error::new_spanned(&input.ident, "only structs with named fields are read here")),
    }
}

/// Whether the struct has `#[derivative(Debug)]`.
fn is_asked_for(attributes: &[Attribute]) -> Result<bool> {
    let mut found = false;
    each_option(attributes, |option| {
        found = true;
        if option.input.is_empty() {
            Ok(())
        } else {
            Err(option.error("only `Debug` is read here"))
        }
    })?;
    Ok(found)
}

/// Whether the field has `#[derivative(Debug = "ignore")]`.
fn is_ignored(field: &Field) -> Result<bool> {
    let mut found = false;
    each_option(&field.attrs, |option| {
        found = true;
        let value: LitStr = option.value()?.parse()?;
        if value.value() == "ignore" {
            return Ok(());
        }
        Err(Error::new_spanned(value, "only `ignore` is read here"))
    })?;
    Ok(found)
}

/// Hands over each option of `#[derivative(…)]` that is about `Debug`, and refuses the others.
fn each_option(
    attributes: &[Attribute],
    mut read: impl FnMut(syn::meta::ParseNestedMeta<'_>) -> Result<()>,
) -> Result<()> {
    for attribute in attributes.iter().filter(|one| one.path().is_ident("derivative")) {
        attribute.parse_nested_meta(|option| {
            if option.path.is_ident("Debug") {
                return read(option);
            }
            Err(option.error("only `Debug` is read here"))
        })?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn refuses(text: &str, expected: &str) {
        let input = syn::parse_str(text).unwrap();
        assert_eq!(debug(&input).unwrap_err().to_string(), expected, "{text}");
    }

    #[test]
    fn what_is_not_read() {
        refuses("struct A { a: u8 }", "`#[derivative(Debug)]` is missing");
        refuses("#[derivative(Clone)] struct A { a: u8 }", "only `Debug` is read here");
        refuses("#[derivative(Debug, Hash)] struct A { a: u8 }", "only `Debug` is read here");
        refuses(
            "#[derivative(Debug = \"transparent\")] struct A { a: u8 }",
            "only `Debug` is read here",
        );
        refuses(
            "#[derivative(Debug(bound = \"\"))] struct A { a: u8 }",
            "only `Debug` is read here",
        );
        refuses("#[derivative(Debug)] struct A<T> { a: T }", "no generics are read here");
        for text in ["struct A(u8);", "struct A;", "enum A { B }", "union A { a: u8 }"] {
            let text = format!("#[derivative(Debug)] {text}");
            refuses(&text, "only structs with named fields are read here");
        }
        let field = |option: &str| {
            format!("#[derivative(Debug)] struct A {{ #[derivative({option})] a: u8 }}")
        };
        refuses(&field("Debug = \"hide\""), "only `ignore` is read here");
        refuses(&field("Debug"), "expected `=`");
        refuses(&field("Debug(format_with = \"f\")"), "expected `=`");
        refuses(&field("Default"), "only `Debug` is read here");
    }
}
