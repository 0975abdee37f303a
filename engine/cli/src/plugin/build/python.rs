//! Python: CPython, the SDK, the source and an entry that is written from the manifest, in one component.

use std::fmt::Write as _;
use std::path::Path;

use weir_manifest::{Input, Manifest, Type, World};

use super::js::world;
use crate::failure::Failure;
use crate::plugin::project::{Project, ident};
use crate::plugin::toolchain::tool;
use crate::plugin::{Language, sdk};

pub(super) fn build(project: &Project, sdk: &Path) -> Result<Vec<u8>, Failure> {
    let mut componentize = tool(Language::Py).map_err(Failure::Unreachable)?;
    let failed = |e: std::io::Error| Failure::unreachable(format!("{}: {e}", project.root.display()));
    let root = project.root.canonicalize().map_err(failed)?;
    let made = root.join(".weir");
    let (wit, python) = (made.join("wit"), made.join("python"));
    world(project, &wit).map_err(failed)?;
    sdk::put(&python.join("weir_inputs.py"), inputs(&project.manifest).as_bytes()).map_err(failed)?;
    sdk::put(&python.join("entry.py"), entry(project.manifest.world).as_bytes()).map_err(failed)?;
    let output = made.join("plugin.wasm");
    componentize.arg("-d").arg(&wit).args(["-w", "plugin", "-q", "componentize", "entry"]);
    for path in [&python, &sdk.canonicalize().map_err(failed)?.join("python"), &root] {
        componentize.arg("-p").arg(path);
    }
    componentize.arg("-o").arg(&output).current_dir(&root);
    let ended = componentize.stdin(std::process::Stdio::null()).stdout(std::io::stderr()).status().map_err(failed)?;
    if !ended.success() {
        return Err(Failure::Finding);
    }
    std::fs::read(&output).map_err(failed)
}

/// The dataclasses of the inputs and outputs.
fn inputs(manifest: &Manifest) -> String {
    let mut text = String::from(
        "# Written by `weir plugin build` from weir-plugin.toml: do not edit.\nfrom __future__ import annotations\n\nfrom dataclasses import dataclass, field\nfrom typing import TYPE_CHECKING, Any, Dict, List, Optional\n\nif TYPE_CHECKING:\n    import weir\n\n\n@dataclass\nclass Inputs:\n    \"\"\"What the manifest asks for, of one request.\"\"\"\n\n",
    );
    let names =
        |inputs: &[Input]| inputs.iter().map(|input| format!("{:?}", ident(input))).collect::<Vec<_>>().join(", ");
    for input in &manifest.inputs {
        let ty = if input.optional { format!("Optional[{}]", python(input.ty)) } else { python(input.ty).to_owned() };
        let _ = writeln!(text, "    {}: {ty}  # {input}", ident(input));
    }
    text.push_str("    bound: Dict[str, Any] = field(default_factory=dict)  # what the operator bound beyond these\n");
    text.push_str("\n\n@dataclass\nclass Outputs:\n    \"\"\"What the manifest promises to find out.\"\"\"\n\n");
    for output in &manifest.outputs {
        let _ = writeln!(text, "    {}: Optional[{}] = None  # {output}", ident(output), python(output.ty));
    }
    let _ = writeln!(text, "\n\nINPUTS = [{}]\nOUTPUTS = [{}]", names(&manifest.inputs), names(&manifest.outputs));
    text
}

fn python(ty: Type) -> &'static str {
    match ty {
        Type::String => "str",
        Type::Int => "int",
        Type::Double => "float",
        Type::Bool => "bool",
        Type::Bytes => "bytes",
        Type::Timestamp => "weir.Timestamp",
        Type::Duration => "weir.Duration",
        Type::Map | Type::ListMap | Type::Struct => "weir.Pairs",
        Type::List => "List[str]",
    }
}

/// The module that the component is made of: its classes are the interfaces.
fn entry(world: World) -> String {
    let (class, module) = match world {
        World::Check => (CHECK, "from wit_world.exports import check as _check\n"),
        World::Enrich => (ENRICH, ""),
        World::Report => (REPORT, ""),
    };
    format!(
        "# Written by `weir plugin build`: do not edit.\nimport plugin as _source\nimport weir as _weir\n{module}{LIFE}{class}"
    )
}

const LIFE: &str = "
_plugin = _source.Plugin()


class Lifecycle:
    def configure(self, setup):
        _weir.guarded(lambda: _weir.configure(_plugin, setup))

    def self_test(self):
        _weir.guarded(_plugin.self_test)

    def tick(self):
        _weir.guarded(_plugin.tick)

    def drain(self):
        _weir.guarded(_plugin.drain)
";

const CHECK: &str = "

class Check:
    def check(self, inputs, request):
        return _weir.guarded(
            lambda: _weir.verdict(_plugin.check(_weir.read(inputs), _weir.Request(request)), _check)
        )
";

const ENRICH: &str = "

class Enrich:
    def enrich(self, inputs, request):
        return _weir.guarded(lambda: _weir.found(_plugin.enrich(_weir.read(inputs), _weir.Request(request))))
";

const REPORT: &str = "

class Report:
    def report(self, rows):
        _weir.guarded(lambda: _plugin.report(_weir.rows(rows)))
";
