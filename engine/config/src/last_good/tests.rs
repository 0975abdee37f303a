use super::*;

fn sources(root: &str) -> Sources {
    Sources::in_memory(Path::new(root), [("a.yaml", "kind: A # é\n"), ("sub/b.yaml", "secret: CANARY\n")])
}

#[test]
fn what_is_saved_comes_back_with_its_version() {
    let dir = tempfile::tempdir().unwrap();
    let kept = LastGood::open(&dir.path().join("new/state")).unwrap();
    assert_eq!(kept.load(Path::new("/cfg")).unwrap(), None);
    kept.save(&sources("/cfg")).unwrap();
    assert_eq!(kept.load(Path::new("/cfg")).unwrap(), Some(sources("/cfg")));
    let newer = Sources::in_memory(Path::new("/cfg"), [("c.yaml", "x")]);
    kept.save(&newer).unwrap();
    assert_eq!(kept.load(Path::new("/cfg")).unwrap(), Some(newer));
    let left: Vec<_> = fs::read_dir(dir.path().join("new/state")).unwrap().collect();
    assert_eq!(left.len(), 1, "no temporary file stays");
}

#[test]
fn damage_is_reported_and_nothing_of_the_content_with_it() {
    let dir = tempfile::tempdir().unwrap();
    let kept = LastGood::open(dir.path()).unwrap();
    kept.save(&sources("/cfg")).unwrap();
    let good = fs::read_to_string(kept.path()).unwrap();
    for damaged in [
        good.replace("kind: A", "kind: B"),
        good.replace("a.yaml", "z.yaml"),
        good[..good.len() / 2].to_owned(),
        good.replace("\"schema\":1", "\"schema\":2"),
        good.replace("\"schema\":1", "\"schema\":\"CANARY\""),
        String::new(),
        "\0".repeat(100),
    ] {
        assert_ne!(damaged, good);
        fs::write(kept.path(), &damaged).unwrap();
        let error = kept.load(Path::new("/cfg")).unwrap_err();
        assert!(matches!(error, Error::Damaged { .. }), "{error}");
        assert!(!format!("{error} {error:?}").contains("CANARY"), "{error}");
    }
}

#[test]
fn the_configuration_of_another_folder_is_not_taken() {
    let dir = tempfile::tempdir().unwrap();
    let kept = LastGood::open(dir.path()).unwrap();
    kept.save(&sources("/one")).unwrap();
    assert!(matches!(kept.load(Path::new("/two")), Err(Error::Elsewhere { .. })));
}

#[cfg(unix)]
#[test]
fn only_the_owner_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let dir = tempfile::tempdir().unwrap();
    let kept = LastGood::open(&dir.path().join("state")).unwrap();
    kept.save(&sources("/cfg")).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&dir.path().join("state")), mode(&kept.path())), (0o700, 0o600));
}
