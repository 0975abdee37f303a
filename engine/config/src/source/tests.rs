use std::fs;
use std::path::Path;

use super::*;

fn write(dir: &Path, name: &str, text: impl AsRef<[u8]>) {
    let path = dir.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

fn paths(sources: &Sources) -> Vec<&str> {
    sources.files().iter().map(|f| f.path.as_str()).collect()
}

fn messages(sources: &Sources) -> Vec<String> {
    let root = sources.root().display().to_string();
    sources.problems().iter().map(|d| d.to_string().replace(&root, "DIR")).collect()
}

#[test]
fn only_our_endings_are_read_in_all_sub_folders_and_hidden_names_are_not() {
    let dir = tempfile::tempdir().unwrap();
    for name in
        ["b.yaml", "a.yml", "c.JSON", "sub/deep/d.yaml", ".hidden.yaml", "..data/x.yaml", "e.yaml.bak", "f.txt", "yaml"]
    {
        write(dir.path(), name, name);
    }
    let sources = Sources::read(dir.path());
    assert_eq!(paths(&sources), ["a.yml", "b.yaml", "c.JSON", "sub/deep/d.yaml"]);
    assert!(sources.problems().is_empty(), "{}", sources.problems());
    assert_eq!(&*sources.files()[0].text, "a.yml");
}

#[test]
fn equal_content_has_an_equal_version_wherever_it_lies() {
    let (one, two) = (tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap());
    write(one.path(), "a.yaml", "x");
    write(two.path(), "a.yaml", "x");
    let version = Sources::read(one.path()).version().clone();
    assert_eq!(&version, Sources::read(two.path()).version());
    assert_eq!(version.as_str().len(), 12);
    assert_eq!(version.digest().len(), 64);
    assert!(version.digest().starts_with(version.as_str()));
    write(two.path(), "a.yaml", "y");
    assert_ne!(&version, Sources::read(two.path()).version());
    fs::rename(two.path().join("a.yaml"), two.path().join("b.yaml")).unwrap();
    write(two.path(), "b.yaml", "x");
    assert_ne!(&version, Sources::read(two.path()).version(), "the name is content: it is in the errors");
}

#[test]
fn a_byte_order_mark_is_not_content() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.yaml", "\u{feff}kind: X");
    assert_eq!(&*Sources::read(dir.path()).files()[0].text, "kind: X");
}

#[test]
fn text_that_is_not_utf8_is_refused_with_line_and_column() {
    let dir = tempfile::tempdir().unwrap();
    write(dir.path(), "a.yaml", b"kind: X\nname: caf\xe9\n");
    let sources = Sources::read(dir.path());
    assert_eq!(
        messages(&sources),
        ["DIR/a.yaml:2:10: the file is not UTF-8: byte 0xe9 at offset 17 (save the file as UTF-8)"]
    );
}

#[test]
fn a_missing_folder_is_gone_and_a_file_is_no_folder() {
    let dir = tempfile::tempdir().unwrap();
    let gone = Sources::read(&dir.path().join("none"));
    assert!(gone.is_gone());
    assert!(messages(&gone)[0].contains("there is no such folder"), "{:?}", messages(&gone));
    write(dir.path(), "file", "");
    let file = Sources::read(&dir.path().join("file"));
    assert!(!file.is_gone());
    assert!(messages(&file)[0].contains("is not a folder"), "{:?}", messages(&file));
}

#[test]
fn a_file_over_the_limit_is_refused_unread() {
    let dir = tempfile::tempdir().unwrap();
    let file = fs::File::create(dir.path().join("big.yaml")).unwrap();
    // Sparse: 1 GiB would be slow to read, which is the point.
    file.set_len(1 << 30).unwrap();
    let started = std::time::Instant::now();
    let sources = Sources::read(dir.path());
    assert!(
        messages(&sources)[0].contains("too large: 1073741824 bytes, at most 10485760 (10 MiB)"),
        "{:?}",
        messages(&sources)
    );
    assert!(started.elapsed().as_millis() < 500);
}

#[cfg(unix)]
mod unix {
    use std::os::unix::fs::symlink;
    use std::os::unix::net::UnixListener;

    use super::*;

    #[test]
    fn a_config_map_volume_is_read_through_its_links() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "..2024/a.yaml", "old");
        write(dir.path(), "..2025/a.yaml", "new");
        symlink("..2024", dir.path().join("..data")).unwrap();
        symlink("..data/a.yaml", dir.path().join("a.yaml")).unwrap();
        let old = Sources::read(dir.path());
        symlink("..2025", dir.path().join("..data_tmp")).unwrap();
        fs::rename(dir.path().join("..data_tmp"), dir.path().join("..data")).unwrap();
        let new = Sources::read(dir.path());
        assert_eq!((paths(&old), paths(&new)), (vec!["a.yaml"], vec!["a.yaml"]));
        assert_eq!((&*old.files()[0].text, &*new.files()[0].text), ("old", "new"));
        assert_ne!(old.version(), new.version());
    }

    #[test]
    fn a_link_back_up_and_a_link_to_nowhere_are_errors() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "sub/a.yaml", "x");
        symlink("..", dir.path().join("sub/loop")).unwrap();
        symlink("self.yaml", dir.path().join("self.yaml")).unwrap();
        symlink("none", dir.path().join("dangling.yaml")).unwrap();
        symlink("none", dir.path().join("dangling.lock")).unwrap();
        let sources = Sources::read(dir.path());
        assert_eq!(paths(&sources), ["sub/a.yaml"]);
        let messages = messages(&sources);
        assert_eq!(messages.len(), 3, "{messages:?}");
        assert!(messages[0].starts_with("DIR/dangling.yaml: cannot be read: entity not found"), "{messages:?}");
        assert!(messages[1].starts_with("DIR/self.yaml: cannot be read"), "{messages:?}");
        assert!(messages[2].starts_with("DIR/sub/loop: the symbolic link leads back"), "{messages:?}");
    }

    #[test]
    fn sockets_are_ignored_whatever_their_name() {
        let dir = tempfile::tempdir().unwrap();
        write(dir.path(), "a.yaml", "x");
        let _socket = UnixListener::bind(dir.path().join("s.yaml")).unwrap();
        let sources = Sources::read(dir.path());
        assert_eq!(paths(&sources), ["a.yaml"]);
        assert!(sources.problems().is_empty());
    }
}
