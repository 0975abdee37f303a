//! The walk over a folder on the disk, bounded in every direction.

use std::fs::{self, File, Metadata};
use std::io::{self, Read};
use std::path::Path;

use super::SourceFile;
use crate::diagnostic::Diagnostic;
use crate::limits::{MAX_ENTRIES, MAX_FILE_BYTES, MAX_FILES, MAX_FOLDER_DEPTH, MAX_TOTAL_BYTES};

/// What the walk found.
#[derive(Default)]
pub(super) struct Walk {
    pub(super) files: Vec<SourceFile>,
    pub(super) problems: Vec<Diagnostic>,
    pub(super) gone: bool,
    bytes: u64,
    entries: usize,
    full: bool,
}

pub(super) fn read(dir: &Path) -> Walk {
    let mut walk = Walk::default();
    match fs::metadata(dir) {
        Ok(metadata) if metadata.is_dir() => walk.folder(dir, "", &mut vec![identity(dir, &metadata)]),
        Ok(_) => walk.problem(dir, "is not a folder", "give the folder that holds the YAML files"),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            walk.gone = true;
            walk.problem(dir, "there is no such folder", "create it, or give the folder that holds the YAML files");
        }
        Err(error) => walk.unreadable(dir, &error),
    }
    walk
}

impl Walk {
    /// Reads `dir`, whose path inside the configuration is `prefix`; `above` are the folders it is in, itself included.
    fn folder(&mut self, dir: &Path, prefix: &str, above: &mut Vec<Identity>) {
        let entries = match fs::read_dir(dir) {
            Ok(entries) => entries,
            Err(error) => return self.unreadable(dir, &error),
        };
        for entry in entries {
            self.entries += 1;
            if self.full || self.entries > MAX_ENTRIES {
                return self.overflow(dir, &format!("more than {MAX_ENTRIES} entries"));
            }
            match entry {
                Ok(entry) => self.entry(&entry.path(), prefix, above),
                Err(error) => return self.unreadable(dir, &error),
            }
        }
    }

    fn entry(&mut self, path: &Path, prefix: &str, above: &mut Vec<Identity>) {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if name.starts_with('.') {
            return;
        }
        let inner = if prefix.is_empty() { name.to_string() } else { format!("{prefix}/{name}") };
        let metadata = match fs::metadata(path) {
            Ok(metadata) => metadata,
            // An editor's lock link or a file renamed away under us is nothing to us unless it claims to be YAML.
            Err(error) if has_our_ending(&name) => return self.unreadable(path, &error),
            Err(_) => return,
        };
        if metadata.is_dir() {
            self.sub_folder(path, &inner, &metadata, above);
        } else if metadata.is_file() && has_our_ending(&name) {
            self.file(path, inner, &metadata);
        }
    }

    fn sub_folder(&mut self, path: &Path, inner: &str, metadata: &Metadata, above: &mut Vec<Identity>) {
        let identity = identity(path, metadata);
        if above.contains(&identity) {
            return self.problem(
                path,
                "the symbolic link leads back to a folder that it is in",
                "remove the link, or give it a name that begins with a dot",
            );
        }
        if above.len() > MAX_FOLDER_DEPTH {
            return self.problem(
                path,
                &format!("more than {MAX_FOLDER_DEPTH} folders inside each other"),
                "put it higher up",
            );
        }
        above.push(identity);
        self.folder(path, inner, above);
        above.pop();
    }

    fn file(&mut self, path: &Path, inner: String, metadata: &Metadata) {
        if metadata.len() > MAX_FILE_BYTES {
            return self.problem(
                path,
                &too_large(metadata.len()),
                "split it: each document may be in a file of its own",
            );
        }
        let mut bytes = Vec::with_capacity(usize::try_from(metadata.len()).unwrap_or(0));
        // It may have grown since: the limit holds for what is read.
        match File::open(path).and_then(|file| file.take(MAX_FILE_BYTES + 1).read_to_end(&mut bytes)) {
            Ok(length) if length as u64 > MAX_FILE_BYTES => {
                return self.problem(
                    path,
                    &too_large(length as u64),
                    "split it: each document may be in a file of its own",
                );
            }
            Ok(length) => self.bytes += length as u64,
            Err(error) => return self.unreadable(path, &error),
        }
        if self.bytes > MAX_TOTAL_BYTES {
            return self.overflow(path, &format!("more than {} MiB in all files together", MAX_TOTAL_BYTES >> 20));
        }
        if self.files.len() >= MAX_FILES {
            return self.overflow(path, &format!("more than {MAX_FILES} files"));
        }
        match String::from_utf8(bytes) {
            Ok(text) => {
                let text = text.strip_prefix('\u{feff}').unwrap_or(&text).into();
                self.files.push(SourceFile { path: inner, text });
            }
            Err(error) => self.not_utf8(path, &error),
        }
    }

    fn not_utf8(&mut self, path: &Path, error: &std::string::FromUtf8Error) {
        let good = error.utf8_error().valid_up_to();
        let bytes = error.as_bytes();
        let text = String::from_utf8_lossy(bytes);
        let found = bytes.get(good).copied().unwrap_or_default();
        self.problems.push(
            Diagnostic::at(
                &path.display().to_string(),
                &text,
                good..good + '\u{fffd}'.len_utf8(),
                format!("the file is not UTF-8: byte {found:#04x} at offset {good}"),
            )
            .help(Some("save the file as UTF-8".to_owned())),
        );
    }

    fn unreadable(&mut self, path: &Path, error: &io::Error) {
        // The kind, not the text: the text has the error's number, which says less.
        self.problem(
            path,
            &format!("cannot be read: {}", error.kind()),
            "check that it exists and that its permissions let Weir read it",
        );
    }

    fn overflow(&mut self, path: &Path, what: &str) {
        if !self.full {
            self.full = true;
            self.problem(
                path,
                &format!("the configuration is too large: {what}"),
                "give a folder that holds only Weir's files",
            );
        }
    }

    fn problem(&mut self, path: &Path, message: &str, help: &str) {
        self.problems.push(Diagnostic::whole(path.display().to_string(), message).help(Some(help.to_owned())));
    }
}

fn too_large(bytes: u64) -> String {
    format!("the file is too large: {bytes} bytes, at most {MAX_FILE_BYTES} ({} MiB)", MAX_FILE_BYTES >> 20)
}

fn has_our_ending(name: &str) -> bool {
    Path::new(name)
        .extension()
        .is_some_and(|ending| ["yaml", "yml", "json"].iter().any(|ours| ending.eq_ignore_ascii_case(ours)))
}

/// What makes two paths the same folder.
#[cfg(unix)]
type Identity = (u64, u64);

#[cfg(unix)]
fn identity(_: &Path, metadata: &Metadata) -> Identity {
    use std::os::unix::fs::MetadataExt;
    (metadata.dev(), metadata.ino())
}

#[cfg(not(unix))]
type Identity = std::path::PathBuf;

#[cfg(not(unix))]
fn identity(path: &Path, _: &Metadata) -> Identity {
    fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())
}
