//! Reads a component without running it: its manifest, what it wants from the host, what it gives.

use wasmparser::{ComponentExternalKind, Encoding, Parser, Payload, Validator};

use crate::{COMPONENT_BYTES_MAX, Error, MANIFEST_BYTES_MAX, Manifest, World};

/// The custom section that holds the manifest.
const SECTION: &str = "weir:manifest";
/// Interfaces of `weir:plugin` that this host has, for both worlds and for report alone.
const INTERFACES: [&str; 2] = ["types", "log"];
const REPORT_INTERFACES: [&str; 4] = ["fields", "records", "metrics", "spans"];

/// Reads the manifest of a component, after checking that it is one and that this host can run it.
///
/// # Errors
/// Everything that [`crate::Host::load`] refuses before it compiles: each error names an offset, a section, an import or an
/// export.
pub fn inspect(wasm: &[u8], origin: &str) -> Result<Manifest, Error> {
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
        known_import(import, manifest.world).map_err(|message| Error::Import {
            origin: origin.to_owned(),
            import: (*import).to_owned(),
            message,
        })?;
    }
    demanded_exports(&outline.exports, manifest.world, origin)?;
    Ok(manifest)
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

fn known_import(import: &str, world: World) -> Result<(), String> {
    if import.starts_with("wasi:") {
        return Ok(());
    }
    let Some(rest) = import.strip_prefix("weir:plugin/") else {
        return Err("unknown to this host, which has weir:plugin and an empty wasi; leave out what imports it".into());
    };
    let (name, version) = rest.split_once('@').unwrap_or((rest, ""));
    if !is_spoken(version) {
        return Err(format!("this host speaks weir:plugin@0.1, the plugin {version}; build it with this host's SDK"));
    }
    if INTERFACES.contains(&name) || (world == World::Report && REPORT_INTERFACES.contains(&name)) {
        return Ok(());
    }
    Err(match REPORT_INTERFACES.contains(&name) {
        true => "only report plugins have it, and the manifest's world is check".into(),
        false => "there is no such interface in weir:plugin@0.1; build the plugin with this host's SDK".into(),
    })
}

/// Versions that are compatible with the host's, 0.1.0, under semver.
fn is_spoken(version: &str) -> bool {
    version.strip_prefix("0.1.").is_some_and(|patch| !patch.is_empty() && patch.bytes().all(|b| b.is_ascii_digit()))
}

fn demanded_exports(exports: &[&str], world: World, origin: &str) -> Result<(), Error> {
    let call = match world {
        World::Check => "weir:plugin/check",
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
