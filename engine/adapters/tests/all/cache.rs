//! Compiled modules on disk.

use std::path::{Path, PathBuf};

use serde_json::json;
use weir_adapters::{Adapter, Error, Host, HostOptions};
use weir_attributes::Bag;

use crate::guests::spec;

async fn load(folder: &Path) -> Result<Adapter, Error> {
    let host = Host::new(HostOptions { cache_dir: Some(folder.to_owned()), ..HostOptions::default() })?;
    host.load("test-deny-list", spec("deny-list", json!({"attribute": "source.ip", "list": []}))).await
}

fn modules(folder: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    entries.filter(|path| path.extension().is_some_and(|extension| extension == "cwasm")).collect()
}

#[tokio::test]
async fn a_module_is_compiled_once_and_a_tampered_one_again() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("cwasm");
    load(&folder).await.unwrap();
    let files = modules(&folder);
    assert_eq!(files.len(), 1);
    let sealed = std::fs::read(&files[0]).unwrap();

    let age = |path: &Path| std::fs::metadata(path).unwrap().modified().unwrap();
    let first = age(&files[0]);
    load(&folder).await.unwrap();
    assert_eq!(age(&files[0]), first, "it was compiled again");

    let mut flipped = sealed.clone();
    *flipped.last_mut().unwrap() ^= 1;
    let no_seal = sealed[32..].to_vec();
    for tampered in [flipped, no_seal, sealed[..40].to_vec(), Vec::new()] {
        std::fs::write(&files[0], &tampered).unwrap();
        let adapter = load(&folder).await.unwrap();
        adapter.check(&Bag::default()).await.unwrap();
        assert_eq!(std::fs::read(&files[0]).unwrap().len(), sealed.len(), "the tampered file is still there");
        assert_ne!(std::fs::read(&files[0]).unwrap(), tampered);
    }
}

#[tokio::test]
async fn a_seal_is_good_for_one_name_and_one_key() {
    let temp = tempfile::tempdir().unwrap();
    let folder = temp.path().join("cwasm");
    load(&folder).await.unwrap();
    let file = modules(&folder).remove(0);
    let sealed = std::fs::read(&file).unwrap();
    // Under another key the same bytes are worth nothing.
    std::fs::remove_file(folder.join("key")).unwrap();
    load(&folder).await.unwrap();
    assert_ne!(std::fs::read(&file).unwrap()[..32], sealed[..32]);
}

#[cfg(unix)]
#[tokio::test]
async fn the_folder_and_its_key_are_the_owners_alone() {
    use std::os::unix::fs::PermissionsExt;
    let temp = tempfile::tempdir().unwrap();
    std::fs::set_permissions(temp.path(), std::fs::Permissions::from_mode(0o755)).unwrap();
    Host::new(HostOptions { cache_dir: Some(temp.path().to_owned()), ..HostOptions::default() }).unwrap();
    let mode = |path: &Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(temp.path()), mode(&temp.path().join("key"))), (0o700, 0o600));
    let file = temp.path().join("file");
    std::fs::write(&file, "").unwrap();
    let error = Host::new(HostOptions { cache_dir: Some(file), ..HostOptions::default() }).unwrap_err();
    assert!(matches!(error, Error::Cache { .. }), "{error}");
}
