//! Reads a component without running it: its manifest, what it wants from the host, what it gives.

use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload, Validator};

use weir_manifest::{Capabilities, SECTION, World};

use crate::{COMPONENT_BYTES_MAX, Error, MANIFEST_BYTES_MAX, Manifest};

/// Interfaces of `weir:plugin` that this host has.
const INTERFACES: [&str; 10] =
    ["types", "attributes", "log", "metrics", "records", "spans", "kv", "lookup", "http-out", "sinks"];

/// What can be known of a plugin without running it.
#[derive(Clone, Debug)]
pub struct Inspection {
    /// What it says about itself.
    pub manifest: Manifest,
    /// Everything that it imports, `weir:plugin/log@1.0.0` for instance.
    pub imports: Vec<String>,
    /// What it imports of `weir:plugin` without asking for it: those functions answer `denied`.
    pub unasked: Vec<String>,
    /// The interfaces that it exports.
    pub exports: Vec<String>,
    /// Bytes of the component.
    pub size: usize,
}

/// Reads the manifest of a component, after checking that it is one and that this host can run it.
///
/// # Errors
/// Everything that [`crate::Host::load`] refuses before it compiles: each error names an offset, a section, an import or an
/// export.
pub fn inspect(wasm: &[u8], origin: &str) -> Result<Inspection, Error> {
    is_component(wasm, origin)?;
    let malformed = |e: wasmparser::BinaryReaderError| Error::Malformed {
        origin: origin.to_owned(),
        message: format!("{} (at offset 0x{:x})", e.message(), e.offset()),
    };
    Validator::new().validate_all(wasm).map_err(malformed)?;
    let outline = outline(wasm).map_err(malformed)?;
    let bad = |message: String| Error::Manifest { origin: origin.to_owned(), message };
    let manifest = match outline.sections.as_slice() {
        [] => return Err(Error::NoManifest { origin: origin.to_owned() }),
        [section] if section.len() <= MANIFEST_BYTES_MAX => Manifest::parse(section).map_err(bad)?,
        [section] => return Err(bad(format!("{} bytes, the limit is {MANIFEST_BYTES_MAX}", section.len()))),
        more => return Err(bad(format!("there are {} of them; link only one plugin into a component", more.len()))),
    };
    for import in &outline.imports {
        known_import(import).map_err(|message| Error::Import {
            origin: origin.to_owned(),
            import: (*import).to_owned(),
            message,
        })?;
    }
    demanded_exports(&outline.exports, manifest.world, origin)?;
    let owned = |names: &[&str]| names.iter().map(ToString::to_string).collect();
    let unasked = outline.imports.iter().filter(|import| !is_asked(import, &manifest.capabilities));
    Ok(Inspection {
        imports: owned(&outline.imports),
        unasked: unasked.map(ToString::to_string).collect(),
        exports: owned(&outline.exports),
        size: wasm.len(),
        manifest,
    })
}

/// Whether the manifest asks for what is imported; wasi and what is only types is everybody's.
fn is_asked(import: &str, asked: &Capabilities) -> bool {
    let name = import.strip_prefix("weir:plugin/").and_then(|rest| rest.split('@').next());
    match name {
        Some("log") => asked.log,
        Some("metrics") => asked.metrics,
        Some("records") => asked.records,
        Some("spans") => asked.spans,
        Some("kv") => !asked.kv.is_empty(),
        Some("lookup") => !asked.lookup.is_empty(),
        Some("http-out") => !asked.http_out.is_empty(),
        Some("sinks") => !asked.sinks.is_empty(),
        _ => true,
    }
}

struct Outline<'a> {
    sections: Vec<&'a [u8]>,
    imports: Vec<&'a str>,
    exports: Vec<&'a str>,
}

fn is_component(wasm: &[u8], origin: &str) -> Result<(), Error> {
    if wasm.len() > COMPONENT_BYTES_MAX {
        let (bytes, limit) = (wasm.len(), COMPONENT_BYTES_MAX);
        return Err(Error::TooLarge { origin: origin.to_owned(), bytes, limit });
    }
    if !wasm.starts_with(b"\0asm") {
        let found = match wasm.first_chunk::<8>() {
            None if wasm.is_empty() => "nothing: the file is empty".to_owned(),
            _ if wasm.starts_with(b"(") => "text, perhaps the WebAssembly text format".to_owned(),
            _ => format!("the bytes {:02x?}", wasm.get(..8.min(wasm.len())).unwrap_or_default()),
        };
        return Err(Error::NotWasm { origin: origin.to_owned(), found });
    }
    if wasm.get(4..8) == Some(&[1, 0, 0, 0]) {
        return Err(Error::CoreModule { origin: origin.to_owned() });
    }
    Ok(())
}

/// What stands at the top of the component; the manifest also when it is in a core module inside.
fn outline(wasm: &[u8]) -> Result<Outline<'_>, wasmparser::BinaryReaderError> {
    let mut outline = Outline { sections: Vec::new(), imports: Vec::new(), exports: Vec::new() };
    let mut depth = 0usize;
    for payload in Parser::new(0).parse_all(wasm) {
        match payload? {
            Payload::Version { encoding: Encoding::Component | Encoding::Module, .. } => depth += 1,
            Payload::End(_) => depth = depth.saturating_sub(1),
            Payload::CustomSection(section) if section.name() == SECTION => outline.sections.push(section.data()),
            Payload::ComponentImportSection(imports) if depth == 1 => {
                for import in imports {
                    outline.imports.push(import?.name.name);
                }
            }
            Payload::ComponentExportSection(exports) if depth == 1 => {
                for export in exports {
                    let export = export?;
                    if export.kind == ComponentExternalKind::Instance {
                        outline.exports.push(export.name.name);
                    }
                }
            }
            _ => {}
        }
    }
    Ok(outline)
}

fn known_import(import: &str) -> Result<(), String> {
    if import.starts_with("wasi:") {
        return Ok(());
    }
    let Some(rest) = import.strip_prefix("weir:plugin/") else {
        return Err("unknown to this host, which has weir:plugin and an empty wasi; leave out what imports it".into());
    };
    let (name, version) = rest.split_once('@').unwrap_or((rest, ""));
    if !is_spoken(version) {
        return Err(format!("this host speaks weir:plugin@1, the plugin {version}; build it with this host's SDK"));
    }
    match INTERFACES.contains(&name) {
        true => Ok(()),
        false => {
            Err("this host's weir:plugin@1 has no such interface; update weir, or build the plugin with its SDK".into())
        }
    }
}

/// Versions of the major that the host has; what a later minor added and this host lacks is found missing when it is linked.
fn is_spoken(version: &str) -> bool {
    let number = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    let mut parts = version.split('.');
    parts.next() == Some("1") && parts.clone().count() == 2 && parts.all(number)
}

fn demanded_exports(exports: &[&str], world: World, origin: &str) -> Result<(), Error> {
    let call = match world {
        World::Check => "weir:plugin/check",
        World::Enrich => "weir:plugin/enrich",
        World::Report => "weir:plugin/report",
    };
    for demanded in ["weir:plugin/lifecycle", call] {
        let there = exports.iter().filter_map(|name| name.split_once('@'));
        if !there.into_iter().any(|(name, version)| name == demanded && is_spoken(version)) {
            let found = match exports {
                [] => "no exported interface".to_owned(),
                some => some.join(", "),
            };
            return Err(Error::Export { origin: origin.to_owned(), export: demanded, world, found });
        }
    }
    Ok(())
}
