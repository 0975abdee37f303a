//! Types as text, both ways.

use std::{fmt, ops::Range, str::FromStr};

use super::Type;
use crate::{
    check::closest,
    error::{Error, Errors},
    limits::TYPE_PARTS_MAX,
};

impl fmt::Display for Type {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Dyn | Self::Never => f.write_str("dyn"),
            Self::Null => f.write_str("null"),
            Self::Bool => f.write_str("bool"),
            Self::Int => f.write_str("int"),
            Self::Uint => f.write_str("uint"),
            Self::Double => f.write_str("double"),
            Self::String => f.write_str("string"),
            Self::Bytes => f.write_str("bytes"),
            Self::Timestamp => f.write_str("timestamp"),
            Self::Duration => f.write_str("duration"),
            Self::Type => f.write_str("type"),
            Self::Ip => f.write_str("ip"),
            Self::Cidr => f.write_str("cidr"),
            Self::Url => f.write_str("url"),
            Self::Semver => f.write_str("semver"),
            Self::List(element) => write!(f, "list({element})"),
            Self::Map(key, value) => write!(f, "map({key}, {value})"),
            Self::Optional(inner) => write!(f, "optional({inner})"),
            Self::Wrapper(inner) => write!(f, "wrapper({inner})"),
            Self::Param(name) => f.write_str(name),
            Self::Opaque(opaque) => {
                f.write_str(&opaque.name)?;
                for (index, param) in opaque.params.iter().enumerate() {
                    write!(f, "{}{param}", if index == 0 { "(" } else { ", " })?;
                }
                f.write_str(if opaque.params.is_empty() { "" } else { ")" })
            }
        }
    }
}

/// The names that stand for a type without parameters, and those that take some.
const NAMES: [&str; 20] = [
    "dyn",
    "null",
    "bool",
    "int",
    "uint",
    "double",
    "string",
    "bytes",
    "timestamp",
    "duration",
    "type",
    "ip",
    "cidr",
    "url",
    "semver",
    "list",
    "map",
    "optional",
    "wrapper",
    "any",
];

impl FromStr for Type {
    type Err = Errors;

    /// Reads what [`Type`] displays, and the names that the language has for types: `int`, `timestamp`,
    /// `map(string, list(int))`, `optional(int)`, `wrapper(bool)`, `google.protobuf.Struct`, `net.IP`. A name with a dot
    /// or with parameters that nothing here knows is an opaque type: `acme.Token`, `tuple(int, string)`.
    ///
    /// # Errors
    /// A text that is no type, with the place and what to write instead; more than [`TYPE_PARTS_MAX`] types in it.
    fn from_str(text: &str) -> Result<Self, Errors> {
        let mut reader = Reader { text, at: 0, parts: 0 };
        let read = reader.ty().and_then(|ty| {
            reader.skip();
            if reader.at == text.len() { Ok(ty) } else { Err(reader.error("nothing is expected after the type")) }
        });
        read.map_err(|error| Errors::new(text.into(), vec![error]))
    }
}

struct Reader<'t> {
    text: &'t str,
    at: usize,
    parts: usize,
}

impl<'t> Reader<'t> {
    fn rest(&self) -> &'t str {
        self.text.get(self.at..).unwrap_or_default()
    }

    fn skip(&mut self) {
        self.at += self.rest().len() - self.rest().trim_start().len();
    }

    /// Takes a mark when it comes next.
    fn mark(&mut self, mark: char) -> bool {
        self.skip();
        let there = self.rest().starts_with(mark);
        self.at += if there { mark.len_utf8() } else { 0 };
        there
    }

    fn error(&self, message: &str) -> Error {
        let next = self.rest().chars().next().map_or(0, char::len_utf8);
        Error::new(self.at..self.at + next, message)
    }

    fn ty(&mut self) -> Result<Type, Error> {
        self.parts += 1;
        if self.parts > TYPE_PARTS_MAX {
            return Err(self.error(&format!("the type has more than {TYPE_PARTS_MAX} parts")));
        }
        self.skip();
        let start = self.at;
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_ascii_alphanumeric() && c != '_' && c != '.').unwrap_or(rest.len());
        let name = rest.get(..length).unwrap_or_default();
        if !name.split('.').all(|part| part.starts_with(|c: char| c.is_ascii_alphabetic() || c == '_')) {
            return Err(self.error("a type is expected").help("such as `string`, `list(int)` or `map(string, dyn)`"));
        }
        self.at += length;
        let params = self.params()?;
        make(name, params, start..self.at)
    }

    fn params(&mut self) -> Result<Vec<Type>, Error> {
        let mut params = Vec::new();
        if !self.mark('(') {
            return Ok(params);
        }
        loop {
            params.push(self.ty()?);
            if self.mark(')') {
                return Ok(params);
            }
            if !self.mark(',') {
                return Err(self.error("`,` or `)` is expected"));
            }
        }
    }
}

fn make(name: &str, params: Vec<Type>, span: Range<usize>) -> Result<Type, Error> {
    if let Some(plain) = plain(name) {
        return match params.len() {
            0 => Ok(plain),
            // The type of a type may say of which.
            1 if plain == Type::Type => Ok(plain),
            _ => Err(Error::new(span, format!("`{name}` has no parameters"))),
        };
    }
    let count = params.len();
    let mut params = params.into_iter();
    match (name, count, params.next(), params.next()) {
        ("list", 1, Some(element), _) => Ok(Type::list(element)),
        ("list", 0, ..) => Ok(Type::list(Type::Dyn)),
        ("map", 2, Some(key), Some(value)) => key_checked(key, value, span),
        ("map", 0, ..) => Ok(Type::map(Type::Dyn, Type::Dyn)),
        ("optional" | "optional_type", 1, Some(inner), _) => Ok(Type::optional(inner)),
        ("optional" | "optional_type", 0, ..) => Ok(Type::optional(Type::Dyn)),
        ("wrapper", 1, Some(inner), _) => match Type::wrapper(inner) {
            ty @ Type::Wrapper(_) => Ok(ty),
            other => Err(Error::new(span, format!("there is no wrapper of {other}"))
                .help("wrappers are of bool, int, uint, double, string and bytes")),
        },
        ("list" | "map" | "optional" | "optional_type" | "wrapper", ..) => {
            let wanted = if name == "map" { "a key and a value: map(string, int)" } else { "one type: list(int)" };
            Err(Error::new(span, format!("`{name}` does not take {count} parameters"))
                .help(format!("it takes {}", wanted.replace("list", name))))
        }
        (name, count, first, second) => {
            let error = Error::new(span, format!("there is no type `{name}`"));
            if let Some(close) = closest(name, NAMES.into_iter()) {
                return Err(error.help(format!("did you mean `{close}`?")));
            }
            if count == 0 && !name.contains('.') {
                return Err(error.help(format!("one of {}", NAMES.join(", "))));
            }
            Ok(Type::opaque(name, first.into_iter().chain(second).chain(params)))
        }
    }
}

fn key_checked(key: Type, value: Type, span: Range<usize>) -> Result<Type, Error> {
    match key {
        Type::Bool | Type::Int | Type::Uint | Type::String | Type::Dyn => Ok(Type::map(key, value)),
        other => Err(Error::new(span, format!("a {other} cannot be the key of a map"))
            .help("keys are string, int, uint or bool")),
    }
}

fn plain(name: &str) -> Option<Type> {
    Some(match name {
        "dyn" | "any" => Type::Dyn,
        "null" | "null_type" => Type::Null,
        "bool" => Type::Bool,
        "int" => Type::Int,
        "uint" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "type" => Type::Type,
        "ip" | "net.IP" => Type::Ip,
        "cidr" | "net.CIDR" => Type::Cidr,
        "url" | "kubernetes.URL" => Type::Url,
        "semver" | "kubernetes.Semver" => Type::Semver,
        other => return Type::message(other),
    })
}
