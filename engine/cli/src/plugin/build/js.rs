//! JavaScript: QuickJS, the SDK, the source and an entry that is written from the manifest, in one component.

mod borrow;

use std::fmt::Write as _;
use std::path::Path;

use serde_json::json;
use weir_manifest::{Capabilities, Input, Manifest, Type, World};

use super::finding;
use crate::failure::Failure;
use crate::plugin::project::{Project, ident};
use crate::plugin::toolchain::tool;
use crate::plugin::{Language, sdk};
use crate::terminal::tell;

pub(super) fn build(project: &Project) -> Result<Vec<u8>, Failure> {
    let mut componentize = tool(Language::Js).map_err(Failure::Unreachable)?;
    let failed = |e: std::io::Error| Failure::unreachable(format!("{}: {e}", project.root.display()));
    prepare(project).map_err(failed)?;
    let root = project.root.canonicalize().map_err(failed)?;
    let made = root.join(".weir");
    let wit = made.join("wit");
    world(project, &wit).map_err(failed)?;
    let entry = made.join("entry.js");
    sdk::put(&entry, self::entry(&project.manifest).as_bytes()).map_err(failed)?;
    let output = made.join("plugin.wasm");
    // Without async: the host waits for nothing inside a component.
    componentize.args(["--sync", "--world", "plugin", "--wit"]).arg(&wit).arg("--js").arg(&entry);
    componentize.arg("--module-root").arg(&root).arg("--output").arg(&output).current_dir(&root);
    let ended = componentize.stdin(std::process::Stdio::null()).output().map_err(failed)?;
    if !ended.status.success() {
        // What it says of a build that went well says nothing.
        tell(&format!("{}{}", String::from_utf8_lossy(&ended.stdout), String::from_utf8_lossy(&ended.stderr)));
        return Err(Failure::Finding);
    }
    let component = std::fs::read(&output).map_err(failed)?;
    match project.manifest.world {
        World::Report => Ok(component),
        world => borrow::given_back(&component, &format!("weir:plugin/{world}@1.0.0#{world}")).ok_or_else(|| {
            finding("componentize-qjs made another component than this weir knows; run weir plugin setup --lang js")
        }),
    }
}

/// Writes the package that `import ... from "weir"` finds, with the types of the inputs, for the build and for editors.
pub(in crate::plugin) fn prepare(project: &Project) -> std::io::Result<()> {
    let package = project.root.join("node_modules/weir");
    for (name, bytes) in sdk::under("js/") {
        sdk::put(&package.join(name), bytes)?;
    }
    sdk::put(&package.join("inputs.d.ts"), types(&project.manifest).as_bytes())
}

/// The WIT of a world with what the manifest asks for and no more, so that nothing else is imported.
pub(super) fn world(project: &Project, to: &Path) -> std::io::Result<()> {
    for (name, bytes) in sdk::under("wit/").filter(|(name, _)| name.ends_with(".wit")) {
        sdk::put(&to.join("deps/weir").join(name), bytes)?;
    }
    let mut text = "package weir:made;\n\nworld plugin {\n".to_owned();
    for interface in asked(&project.manifest.capabilities) {
        let _ = writeln!(text, "    import weir:plugin/{interface}@1.0.0;");
    }
    let own = project.manifest.world;
    let _ = writeln!(text, "    export weir:plugin/lifecycle@1.0.0;\n    export weir:plugin/{own}@1.0.0;\n}}");
    sdk::put(&to.join("plugin.wit"), text.as_bytes())
}

/// The interfaces that a plugin asks for.
fn asked(asked: &Capabilities) -> Vec<&'static str> {
    let all = [
        ("log", asked.log),
        ("metrics", asked.metrics),
        ("records", asked.records),
        ("spans", asked.spans),
        ("kv", !asked.kv.is_empty()),
        ("lookup", !asked.lookup.is_empty()),
        ("http-out", !asked.http_out.is_empty()),
        ("sinks", !asked.sinks.is_empty()),
    ];
    all.into_iter().filter(|(_, asked)| *asked).map(|(name, _)| name).collect()
}

/// The module that the component is made of.
fn entry(manifest: &Manifest) -> String {
    let mut text = "// Written by `weir plugin build` from weir-plugin.toml: do not edit.\n".to_owned();
    let asked = asked(&manifest.capabilities);
    let variable = |interface: &str| format!("host_{}", interface.replace('-', "_"));
    for interface in &asked {
        let _ = writeln!(text, "import {} from \"weir:plugin/{interface}@1.0.0\";", variable(interface));
    }
    text.push_str("import plugin from \"../plugin.js\";\nimport { start } from \"weir\";\n\n");
    let functions: Vec<_> = asked.iter().map(|interface| format!("{interface:?}: {}", variable(interface))).collect();
    let names = json!({
        "inputs": manifest.inputs.iter().map(ident).collect::<Vec<_>>(),
        "outputs": manifest.outputs.iter().map(ident).collect::<Vec<_>>(),
    });
    let world = manifest.world;
    let _ = writeln!(text, "const started = start(plugin, \"{world}\", {{{}}}, {names});", functions.join(", "));
    let _ = writeln!(text, "export const lifecycle = started.lifecycle;\nexport const {world} = started.{world};");
    text
}

/// Types of the inputs and outputs.
fn types(manifest: &Manifest) -> String {
    let mut text = "// Written by `weir plugin build` from weir-plugin.toml: do not edit.\n".to_owned();
    text.push_str("import type { Duration, Pairs, Timestamp } from \"./index\";\n");
    let field = |text: &mut String, input: &Input| {
        let absent = if input.optional { " | null" } else { "" };
        let _ = writeln!(text, "  /** `{input}` */\n  {}: {}{absent};", ident(input), typescript(input.ty));
    };
    text.push_str("export interface Inputs {\n");
    manifest.inputs.iter().for_each(|input| field(&mut text, input));
    text.push_str("  /** What the operator bound beyond these. */\n  bound: Record<string, any>;\n}\nexport interface Outputs {\n");
    if manifest.world == World::Enrich {
        manifest.outputs.iter().for_each(|output| field(&mut text, output));
    }
    text.push_str("}\n");
    text
}

fn typescript(ty: Type) -> &'static str {
    match ty {
        Type::String => "string",
        Type::Int | Type::Double => "number",
        Type::Bool => "boolean",
        Type::Bytes => "Uint8Array",
        Type::Timestamp => "Timestamp",
        Type::Duration => "Duration",
        Type::Map | Type::ListMap | Type::Struct => "Pairs",
        Type::List => "string[]",
    }
}
