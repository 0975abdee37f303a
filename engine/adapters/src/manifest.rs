//! The plugin's manifest as the host understands it: names resolved in the vocabulary.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use weir_attributes::{Phase, Slot, Type as Vocabulary, lookup, slot};
use weir_cel::Program;
use weir_manifest::{Capabilities, Needs, Type, World};

use crate::plan::is_secret;
use crate::{ATTRIBUTES_MAX, INPUTS_MAX};

/// One value that a plugin wants to see, or gives.
#[derive(Clone, Debug)]
pub struct Input {
    /// As the author wrote it.
    pub name: Box<str>,
    /// Its type.
    pub ty: Type,
    /// Whether the plugin can do without.
    pub optional: bool,
    /// Where it comes from.
    pub source: Source,
}

/// Where an input comes from.
#[derive(Clone, Debug)]
pub enum Source {
    /// An attribute, or one entry of a map.
    Attribute {
        /// Which attribute.
        slot: Slot,
        /// Which entry of the map; none for the whole attribute.
        key: Option<Box<str>>,
    },
    /// The operator's expression.
    Expression {
        /// What computes it.
        program: Program,
        /// Whether it reads what report plugins see only as a hash.
        secret: bool,
    },
    /// The name is not in the vocabulary: the operator must bind it.
    Unbound,
}

impl Source {
    pub(crate) fn expression(program: Program) -> Source {
        Source::Expression { secret: program.references().iter().any(is_secret), program }
    }
}

impl Input {
    /// The attribute, when it is one.
    #[must_use]
    pub fn slot(&self) -> Option<Slot> {
        match self.source {
            Source::Attribute { slot, .. } => Some(slot),
            Source::Expression { .. } | Source::Unbound => None,
        }
    }

    /// The entry of the map, when it is one.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        match &self.source {
            Source::Attribute { key, .. } => key.as_deref(),
            Source::Expression { .. } | Source::Unbound => None,
        }
    }
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
    /// Whether the operator may bind more.
    pub more_inputs: bool,
    /// What an enrich plugin finds out, in the order of its answers: entries of `metadata`.
    pub outputs: Vec<Input>,
    /// Time between two calls of `tick`; none for no calls.
    pub tick: Option<Duration>,
    /// What it asks of the host.
    pub capabilities: Capabilities,
    /// What its bag shows.
    pub attributes: Vec<Input>,
    /// What it needs at least.
    pub needs: Needs,
    /// JSON Schema of its configuration.
    pub config_schema: serde_json::Value,
}

impl Manifest {
    /// Reads the bytes of the section; the error says what to do.
    pub(crate) fn parse(section: &[u8]) -> Result<Manifest, String> {
        let embedded = weir_manifest::Manifest::from_json(section)?;
        if embedded.inputs.len() > INPUTS_MAX {
            return Err(format!("{} inputs, the limit is {INPUTS_MAX}; declare fewer", embedded.inputs.len()));
        }
        let asked = &embedded.capabilities.attributes;
        if embedded.outputs.len().max(asked.len()) > ATTRIBUTES_MAX {
            return Err(format!("more than {ATTRIBUTES_MAX} outputs or attributes; list fewer"));
        }
        let world = embedded.world;
        let inputs = embedded.inputs.iter().map(|input| resolve(input, world)).collect::<Result<_, _>>()?;
        let attributes = asked.iter().map(|name| attribute(name)).collect::<Result<_, _>>()?;
        Ok(Manifest {
            name: embedded.name.into(),
            version: embedded.version.into(),
            description: embedded.description,
            world,
            inputs,
            more_inputs: embedded.more_inputs,
            outputs: embedded.outputs.iter().map(output).collect::<Result<_, _>>()?,
            tick: embedded.tick_ms.map(|ms| Duration::from_millis(ms.into())),
            capabilities: embedded.capabilities,
            attributes,
            needs: embedded.needs,
            config_schema: embedded.config_schema,
        })
    }
}

fn resolve(input: &weir_manifest::Input, world: World) -> Result<Input, String> {
    let name = &input.attribute;
    let Some(attribute) = lookup(name) else {
        let name = input.to_string().into();
        return Ok(Input { name, ty: input.ty, optional: input.optional, source: Source::Unbound });
    };
    if world != World::Report && attribute.phase == Phase::Response {
        return Err(format!(
            "input {name:?} is known only when the request is reported; a {world} plugin never sees it"
        ));
    }
    let is_map = matches!(attribute.ty, Vocabulary::Map | Vocabulary::ListMap | Vocabulary::Struct);
    let (wanted, of) = match &input.key {
        Some(_) if !is_map => {
            return Err(format!("input {name:?} is no map, so it has no entries; leave out the [...]"));
        }
        Some(_) => (Type::String, " entry"),
        None => (type_of(attribute.ty), ""),
    };
    if input.ty != wanted {
        let (wanted, ty) = (wanted.name(), input.ty.name());
        return Err(format!("input {name:?}{of} is of type {wanted}, not {ty}; change it in weir-plugin.toml"));
    }
    let source =
        Source::Attribute { slot: attribute.slot, key: input.key.as_deref().map(|key| spelled(attribute, key)) };
    Ok(Input { name: input.to_string().into(), ty: input.ty, optional: input.optional, source })
}

/// Names of headers are compared in lower case, everything else as it is written.
fn spelled(attribute: &weir_attributes::Attribute, key: &str) -> Box<str> {
    let as_written = attribute.name.ends_with(".labels") || attribute.ty == Vocabulary::Struct;
    if as_written { key.into() } else { key.to_ascii_lowercase().into() }
}

/// `request.host` or `request.headers[x-team]`, of a manifest's list or a plugin's question.
pub(crate) fn attribute(name: &str) -> Result<Input, String> {
    let (base, key) = match name.strip_suffix(']').and_then(|name| name.split_once('[')) {
        Some((base, key)) => (base, Some(key.to_owned())),
        None => (name, None),
    };
    let unknown =
        || format!("attribute {name:?} is not in the vocabulary; engine/attributes/vocabulary.yaml has the names");
    let ty = lookup(base).map(|attribute| type_of(attribute.ty)).ok_or_else(unknown)?;
    let ty = if key.is_some() { Type::String } else { ty };
    resolve(&weir_manifest::Input { attribute: base.to_owned(), key, ty, optional: true }, World::Report)
}

/// Prefixes of the names under which proxies and meshes speak: a plugin does not speak for them.
const TAKEN: [&str; 3] = ["envoy.", "istio", "weir."];

/// What an enrich plugin may find out. Who is asking and what is asked for are the proxy's to say and the token's: never a
/// plugin's.
fn output(output: &weir_manifest::Input) -> Result<Input, String> {
    let free = |key: &str| !key.is_empty() && !TAKEN.iter().any(|taken| key.starts_with(taken));
    match output.key.as_deref().filter(|key| output.attribute == slot::METADATA.attribute().name && free(key)) {
        Some(key) => Ok(Input {
            name: output.to_string().into(),
            ty: output.ty,
            optional: output.optional,
            source: Source::Attribute { slot: slot::METADATA, key: Some(key.into()) },
        }),
        None => Err(format!(
            "output \"{output}\" cannot be found out by a plugin; write \"metadata[NAME]\", where NAME does not begin with {}",
            TAKEN.join(", ")
        )),
    }
}

fn type_of(ty: Vocabulary) -> Type {
    match ty {
        Vocabulary::String => Type::String,
        Vocabulary::Int => Type::Int,
        Vocabulary::Bool => Type::Bool,
        Vocabulary::Timestamp => Type::Timestamp,
        Vocabulary::Duration => Type::Duration,
        Vocabulary::Map => Type::Map,
        Vocabulary::ListMap => Type::ListMap,
        Vocabulary::Struct => Type::Struct,
    }
}

impl fmt::Display for Input {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}
