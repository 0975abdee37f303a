//! `weir plugin inspect`: what can be known of a component without running it.

use std::fmt::Write as _;

use clap::Args;
use serde_json::json;
use sha2::{Digest, Sha256};
use weir_adapters::{Capabilities, Inspection, inspect};

use super::Output;
use super::build::{finding, hex, size};
use super::origin::{Place, read, signature};
use crate::failure::Failure;
use crate::terminal::say;

/// Says what a component sees, imports, asks for, needs and is signed with, without running it.
#[derive(Debug, Args)]
pub(super) struct Inspect {
    #[command(flatten)]
    place: Place,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

impl Inspect {
    pub(super) fn run(self) -> Result<(), Failure> {
        let file = self.place.file()?;
        let wasm = read(&file)?;
        let found = inspect(&wasm, &file.display().to_string()).map_err(finding)?;
        let (digest, signature) = (hex(&Sha256::digest(&wasm)), signature(&file));
        match self.output {
            Output::Text => say(&text(&found, &digest, signature.as_deref())),
            Output::Json => say(&format!("{}\n", json(&found, &digest, signature.as_deref()))),
        }
        Ok(())
    }
}

fn text(found: &Inspection, digest: &str, signature: Option<&str>) -> String {
    let manifest = &found.manifest;
    let mut text = format!("{} {}: {}\n", manifest.name, manifest.version, manifest.description);
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(text, "{name:<9}{value}");
    };
    line("world", manifest.world.name());
    line("size", &size(found.size));
    line("sha256", digest);
    line("signed", signature.unwrap_or("no: weir plugin sign"));
    for input in &manifest.inputs {
        line("input", &format!("{input} {}{}", input.ty.name(), if input.optional { "?" } else { "" }));
    }
    if manifest.more_inputs {
        line("input", "* whatever the operator binds");
    }
    for output in &manifest.outputs {
        line("output", &format!("{output} {}{}", output.ty.name(), if output.optional { "?" } else { "" }));
    }
    for asked in asked(&manifest.capabilities) {
        line("asks for", &asked);
    }
    if let Some(tick) = manifest.tick {
        line("tick", &format!("{} ms", tick.as_millis()));
    }
    let needs = (manifest.needs.memory_mib, manifest.needs.timeout_ms);
    if let Some(mib) = needs.0 {
        line("needs", &format!("{mib} MiB of memory"));
    }
    if let Some(ms) = needs.1 {
        line("needs", &format!("{ms} ms for a call"));
    }
    text + &imports(found)
}

/// Capabilities, one a line.
fn asked(asked: &Capabilities) -> Vec<String> {
    let flags = [("log", asked.log), ("metrics", asked.metrics), ("records", asked.records), ("spans", asked.spans)];
    let named = [
        ("kv", &asked.kv),
        ("lookup", &asked.lookup),
        ("http-out", &asked.http_out),
        ("sinks", &asked.sinks),
        ("attributes", &asked.attributes),
    ];
    let flags = flags.into_iter().filter(|(_, asked)| *asked).map(|(name, _)| name.to_owned());
    let named = named.into_iter().filter(|(_, names)| !names.is_empty());
    flags.chain(named.map(|(name, names)| format!("{name} {}", names.join(", ")))).collect()
}

/// What it imports of the host, and which of that answers `denied`.
pub(super) fn imports(found: &Inspection) -> String {
    let (host, wasi): (Vec<_>, Vec<_>) = found.imports.iter().partition(|import| import.starts_with("weir:"));
    let mut text = String::new();
    for import in host {
        let denied = if found.unasked.contains(import) { "  (not asked for: answers `denied`)" } else { "" };
        let _ = writeln!(text, "imports  {import}{denied}");
    }
    if !wasi.is_empty() {
        let _ = writeln!(text, "imports  {} interfaces of wasi, all empty", wasi.len());
    }
    text
}

fn json(found: &Inspection, digest: &str, signature: Option<&str>) -> serde_json::Value {
    let manifest = &found.manifest;
    let typed = |input: &weir_adapters::Input| json!({"name": input.to_string(), "type": input.ty.name(), "optional": input.optional});
    json!({
        "name": &*manifest.name, "version": &*manifest.version, "description": manifest.description,
        "world": manifest.world.name(), "size": found.size, "sha256": digest, "signature": signature,
        "inputs": manifest.inputs.iter().map(typed).collect::<Vec<_>>(), "moreInputs": manifest.more_inputs,
        "outputs": manifest.outputs.iter().map(typed).collect::<Vec<_>>(),
        "tickMs": manifest.tick.map(|tick| tick.as_millis() as u64),
        "capabilities": manifest.capabilities, "needs": manifest.needs,
        "imports": found.imports, "unasked": found.unasked, "exports": found.exports,
        "configSchema": manifest.config_schema,
    })
}
