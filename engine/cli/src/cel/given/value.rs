//! YAML values become values of the declared types.

use std::{ops::Range, sync::Arc};

use weir_attributes::Attribute;
use weir_cel::{Entries, Env, Held, Map, Scratch, Type, Value};
use weir_config::{Node, Yaml};

use super::Wrong;

type Read = Result<Value<'static>, Wrong>;

/// The type of an attribute in the language.
pub(in crate::cel) fn ty(attribute: &Attribute) -> Type {
    let text = || Type::String;
    match attribute.ty {
        weir_attributes::Type::String => text(),
        weir_attributes::Type::Int => Type::Int,
        weir_attributes::Type::Bool => Type::Bool,
        weir_attributes::Type::Timestamp => Type::Timestamp,
        weir_attributes::Type::Duration => Type::Duration,
        weir_attributes::Type::Map => Type::map(text(), text()),
        weir_attributes::Type::ListMap => Type::map(text(), Type::list(text())),
        weir_attributes::Type::Struct => Type::map(text(), Type::Dyn),
    }
}

/// The value of an attribute; `null` says that it is absent.
pub(super) fn attribute(node: &Node, attribute: &Attribute) -> Result<Option<Value<'static>>, Wrong> {
    if is_null(node) { Ok(None) } else { read(node, &ty(attribute)).map(Some) }
}

/// The value, which must be of that type.
pub(super) fn read(node: &Node, ty: &Type) -> Read {
    match ty {
        Type::Wrapper(_) | Type::Null if is_null(node) => Ok(Value::Null),
        Type::Wrapper(inner) => read(node, inner),
        Type::Optional(_) if is_null(node) => Ok(Value::Optional(None)),
        Type::Optional(inner) => read(node, inner).map(|value| Value::Optional(Some(Arc::new(value)))),
        Type::List(element) => match node.yaml() {
            Yaml::Sequence(items) => list(items, element),
            _ => Err(mismatch(node, ty, "write the elements in [ ], or each on a line of its own after `- `")),
        },
        Type::Map(key, value) => match node.yaml() {
            Yaml::Mapping(entries) => map(entries, key, value),
            _ => Err(mismatch(node, ty, "write `key: value` lines, or {key: value}")),
        },
        Type::Dyn | Type::Never | Type::Param(_) => any(node),
        Type::String => text(node, ty).map(owned),
        Type::Bytes => text(node, ty).map(|text| Value::Bytes(Held::Shared(text.as_bytes().into()))),
        Type::Timestamp => converted(node, ty, "timestamp", "write RFC 3339, such as 2026-11-24T10:00:00Z"),
        Type::Duration => converted(node, ty, "duration", "write numbers with units, such as 1h30m, 90s or 100ms"),
        Type::Ip => converted(node, ty, "ip", "write an address, such as 10.0.0.1"),
        Type::Cidr => converted(node, ty, "cidr", "write a range, such as 10.0.0.0/8"),
        Type::Url => converted(node, ty, "url", "write a URL, such as https://shop.example/cart"),
        Type::Semver => converted(node, ty, "semver", "write a version, such as 1.2.3"),
        Type::Null | Type::Bool | Type::Int | Type::Uint | Type::Double => plain(node, ty),
        other => Err(Wrong::new(
            node.range(),
            format!("a value of type {other} cannot be written here"),
            "declare the variable as dyn, or leave it out",
        )),
    }
}

fn owned(text: &str) -> Value<'static> {
    Value::String(Held::Shared(text.into()))
}

fn mismatch(node: &Node, ty: &Type, help: &str) -> Wrong {
    let found = match node.yaml() {
        Yaml::Mapping(_) => "a mapping".to_owned(),
        Yaml::Sequence(_) => "a list".to_owned(),
        Yaml::Scalar { .. } if is_null(node) => "nothing".to_owned(),
        Yaml::Scalar { text, plain } => {
            let (quote, text) = (if plain { "" } else { "\"" }, text.chars().take(40).collect::<String>());
            format!("`{quote}{text}{quote}`")
        }
    };
    Wrong::new(node.range(), format!("expected {ty}, found {found}"), help)
}

fn is_null(node: &Node) -> bool {
    matches!(node.yaml(), Yaml::Scalar { text: "" | "~" | "null" | "Null" | "NULL", plain: true })
}

/// What a text without quotes is, by YAML's core schema.
enum Plain {
    Null,
    Bool(bool),
    Whole(i128),
    Double(f64),
    Text,
}

fn resolved(text: &str) -> Plain {
    let unsigned = text.strip_prefix(['-', '+']).unwrap_or(text);
    let radix =
        |digits: &str, radix| i128::from_str_radix(digits, radix).ok().filter(|value| *value <= u64::MAX.into());
    let double = |value: f64| Plain::Double(if text.starts_with('-') { -value } else { value });
    match text {
        "" | "~" | "null" | "Null" | "NULL" => return Plain::Null,
        "true" | "True" | "TRUE" => return Plain::Bool(true),
        "false" | "False" | "FALSE" => return Plain::Bool(false),
        ".nan" | ".NaN" | ".NAN" => return Plain::Double(f64::NAN),
        _ => {}
    }
    if let Some(whole) = text.strip_prefix("0x").and_then(|digits| radix(digits, 16)) {
        return Plain::Whole(whole);
    }
    if let Some(whole) = text.strip_prefix("0o").and_then(|digits| radix(digits, 8)) {
        return Plain::Whole(whole);
    }
    if matches!(unsigned, ".inf" | ".Inf" | ".INF") {
        return double(f64::INFINITY);
    }
    let begins = unsigned.starts_with(|first: char| first.is_ascii_digit() || first == '.');
    if !begins || !unsigned.bytes().all(|byte| byte.is_ascii_digit() || b".eE+-".contains(&byte)) {
        return Plain::Text;
    }
    if let Ok(whole) = text.parse::<i128>() {
        return Plain::Whole(whole);
    }
    text.parse().map_or(Plain::Text, Plain::Double)
}

/// The text; what a reader of YAML would take for a number, `true` or nothing must be in quotes, as in policies.
fn text<'n>(node: &'n Node, ty: &Type) -> Result<&'n str, Wrong> {
    let Yaml::Scalar { text, plain } = node.yaml() else {
        return Err(mismatch(node, ty, "write one text"));
    };
    match resolved(text) {
        Plain::Text => Ok(text),
        _ if !plain => Ok(text),
        Plain::Null => Err(mismatch(node, ty, "write a value, or leave the line out")),
        _ => Err(mismatch(node, ty, &format!("write it in quotes: \"{text}\""))),
    }
}

/// Null, bools and numbers.
fn plain(node: &Node, ty: &Type) -> Read {
    let found = match node.yaml() {
        Yaml::Scalar { text, plain: true } => resolved(text),
        _ => Plain::Text,
    };
    let value = match (ty, found) {
        (Type::Bool, Plain::Bool(value)) => Some(Value::Bool(value)),
        (Type::Int, Plain::Whole(value)) => i64::try_from(value).ok().map(Value::Int),
        (Type::Uint, Plain::Whole(value)) => u64::try_from(value).ok().map(Value::Uint),
        (Type::Double, Plain::Whole(value)) => Some(Value::Double(value as f64)),
        (Type::Double, Plain::Double(value)) => Some(Value::Double(value)),
        _ => None,
    };
    value.ok_or_else(|| {
        let help = match ty {
            Type::Null => "write `null`",
            Type::Bool => "write `true` or `false`, without quotes",
            Type::Int => "write a whole number of 64 bits, without quotes",
            Type::Uint => "write a whole number, 0 or more, without quotes",
            _ => "write a number, without quotes",
        };
        mismatch(node, ty, help)
    })
}

/// A text that a function of the language reads.
fn converted(node: &Node, ty: &Type, function: &str, help: &str) -> Read {
    let given = [owned(text(node, ty)?)];
    let env = Env::builder().variable("text", Type::String).build();
    let program = env.compile(&format!("{function}(text)")).ok();
    let value = program.and_then(|program| Some(program.evaluate(&given, &mut Scratch::new()).ok()?.into_static()));
    value.ok_or_else(|| mismatch(node, ty, help))
}

/// What stands there, by YAML's own rules.
fn any(node: &Node) -> Read {
    match node.yaml() {
        Yaml::Scalar { text, plain: false } => Ok(owned(text)),
        Yaml::Scalar { text, plain: true } => match resolved(text) {
            Plain::Null => Ok(Value::Null),
            Plain::Bool(value) => Ok(Value::Bool(value)),
            Plain::Double(value) => Ok(Value::Double(value)),
            Plain::Text => Ok(owned(text)),
            Plain::Whole(value) => match (i64::try_from(value), u64::try_from(value)) {
                (Ok(value), _) => Ok(Value::Int(value)),
                (_, Ok(value)) => Ok(Value::Uint(value)),
                _ => Err(mismatch(node, &Type::Int, "write a whole number of 64 bits, or a text in quotes")),
            },
        },
        Yaml::Sequence(items) => list(items, &Type::Dyn),
        Yaml::Mapping(entries) => map(entries, &Type::String, &Type::Dyn),
    }
}

fn list(items: &[Node], element: &Type) -> Read {
    let elements: Result<Vec<_>, _> = items.iter().map(|item| read(item, element)).collect();
    Ok(Value::List(Held::Shared(elements?.into())))
}

fn map(pairs: &[(String, Range<usize>, Node)], key: &Type, value: &Type) -> Read {
    let mut entries = Entries::default();
    for (name, range, node) in pairs {
        let wrong = |message: String, help: &str| Wrong::new(range.clone(), message, help);
        let name = match (key, resolved(name)) {
            (Type::Int, Plain::Whole(whole)) => i64::try_from(whole).ok().map(Value::Int),
            (Type::Uint, Plain::Whole(whole)) => u64::try_from(whole).ok().map(Value::Uint),
            (Type::Bool, Plain::Bool(truth)) => Some(Value::Bool(truth)),
            (Type::Int | Type::Uint | Type::Bool, _) => None,
            _ => Some(owned(name)),
        };
        let name = name.ok_or_else(|| wrong(format!("expected a key of type {key}"), "write such a key"))?;
        let value = read(node, value)?;
        entries.push(name, value).map_err(|_| wrong("a key appears twice".to_owned(), "remove one of the two"))?;
    }
    Ok(Value::Map(Map::new(entries)))
}
