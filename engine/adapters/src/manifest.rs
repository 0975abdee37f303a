//! The plugin's manifest, as the SDK embeds it: who it is, what it wants to see, how it is configured.

use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use weir_attributes::{Phase, Slot, Type, lookup};

use crate::INPUTS_MAX;

/// Which exports a plugin has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum World {
    /// It decides about requests.
    Check,
    /// It turns finished requests into log records, metrics and spans.
    Report,
}

/// One attribute, or one entry of a map, that a plugin wants to see.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Input {
    /// Which attribute.
    pub slot: Slot,
    /// Which entry of the map; none for the whole attribute.
    pub key: Option<Box<str>>,
    /// Whether the plugin can do without.
    pub optional: bool,
}

/// What a plugin says about itself.
#[derive(Clone, Debug)]
pub struct Manifest {
    /// `publisher/name`.
    pub name: Arc<str>,
    /// The plugin's own version.
    pub version: Arc<str>,
    /// One sentence, or empty.
    pub description: String,
    /// Its kind.
    pub world: World,
    /// What it sees, in the order of its calls.
    pub inputs: Vec<Input>,
    /// JSON Schema of its configuration.
    pub config_schema: serde_json::Value,
}

#[derive(Deserialize)]
struct Embedded {
    format: u32,
    name: String,
    version: String,
    #[serde(default)]
    description: String,
    world: World,
    inputs: Vec<EmbeddedInput>,
    config_schema: serde_json::Value,
}

#[derive(Deserialize)]
struct EmbeddedInput {
    attribute: String,
    key: Option<String>,
    #[serde(rename = "type")]
    ty: String,
    optional: bool,
}

impl Manifest {
    /// Reads the bytes of the section; the error says what to do.
    pub(crate) fn parse(section: &[u8]) -> Result<Manifest, String> {
        let embedded: Embedded =
            serde_json::from_slice(section).map_err(|e| format!("{e}; build the plugin with the SDK"))?;
        if embedded.format != 1 {
            return Err(format!("format {} is newer than this host; update weir", embedded.format));
        }
        let legal =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !embedded.name.split_once('/').is_some_and(|(publisher, name)| legal(publisher) && legal(name)) {
            return Err(format!(
                "name {:?} is not of the form publisher/name; change it in weir-plugin.toml",
                embedded.name
            ));
        }
        if embedded.inputs.len() > INPUTS_MAX {
            return Err(format!("{} inputs, the limit is {INPUTS_MAX}; declare fewer", embedded.inputs.len()));
        }
        let inputs = embedded.inputs.iter().map(|input| resolve(input, embedded.world)).collect::<Result<_, _>>()?;
        Ok(Manifest {
            name: embedded.name.into(),
            version: embedded.version.into(),
            description: embedded.description,
            world: embedded.world,
            inputs,
            config_schema: embedded.config_schema,
        })
    }
}

fn resolve(input: &EmbeddedInput, world: World) -> Result<Input, String> {
    let name = &input.attribute;
    let Some(attribute) = lookup(name) else {
        return Err(format!(
            "input {name:?} is not in the vocabulary; engine/attributes/vocabulary.yaml has the names"
        ));
    };
    if world == World::Check && attribute.phase == Phase::Response {
        return Err(format!("input {name:?} is known only when the request is reported; a check plugin never sees it"));
    }
    let is_map = matches!(attribute.ty, Type::Map | Type::ListMap | Type::Struct);
    let (wanted, of) = match &input.key {
        Some(_) if !is_map => {
            return Err(format!("input {name:?} is no map, so it has no entries; leave out the [...]"));
        }
        Some(_) => ("string", " entry"),
        None => (type_name(attribute.ty), ""),
    };
    if input.ty != wanted {
        return Err(format!("input {name:?}{of} is of type {wanted}, not {}; change it in weir-plugin.toml", input.ty));
    }
    let as_written = name.ends_with(".labels") || attribute.ty == Type::Struct;
    let key = input.key.as_deref().map(|key| match as_written {
        true => key.into(),
        false => key.to_ascii_lowercase().into(),
    });
    Ok(Input { slot: attribute.slot, key, optional: input.optional })
}

fn type_name(ty: Type) -> &'static str {
    match ty {
        Type::String => "string",
        Type::Int => "int",
        Type::Bool => "bool",
        Type::Timestamp => "timestamp",
        Type::Duration => "duration",
        Type::Map => "map",
        Type::ListMap => "list_map",
        Type::Struct => "struct",
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            World::Check => "check",
            World::Report => "report",
        })
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.slot.attribute().name;
        match &self.key {
            Some(key) => write!(f, "{name}[{key}]"),
            None => f.write_str(name),
        }
    }
}
