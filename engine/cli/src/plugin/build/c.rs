//! C: zig cc makes a core module of the plugin, the SDK and what is written from the manifest; it becomes a component here.

mod glue;

use std::path::Path;

use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

use super::finding;
use crate::failure::Failure;
use crate::plugin::project::Project;
use crate::plugin::toolchain::{c_cache, tool};
use crate::plugin::{Language, sdk};

/// How a plugin is compiled; the tools are set up with the same, so that the C library is built only once.
pub(in crate::plugin) const FLAGS: [&str; 9] = [
    "cc",
    "--target=wasm32-wasi",
    "-mexec-model=reactor",
    "-Os",
    "-std=gnu17",
    "-Wall",
    "-Wextra",
    "-s",
    "-Wl,-z,stack-size=131072",
];

pub(super) fn build(project: &Project, sdk: &Path) -> Result<Vec<u8>, Failure> {
    let mut zig = tool(Language::C).map_err(Failure::Unreachable)?;
    let failed = |e: std::io::Error| Failure::unreachable(format!("{}: {e}", project.root.display()));
    let root = project.root.canonicalize().map_err(failed)?;
    let (made, sdk) = (root.join(".weir"), sdk.canonicalize().map_err(failed)?);
    sdk::put(&made.join("include/plugin.h"), glue::header(&project.manifest).as_bytes()).map_err(failed)?;
    let module = made.join("plugin.core.wasm");
    zig.args(FLAGS).arg("-I").arg(made.join("include")).arg("-I").arg(sdk.join("c"));
    zig.arg("-o").arg(&module).arg(root.join("plugin.c")).arg(sdk.join("c/weir.c"));
    // Further sources, if the plugin has outgrown one file.
    let more =
        std::fs::read_dir(root.join("src")).into_iter().flatten().filter_map(Result::ok).map(|entry| entry.path());
    zig.args(more.filter(|file| file.extension().is_some_and(|end| end == "c")));
    zig.envs(c_cache()).current_dir(&root);
    let ended = zig.stdin(std::process::Stdio::null()).stdout(std::io::stderr()).status().map_err(failed)?;
    if !ended.success() {
        return Err(Failure::Finding);
    }
    let module = std::fs::read(&module).map_err(failed)?;
    component(module, &format!("{}-plugin", project.manifest.world)).map_err(finding)
}

/// The component of a core module that speaks the canonical ABI of a world in `sdk/wit`.
fn component(mut module: Vec<u8>, world: &str) -> Result<Vec<u8>, String> {
    if module.windows(22).any(|window| window == b"wasi_snapshot_preview1") {
        return Err(
            "plugin.c uses files, standard output or the environment, which plugins do not have; leave out printf and such, use weir_log"
                .to_owned(),
        );
    }
    let told = |e: &dyn std::fmt::Display| format!("the module is no plugin: {e:#}");
    let mut wit = String::new();
    for (name, text) in sdk::under("wit/").filter(|(name, _)| name.ends_with(".wit")) {
        let text = std::str::from_utf8(text).map_err(|e| told(&e))?;
        // One file may say the package only once.
        let body = text.split_once("package weir:plugin@1.0.0;").map_or(text, |(_, body)| body);
        wit.push_str(if name.is_empty() { "" } else { body });
    }
    let mut resolve = Resolve::default();
    let package = resolve.push_str("weir.wit", &format!("package weir:plugin@1.0.0;\n{wit}")).map_err(|e| told(&e))?;
    let world = resolve.select_world(&[package], Some(world)).map_err(|e| told(&e))?;
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).map_err(|e| told(&e))?;
    let encoder = ComponentEncoder::default().module(&module).map_err(|e| told(&e))?;
    encoder.validate(true).encode().map_err(|e| told(&e))
}
