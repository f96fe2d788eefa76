//! What the stubs' sources say: tools, options and the types of results, read from `src/*.rs`.

use std::collections::BTreeMap;
use std::path::Path;
use std::{env, fs};

use quote::ToTokens;
use syn::parse::{Parse, ParseStream};
use syn::punctuated::Punctuated;
use syn::{
    Attribute, Expr, Ident, Item, Lit, LitStr, Meta, Token, Type, Visibility, braced, bracketed,
    parenthesized, token,
};

/// A tool as `tool!` declares it.
pub(crate) struct Tool {
    pub(crate) doc: String,
    pub(crate) name: String,
    pub(crate) methods: Vec<Method>,
}

pub(crate) struct Method {
    pub(crate) doc: String,
    pub(crate) name: String,
    pub(crate) idempotent: bool,
    /// Names and types of the positional parameters; that of `*rest` last.
    pub(crate) arguments: Vec<(String, String)>,
    pub(crate) result: String,
    /// The second method, and the options that it takes.
    pub(crate) with: Option<(String, String)>,
}

/// Named parts with their types and meanings: the options of a method, or the fields or variants of a result.
pub(crate) struct Fields {
    pub(crate) doc: String,
    pub(crate) parts: Vec<Field>,
    pub(crate) is_enum: bool,
}

pub(crate) struct Field {
    /// As Python and the command line know it.
    pub(crate) name: String,
    pub(crate) kind: String,
    pub(crate) doc: String,
}

/// All that the sources declare.
#[derive(Default)]
pub(crate) struct Sources {
    pub(crate) tools: BTreeMap<String, Tool>,
    pub(crate) types: BTreeMap<String, Fields>,
}

pub(crate) fn read() -> Sources {
    let mut sources = Sources::default();
    add_folder(
        &mut sources,
        &Path::new(env!("CARGO_MANIFEST_DIR")).join("src"),
    );
    sources
}

fn add_folder(sources: &mut Sources, folder: &Path) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            add_folder(sources, &path);
            continue;
        }
        let text = fs::read_to_string(&path).unwrap();
        for item in syn::parse_file(&text).unwrap().items {
            add(sources, item);
        }
    }
}

fn add(sources: &mut Sources, item: Item) {
    match item {
        Item::Macro(item) => {
            let called = item.mac.path.segments.last().unwrap().ident.to_string();
            if called == "tool" {
                let tool: Tool = item.mac.parse_body().unwrap();
                sources.tools.insert(tool.name.clone(), tool);
            } else if called == "options" {
                let Options(name, fields) = item.mac.parse_body().unwrap();
                sources.types.insert(name, fields);
            }
        }
        Item::Struct(item) if matches!(item.vis, Visibility::Public(_)) => {
            let fields = item.fields.iter().filter_map(|field| {
                Some(Field {
                    name: field.ident.as_ref()?.to_string(),
                    kind: text_of(&field.ty),
                    doc: doc(&field.attrs),
                })
            });
            let fields = Fields {
                doc: doc(&item.attrs),
                parts: fields.collect(),
                is_enum: false,
            };
            sources.types.insert(item.ident.to_string(), fields);
        }
        Item::Enum(item) if matches!(item.vis, Visibility::Public(_)) => {
            let variants = item.variants.iter().map(|variant| Field {
                name: variant.ident.to_string(),
                kind: String::new(),
                doc: doc(&variant.attrs),
            });
            let fields = Fields {
                doc: doc(&item.attrs),
                parts: variants.collect(),
                is_enum: true,
            };
            sources.types.insert(item.ident.to_string(), fields);
        }
        _ => {}
    }
}

impl Parse for Tool {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        input.parse::<Token![struct]>()?;
        let name: Ident = input.parse()?;
        input.parse::<Token![=]>()?;
        input.parse::<Expr>()?;
        input.parse::<Token![;]>()?;
        let mut methods = Vec::new();
        while !input.is_empty() {
            methods.push(input.parse()?);
        }
        Ok(Self {
            doc: doc(&attributes),
            name: name.to_string(),
            methods,
        })
    }
}

impl Parse for Method {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let idempotent = input.peek(token::Bracket);
        if idempotent {
            let flag;
            bracketed!(flag in input);
            flag.parse::<Ident>()?;
        }
        input.parse::<Token![fn]>()?;
        let name: Ident = input.parse()?;
        let list;
        parenthesized!(list in input);
        let mut arguments = Vec::new();
        while !list.is_empty() {
            if list.peek(token::Bracket) {
                let rest;
                bracketed!(rest in list);
                let (name, kind) = argument(&rest)?;
                arguments.push((format!("*{name}"), kind));
            } else {
                arguments.push(argument(&list)?);
            }
            list.parse::<Option<Token![,]>>()?;
        }
        input.parse::<Token![->]>()?;
        let result: Type = input.parse()?;
        let mut with = None;
        if input.parse::<Option<Token![,]>>()?.is_some() {
            let method: Ident = input.parse()?;
            let options;
            parenthesized!(options in input);
            with = Some((method.to_string(), text_of(&options.parse::<Type>()?)));
        }
        input.parse::<Token![;]>()?;
        Ok(Self {
            doc: doc(&attributes),
            name: name.to_string(),
            idempotent,
            arguments,
            result: text_of(&result),
            with,
        })
    }
}

fn argument(input: ParseStream<'_>) -> syn::Result<(String, String)> {
    let name: Ident = input.parse()?;
    input.parse::<Token![:]>()?;
    Ok((name.to_string(), text_of(&input.parse::<Type>()?)))
}

struct Options(String, Fields);

impl Parse for Options {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        input.parse::<Visibility>()?;
        input.parse::<Token![struct]>()?;
        let name: Ident = input.parse()?;
        let list;
        braced!(list in input);
        let fields = Punctuated::<Field, Token![,]>::parse_terminated(&list)?;
        let fields = Fields {
            doc: doc(&attributes),
            parts: fields.into_iter().collect(),
            is_enum: false,
        };
        Ok(Self(name.to_string(), fields))
    }
}

impl Parse for Field {
    fn parse(input: ParseStream<'_>) -> syn::Result<Self> {
        let attributes = input.call(Attribute::parse_outer)?;
        let ident: Ident = input.parse()?;
        let mut name = ident.to_string();
        if input.parse::<Option<Token![=]>>()?.is_some() {
            name = input.parse::<LitStr>()?.value();
        }
        input.parse::<Token![:]>()?;
        Ok(Self {
            name,
            kind: text_of(&input.parse::<Type>()?),
            doc: doc(&attributes),
        })
    }
}

/// The text of the `///` lines.
fn doc(attributes: &[Attribute]) -> String {
    let mut lines = Vec::new();
    for attribute in attributes {
        if let Meta::NameValue(pair) = &attribute.meta
            && pair.path.is_ident("doc")
            && let Expr::Lit(value) = &pair.value
            && let Lit::Str(text) = &value.lit
        {
            let text = text.value();
            lines.push(text.strip_prefix(' ').unwrap_or(&text).to_owned());
        }
    }
    lines.join("\n")
}

/// A type as one writes it.
fn text_of(kind: &Type) -> String {
    let text = kind.to_token_stream().to_string();
    [
        (" < ", "<"),
        (" >", ">"),
        ("< ", "<"),
        (" ,", ","),
        (" :: ", "::"),
        ("& ", "&"),
        ("( ", "("),
        (" )", ")"),
    ]
    .iter()
    .fold(text, |text, (from, to)| text.replace(from, to))
}
