//! Builds the plugins once and loads them.

use std::path::PathBuf;
use std::process::Command;
use std::sync::OnceLock;

use bytes::Bytes;
use serde_json::Value as Json;
use weir_adapters::{Adapter, AdapterSpec, Error, Grants, Host, HostOptions, Limits};

const BUILD: &str = "cargo build --release --target wasm32-wasip2 --manifest-path plugins/Cargo.toml --target-dir target/plugins --workspace";

/// The component of one of our plugins, `deny-list` for instance.
pub(crate) fn wasm(name: &str) -> Bytes {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let folder = BUILT.get_or_init(|| {
        let root = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../..");
        let mut words = BUILD.split(' ');
        let status = Command::new(words.next().unwrap()).args(words).arg("--quiet").current_dir(&root).status();
        assert!(status.is_ok_and(|status| status.success()), "building the plugins failed; run: {BUILD}");
        root.join("target/plugins/wasm32-wasip2/release")
    });
    std::fs::read(folder.join(format!("{}.wasm", name.replace('-', "_")))).unwrap().into()
}

/// A host whose cache is kept from test to test, so that each plugin is compiled once.
pub(crate) fn host() -> Host {
    let cache_dir = Some(PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("cwasm"));
    Host::new(HostOptions { cache_dir, mask_key: Some([7; 32]), outlet: None, fuel: false }).unwrap()
}

pub(crate) fn spec(plugin: &str, config: Json) -> AdapterSpec {
    AdapterSpec {
        wasm: wasm(plugin),
        origin: format!("{plugin}.wasm"),
        config,
        // What is tested here fails on purpose, and again at once.
        limits: Limits { instances: 2, breaker: false, ..Limits::generous() },
        grants: Grants::telemetry(),
        bindings: Vec::new(),
        condition: None,
    }
}

pub(crate) async fn load(plugin: &str, config: Json) -> Result<Adapter, Error> {
    host().load(&format!("test-{plugin}"), spec(plugin, config)).await
}
