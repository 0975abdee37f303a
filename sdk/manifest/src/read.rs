//! `weir-plugin.toml`, as authors write it.

use std::path::{Path, PathBuf};

use serde_json::{Value as Json, json};
use toml::{Table, Value};

use crate::{Capabilities, FORMAT, Input, Manifest, Needs, Type, World};

/// What is wrong with a manifest and where, and what to do.
pub type ReadError = String;

/// The files that a manifest was read from: itself, and the schema of its configuration if it has one.
pub type Sources = Vec<PathBuf>;

impl Manifest {
    /// Reads `path` under `root`, the plugin's folder, and the schema that it names.
    ///
    /// # Errors
    /// Names the file, the table and the key.
    pub fn read(root: &Path, path: &str) -> Result<(Manifest, Sources), ReadError> {
        let file = root.join(path);
        let text = std::fs::read_to_string(&file)
            .map_err(|e| format!("cannot read {path}: {e}; every plugin has a manifest"))?;
        let mut sources = vec![file.clone()];
        let named = |e: String| format!("{path}: {e}");
        let toml: Table = text.parse().map_err(|e| named(format!("{e}")))?;
        only(&toml, &["plugin", "inputs", "outputs", "capabilities", "needs", "config"]).map_err(named)?;
        let config_schema = schema(&toml, &file, &mut sources).map_err(|e| match e {
            (None, e) => named(e),
            (Some(schema), e) => format!("{schema}: {e}"),
        })?;
        let manifest = manifest(&toml, config_schema).map_err(named)?;
        manifest.check().map_err(named)?;
        Ok((manifest, sources))
    }
}

fn manifest(toml: &Table, config_schema: Json) -> Result<Manifest, String> {
    let plugin = table(toml, "plugin")?;
    only(plugin, &["name", "version", "world", "description", "tick-ms"])?;
    let (inputs, more_inputs) = inputs(table(toml, "inputs")?, "inputs")?;
    let outputs = match toml.get("outputs").and_then(Value::as_table) {
        Some(outputs) => self::inputs(outputs, "outputs")?.0,
        None => Vec::new(),
    };
    Ok(Manifest {
        format: FORMAT,
        name: string(plugin, "name")?.to_owned(),
        version: string(plugin, "version")?.to_owned(),
        description: plugin.get("description").and_then(Value::as_str).unwrap_or_default().to_owned(),
        world: world(string(plugin, "world")?)?,
        inputs,
        more_inputs,
        outputs,
        tick_ms: number(plugin, "tick-ms")?,
        capabilities: capabilities(toml)?,
        needs: needs(toml)?,
        config_schema,
    })
}

fn world(name: &str) -> Result<World, String> {
    [World::Check, World::Enrich, World::Report]
        .into_iter()
        .find(|world| world.name() == name)
        .ok_or_else(|| format!("[plugin] world is {name:?}; write \"check\", \"enrich\" or \"report\""))
}

/// What a schema is read from, if that is at fault, and what is wrong.
type SchemaError = (Option<String>, String);

fn schema(toml: &Table, file: &Path, sources: &mut Sources) -> Result<Json, SchemaError> {
    let Some(config) = toml.get("config").and_then(Value::as_table) else {
        // Without a schema a plugin takes no configuration at all.
        return Ok(json!({ "type": "object", "additionalProperties": false }));
    };
    only(config, &["schema"]).map_err(|e| (None, e))?;
    let name = string(config, "schema").map_err(|e| (None, e))?;
    let schema = file.with_file_name(name);
    let read = std::fs::read_to_string(&schema);
    let text = read.map_err(|e| (None, format!("[config] schema: cannot read {name}: {e}")))?;
    sources.push(schema);
    serde_json::from_str(&text).map_err(|e| (Some(name.to_owned()), e.to_string()))
}

/// The lines of `[inputs]` or `[outputs]`, and whether `"*"` is one.
fn inputs(table: &Table, of: &str) -> Result<(Vec<Input>, bool), String> {
    let (mut inputs, mut more) = (Vec::new(), false);
    for (name, value) in table {
        match name.as_str() {
            "*" if of == "inputs" && value.as_str() == Some("any?") => more = true,
            "*" => return Err(format!("[{of}] \"*\" can only be \"any?\", under [inputs]")),
            _ => inputs.push(input(name, value, of == "outputs").map_err(|e| format!("[{of}] {name:?} {e}"))?),
        }
    }
    Ok((inputs, more))
}

/// An entry of a map is a text when it is read; what is found out may be anything.
fn input(name: &str, value: &Value, any_entry: bool) -> Result<Input, String> {
    let word = value.as_str().ok_or("must be a type in quotes, for instance \"string\"")?;
    let (word, optional) = match word.strip_suffix('?') {
        Some(word) => (word, true),
        None => (word, false),
    };
    let ty = Type::NAMES.iter().find(|(name, _)| *name == word).map(|(_, ty)| *ty).ok_or_else(|| {
        let names = Type::NAMES.map(|(name, _)| name).join(", ");
        format!("has the unknown type {word:?}; the types are {names}, each with ? when it may be absent")
    })?;
    let (attribute, key) = match name.strip_suffix(']').and_then(|n| n.split_once('[')) {
        Some((attribute, key)) if any_entry || ty == Type::String => (attribute, Some(key.to_owned())),
        Some(_) => return Err("is one entry of a map, so its type must be \"string\" or \"string?\"".into()),
        None => (name, None),
    };
    Ok(Input { attribute: attribute.to_owned(), key, ty, optional })
}

fn capabilities(toml: &Table) -> Result<Capabilities, String> {
    let Some(asked) = toml.get("capabilities").and_then(Value::as_table) else {
        return Ok(Capabilities::default());
    };
    only(asked, &["log", "metrics", "records", "spans", "kv", "lookup", "http-out", "sinks", "attributes"])?;
    let flag = |key: &str| match asked.get(key) {
        None => Ok(false),
        Some(value) => value.as_bool().ok_or_else(|| format!("[capabilities] {key} must be true or false")),
    };
    let names = |key: &str| {
        let list = || -> Option<Vec<String>> {
            let list = asked.get(key)?.as_array()?;
            list.iter().map(|name| name.as_str().filter(|name| !name.is_empty()).map(str::to_owned)).collect()
        };
        match asked.get(key) {
            None => Ok(Vec::new()),
            Some(_) => list().ok_or_else(|| format!("[capabilities] {key} must be a list of names, [\"...\"]")),
        }
    };
    Ok(Capabilities {
        log: flag("log")?,
        metrics: flag("metrics")?,
        records: flag("records")?,
        spans: flag("spans")?,
        kv: names("kv")?,
        lookup: names("lookup")?,
        http_out: names("http-out")?,
        sinks: names("sinks")?,
        attributes: names("attributes")?,
    })
}

fn needs(toml: &Table) -> Result<Needs, String> {
    let Some(needs) = toml.get("needs").and_then(Value::as_table) else { return Ok(Needs::default()) };
    only(needs, &["memory-mib", "timeout-ms"])?;
    Ok(Needs { memory_mib: number(needs, "memory-mib")?, timeout_ms: number(needs, "timeout-ms")? })
}

fn table<'a>(toml: &'a Table, key: &str) -> Result<&'a Table, String> {
    toml.get(key).and_then(Value::as_table).ok_or_else(|| format!("the table [{key}] is missing; add it"))
}

fn string<'a>(table: &'a Table, key: &str) -> Result<&'a str, String> {
    let text = table.get(key).and_then(Value::as_str).filter(|text| !text.is_empty());
    text.ok_or_else(|| format!("the text {key} = \"...\" is missing; add it"))
}

fn number(table: &Table, key: &str) -> Result<Option<u32>, String> {
    let Some(value) = table.get(key) else { return Ok(None) };
    let number = value.as_integer().and_then(|number| u32::try_from(number).ok());
    number.map(Some).ok_or_else(|| format!("{key} must be a whole number of at least 0"))
}

fn only(table: &Table, known: &[&str]) -> Result<(), String> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("unknown key {key:?}; known here: {}", known.join(", "))),
        None => Ok(()),
    }
}
