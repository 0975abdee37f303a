//! Declarations and types, as rows write them: `"int64"`, `{"list": "dyn"}`, `{"abstract": "tuple", "params": [...]}`.

use serde::Deserialize;
use serde_json::Value as Json;
use weir_cel::{Overload, Type};

/// A name with its type, or a function with its forms.
#[derive(Deserialize)]
pub(super) struct Declaration {
    pub(super) name: String,
    pub(super) ident: Option<Json>,
    #[serde(default)]
    pub(super) overloads: Vec<Form>,
}

/// One form of a function.
#[derive(Deserialize)]
pub(super) struct Form {
    params: Vec<Json>,
    result: Json,
    #[serde(default)]
    instance: bool,
}

impl Form {
    /// The form, for the checker only: rows give no implementation.
    pub(super) fn declared(&self) -> Result<Overload, String> {
        let params: Result<Vec<Type>, String> = self.params.iter().map(ty).collect();
        let (mut params, result) = (params?.into_iter(), ty(&self.result)?);
        if !self.instance {
            return Ok(Overload::global(params, result));
        }
        let target = params.next().ok_or("a method needs a target")?;
        Ok(Overload::method(target, params, result))
    }
}

/// A type.
pub(super) fn ty(json: &Json) -> Result<Type, String> {
    let unknown = || format!("there is no type {json}");
    if let Some(name) = json.as_str() {
        return plain(name).ok_or_else(unknown);
    }
    let fields = json.as_object().ok_or_else(unknown)?;
    let inner = |name: &str| fields.get(name);
    let text = |name: &str| fields.get(name).and_then(Json::as_str);
    if let Some(element) = inner("list") {
        return Ok(Type::list(ty(element)?));
    }
    if let Some([key, value]) = inner("map").and_then(Json::as_array).map(Vec::as_slice) {
        return Ok(Type::map(ty(key)?, ty(value)?));
    }
    if let Some(plain) = inner("wrapper") {
        return Ok(Type::wrapper(ty(plain)?));
    }
    if inner("type").is_some() {
        return Ok(Type::Type);
    }
    if let Some(name) = text("well_known") {
        return plain(&name.to_ascii_lowercase()).ok_or_else(unknown);
    }
    if let Some(name) = text("message") {
        return Type::message(name).ok_or_else(unknown);
    }
    if let Some(name) = text("type_param") {
        return Ok(Type::param(name));
    }
    let name = text("abstract").ok_or_else(unknown)?;
    let params = inner("params").and_then(Json::as_array).map(Vec::as_slice).unwrap_or_default();
    let params: Result<Vec<Type>, String> = params.iter().map(ty).collect();
    match (name, params?.as_slice()) {
        ("optional_type", [inner]) => Ok(Type::optional(inner.clone())),
        (name, params) => Ok(Type::opaque(name, params.iter().cloned())),
    }
}

fn plain(name: &str) -> Option<Type> {
    Some(match name {
        "dyn" | "any" => Type::Dyn,
        "null" => Type::Null,
        "bool" => Type::Bool,
        "int64" => Type::Int,
        "uint64" => Type::Uint,
        "double" => Type::Double,
        "string" => Type::String,
        "bytes" => Type::Bytes,
        "timestamp" => Type::Timestamp,
        "duration" => Type::Duration,
        "type" => Type::Type,
        _ => return None,
    })
}
