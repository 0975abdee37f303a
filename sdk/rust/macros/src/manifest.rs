//! The plugin's manifest: read from TOML as authors write it, embedded as JSON for the host.

use std::path::Path;

use serde_json::{Value as Json, json};

/// The two kinds of plugin.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum World {
    Check,
    Report,
}

impl World {
    pub(crate) fn name(self) -> &'static str {
        match self {
            World::Check => "check",
            World::Report => "report",
        }
    }
}

/// The types of the vocabulary, by the names that a manifest gives them.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Type {
    String,
    Int,
    Bool,
    Timestamp,
    Duration,
    Map,
    ListMap,
    Struct,
}

const TYPES: [(&str, Type); 8] = [
    ("string", Type::String),
    ("int", Type::Int),
    ("bool", Type::Bool),
    ("timestamp", Type::Timestamp),
    ("duration", Type::Duration),
    ("map", Type::Map),
    ("list_map", Type::ListMap),
    ("struct", Type::Struct),
];

/// One line of `[inputs]`: `"source.principal" = "string?"`.
pub(crate) struct Input {
    pub(crate) attribute: String,
    /// The `x` of `request.headers[x]`: one entry of a map instead of the map.
    pub(crate) key: Option<String>,
    pub(crate) ty: Type,
    pub(crate) optional: bool,
}

/// What `weir-plugin.toml` says.
pub(crate) struct Manifest {
    pub(crate) inputs: Vec<Input>,
    /// What goes into the section `weir:manifest`.
    pub(crate) json: String,
    /// The manifest and the schema, so that cargo rebuilds when they change.
    pub(crate) files: Vec<String>,
}

impl Manifest {
    /// Reads `path` under `root`, the crate's folder.
    pub(crate) fn read(root: &Path, path: &str, world: World) -> Result<Manifest, String> {
        let file = root.join(path);
        let text = std::fs::read_to_string(&file)
            .map_err(|e| format!("cannot read {path}: {e}; every plugin has a manifest"))?;
        let toml: toml::Table = text.parse().map_err(|e| format!("{path}: {e}"))?;
        let mut manifest = Manifest { inputs: Vec::new(), json: String::new(), files: Vec::new() };
        manifest.files.push(file.display().to_string());
        only(&toml, &["plugin", "inputs", "config"], path)?;
        let plugin = table(&toml, "plugin", path)?;
        only(plugin, &["name", "version", "world", "description"], path)?;
        let said = string(plugin, "world", path)?;
        if said != world.name() {
            let want = world.name();
            return Err(format!(
                "{path}: [plugin] world is {said:?} but the function is marked #[{want}]; write world = {want:?}"
            ));
        }
        let inputs = table(&toml, "inputs", path)?;
        for (name, value) in inputs {
            manifest.inputs.push(input(name, value).map_err(|e| format!("{path}: [inputs] {name:?} {e}"))?);
        }
        let schema = manifest.schema(&toml, &file, path)?;
        manifest.json = json!({
            "format": 1,
            "name": string(plugin, "name", path)?,
            "version": string(plugin, "version", path)?,
            "description": plugin.get("description").and_then(|v| v.as_str()).unwrap_or_default(),
            "world": world.name(),
            "inputs": manifest.inputs.iter().map(Input::json).collect::<Vec<_>>(),
            "config_schema": schema,
        })
        .to_string();
        Ok(manifest)
    }

    fn schema(&mut self, toml: &toml::Table, file: &Path, path: &str) -> Result<Json, String> {
        let Some(config) = toml.get("config").and_then(|v| v.as_table()) else {
            // Without a schema a plugin takes no configuration at all.
            return Ok(json!({ "type": "object", "additionalProperties": false }));
        };
        only(config, &["schema"], path)?;
        let name = string(config, "schema", path)?;
        let schema = file.with_file_name(name);
        let text = std::fs::read_to_string(&schema)
            .map_err(|e| format!("{path}: [config] schema: cannot read {name}: {e}"))?;
        self.files.push(schema.display().to_string());
        serde_json::from_str(&text).map_err(|e| format!("{name}: {e}"))
    }
}

impl Input {
    fn json(&self) -> Json {
        json!({
            "attribute": self.attribute,
            "key": self.key,
            "type": TYPES.iter().find(|(_, ty)| *ty == self.ty).map(|(name, _)| name),
            "optional": self.optional,
        })
    }
}

fn input(name: &str, value: &toml::Value) -> Result<Input, String> {
    let word = value.as_str().ok_or("must be a type in quotes, for instance \"string\"")?;
    let (word, optional) = match word.strip_suffix('?') {
        Some(word) => (word, true),
        None => (word, false),
    };
    let ty = TYPES.iter().find(|(name, _)| *name == word).map(|(_, ty)| *ty).ok_or_else(|| {
        let names: Vec<_> = TYPES.iter().map(|(name, _)| *name).collect();
        format!("has the unknown type {word:?}; the types are {}, each with ? when it may be absent", names.join(", "))
    })?;
    let (attribute, key) = match name.strip_suffix(']').and_then(|n| n.split_once('[')) {
        Some((attribute, key)) if ty == Type::String => (attribute, Some(key.to_owned())),
        Some(_) => return Err("is one entry of a map, so its type must be \"string\" or \"string?\"".into()),
        None => (name, None),
    };
    Ok(Input { attribute: attribute.to_owned(), key, ty, optional })
}

fn table<'a>(toml: &'a toml::Table, key: &str, path: &str) -> Result<&'a toml::Table, String> {
    toml.get(key).and_then(|v| v.as_table()).ok_or_else(|| format!("{path}: the table [{key}] is missing; add it"))
}

fn string<'a>(table: &'a toml::Table, key: &str, path: &str) -> Result<&'a str, String> {
    table
        .get(key)
        .and_then(|v| v.as_str())
        .filter(|v| !v.is_empty())
        .ok_or_else(|| format!("{path}: the text {key} = \"...\" is missing; add it"))
}

fn only(table: &toml::Table, known: &[&str], path: &str) -> Result<(), String> {
    match table.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => Err(format!("{path}: unknown key {key:?}; known here: {}", known.join(", "))),
        None => Ok(()),
    }
}

#[cfg(test)]
mod tests;
