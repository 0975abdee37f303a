//! The plugins that ship with Weir: each passes the golden cases beside it, in the engine's own host.

use std::path::PathBuf;
use std::process::Command;

use weir_tests::repository;

/// The folders of all but the one that misbehaves for the tests of engine/adapters.
fn plugins() -> Vec<PathBuf> {
    let folder = repository::root().join("plugins");
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut plugins: Vec<_> = entries.filter(|path| path.join("weir-plugin.toml").exists()).collect();
    plugins.retain(|path| !path.ends_with("misbehave"));
    plugins.sort();
    plugins
}

#[test]
fn each_plugin_passes_its_golden_cases() {
    let plugins = plugins();
    assert!(plugins.len() >= 14, "{plugins:?}");
    for plugin in plugins {
        let mut weir = Command::new(repository::weir().unwrap());
        weir.args(["plugin", "test"]).arg(&plugin);
        // As `make plugins` built them: nothing is built again.
        weir.env("CARGO_TARGET_DIR", repository::target().join("plugins"));
        let output = weir.output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complaints = String::from_utf8_lossy(&output.stderr);
        let well = output.status.success() && said.contains(" passed, 0 failed");
        assert!(well, "{}: {}\n{said}{complaints}", plugin.display(), output.status);
    }
}

#[test]
fn each_plugin_is_told_of_in_its_readme() {
    for plugin in plugins() {
        let name = plugin.file_name().unwrap().to_str().unwrap();
        let text = std::fs::read_to_string(plugin.join("README.md")).unwrap();
        assert!(text.starts_with(&format!("# {name}\n")), "{name}");
    }
}
