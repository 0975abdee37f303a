//! A plugin's manifest: authors write `weir-plugin.toml`, the component carries it as JSON in the section `weir:manifest`.
//!
//! The SDK's macros and `weir plugin build` turn the one into the other with [`Manifest::read`] and
//! [`Manifest::to_json`]; the host reads it with [`Manifest::from_json`] before it runs anything of the plugin. What names
//! and attributes mean is the host's matter.

mod read;

use std::fmt;

use serde::{Deserialize, Serialize};
use serde_json::Value as Json;

pub use read::{ReadError, Sources};

/// Name of the custom section that holds the manifest.
pub const SECTION: &str = "weir:manifest";

/// The format that this crate writes and reads.
pub const FORMAT: u32 = 1;

/// What a plugin says about itself. Fields that are not known are left aside; capabilities that are not known are an error.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// [`FORMAT`].
    pub format: u32,
    /// `publisher/name`.
    pub name: String,
    /// The plugin's own version.
    pub version: String,
    /// One sentence, or empty.
    #[serde(default)]
    pub description: String,
    /// Which exports it has.
    pub world: World,
    /// What it sees, in the order of its calls.
    pub inputs: Vec<Input>,
    /// Whether the operator may bind further inputs: the author wrote `"*" = "any?"`.
    #[serde(default)]
    pub more_inputs: bool,
    /// What an enrich plugin finds out, in the order of its answers.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Input>,
    /// Milliseconds between two calls of `tick`; none for no calls.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tick_ms: Option<u32>,
    /// What it asks of the host.
    #[serde(default)]
    pub capabilities: Capabilities,
    /// What it needs at least, where that is more than the host's default.
    #[serde(default)]
    pub needs: Needs,
    /// JSON Schema of its configuration.
    pub config_schema: Json,
}

/// Which exports a plugin has.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum World {
    /// It decides about requests.
    Check,
    /// It finds out attributes, before the policies are asked.
    Enrich,
    /// It is told about finished requests, and tells others.
    Report,
}

/// The types of inputs, by the names that a manifest gives them: those of the vocabulary, and `double`, `bytes` and `list` for
/// what only an operator's binding can produce.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[allow(missing_docs)]
pub enum Type {
    String,
    Int,
    Double,
    Bool,
    Bytes,
    Timestamp,
    Duration,
    Map,
    ListMap,
    Struct,
    List,
}

/// One input or output: an attribute, or one entry of a map.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Input {
    /// `request.headers`, or any name that the operator must bind.
    pub attribute: String,
    /// The `x` of `request.headers[x]`.
    pub key: Option<String>,
    /// Its type.
    #[serde(rename = "type")]
    pub ty: Type,
    /// Whether it may be absent.
    pub optional: bool,
}

/// What a plugin asks of the host; the operator grants it, or the plugin is not loaded.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Capabilities {
    /// Lines in the operator's log.
    #[serde(skip_serializing_if = "is_false")]
    pub log: bool,
    /// Counters and histograms.
    #[serde(skip_serializing_if = "is_false")]
    pub metrics: bool,
    /// Log records about requests.
    #[serde(skip_serializing_if = "is_false")]
    pub records: bool,
    /// Spans.
    #[serde(skip_serializing_if = "is_false")]
    pub spans: bool,
    /// Names of stores.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub kv: Vec<String>,
    /// Names of tables.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub lookup: Vec<String>,
    /// Names of upstreams.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub http_out: Vec<String>,
    /// Names of sinks.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sinks: Vec<String>,
    /// Attributes that it may look at beyond its inputs; `request.headers` includes each header.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub attributes: Vec<String>,
}

/// What a plugin needs at least. The operator's limits are what it gets: if they are less, it is not loaded.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Needs {
    /// MiB of memory of an instance.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub memory_mib: Option<u32>,
    /// Milliseconds of a call.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub timeout_ms: Option<u32>,
}

fn is_false(flag: &bool) -> bool {
    !flag
}

impl Manifest {
    /// Reads the bytes of the section; the error says what to do.
    ///
    /// # Errors
    /// Anything that is not a manifest of [`FORMAT`].
    pub fn from_json(section: &[u8]) -> Result<Manifest, String> {
        let manifest: Manifest =
            serde_json::from_slice(section).map_err(|e| format!("{e}; build the plugin with the SDK"))?;
        if manifest.format != FORMAT {
            return Err(format!("format {} is newer than this host; update weir", manifest.format));
        }
        manifest.check()?;
        Ok(manifest)
    }

    /// The bytes of the section.
    #[must_use]
    pub fn to_json(&self) -> String {
        // Only maps with keys that are no strings, and failing writers, can fail.
        serde_json::to_string(self).unwrap_or_default()
    }

    /// What both forms must obey.
    fn check(&self) -> Result<(), String> {
        let legal =
            |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b"-_.".contains(&b));
        if !self.name.split_once('/').is_some_and(|(publisher, name)| legal(publisher) && legal(name)) {
            let name = &self.name;
            return Err(format!("name {name:?} is not of the form publisher/name; change it in weir-plugin.toml"));
        }
        match (self.world, self.outputs.is_empty()) {
            (World::Enrich, true) => Err("an enrich plugin needs [outputs]; add what it finds out".into()),
            (World::Check | World::Report, false) => Err("only enrich plugins have [outputs]; remove them".into()),
            _ if self.tick_ms == Some(0) => Err("tick-ms = 0 would never pause; leave it out for no ticks".into()),
            _ => Ok(()),
        }
    }
}

impl World {
    /// `check`, `enrich` or `report`.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            World::Check => "check",
            World::Enrich => "enrich",
            World::Report => "report",
        }
    }
}

impl fmt::Display for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl Type {
    /// Every type with its name.
    pub const NAMES: [(&'static str, Type); 11] = [
        ("string", Type::String),
        ("int", Type::Int),
        ("double", Type::Double),
        ("bool", Type::Bool),
        ("bytes", Type::Bytes),
        ("timestamp", Type::Timestamp),
        ("duration", Type::Duration),
        ("map", Type::Map),
        ("list_map", Type::ListMap),
        ("struct", Type::Struct),
        ("list", Type::List),
    ];

    /// Its name in a manifest.
    #[must_use]
    pub fn name(self) -> &'static str {
        Type::NAMES.iter().find(|(_, ty)| *ty == self).map_or("", |(name, _)| name)
    }
}

/// As the author wrote it: `request.headers[x]`.
impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.key {
            Some(key) => write!(f, "{}[{key}]", self.attribute),
            None => f.write_str(&self.attribute),
        }
    }
}

#[cfg(test)]
mod tests;
