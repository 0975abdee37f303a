//! The files of a configuration folder as they stood at one moment.
//!
//! Read are all regular files `*.yaml`, `*.yml` and `*.json`, in the folder and in its sub-folders. Names that begin with a
//! dot are not looked at, which is what makes a Kubernetes ConfigMap volume work: its visible files are symbolic links
//! through `..data`, and a swap of that link replaces them all at once. Symbolic links are followed; one that leads back
//! to a folder being read is an error, as is one that leads nowhere. Sockets, pipes and devices are ignored.

use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use serde::{Serialize, Serializer};
use sha2::{Digest, Sha256};

use crate::diagnostic::Diagnostics;
use crate::yaml;

mod folder;
#[cfg(test)]
mod tests;

/// How often [`Sources::read_steady`] tries to see the same content twice.
const STEADY_ATTEMPTS: usize = 4;

/// One file of a configuration.
#[derive(Clone, PartialEq, Eq)]
pub struct SourceFile {
    /// Path relative to the configuration's folder, with `/` between the parts.
    pub path: String,
    /// Its text, without a byte order mark.
    pub text: Arc<str>,
}

/// Without the text: it may hold credentials.
impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SourceFile").field("path", &self.path).field("bytes", &self.text.len()).finish()
    }
}

/// Which content a configuration has: the SHA-256 of its files' paths and bytes. Equal content, equal version.
#[derive(Clone, PartialEq, Eq, Hash)]
pub struct Version(Arc<str>);

impl Version {
    /// Characters of the short form.
    const SHORT: usize = 12;

    /// The first 12 hex digits.
    pub fn as_str(&self) -> &str {
        self.0.get(..Self::SHORT).unwrap_or(&self.0)
    }

    /// All 64 hex digits.
    pub fn digest(&self) -> &str {
        &self.0
    }

    fn of(files: &[SourceFile], problems: &Diagnostics) -> Self {
        let mut hash = Sha256::new();
        for file in files {
            // Lengths keep a path from running into a text.
            hash.update((file.path.len() as u64).to_be_bytes());
            hash.update(file.path.as_bytes());
            hash.update((file.text.len() as u64).to_be_bytes());
            hash.update(file.text.as_bytes());
        }
        // A file that could not be read is content too: its repair must be seen as a change.
        for problem in problems {
            hash.update(problem.to_string().as_bytes());
        }
        let hex = hash.finalize().iter().fold(String::with_capacity(64), |mut hex, byte| {
            for nibble in [byte >> 4, byte & 15] {
                hex.push(char::from_digit(u32::from(nibble), 16).unwrap_or('0'));
            }
            hex
        });
        Version(hex.into())
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

impl fmt::Debug for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Version({self})")
    }
}

impl Serialize for Version {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// The files of a configuration folder at one moment, sorted by path, and what could not be read. Cheap to clone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sources(Arc<Inner>);

#[derive(Debug, PartialEq, Eq)]
struct Inner {
    root: PathBuf,
    files: Vec<SourceFile>,
    problems: Diagnostics,
    gone: bool,
    version: Version,
}

impl Sources {
    /// Reads `dir` once. Never fails: what went wrong is in [`Sources::problems`]. Blocks on the disk.
    pub fn read(dir: &Path) -> Self {
        let read = folder::read(dir);
        Self::new(dir, read.files, read.problems.into_iter().collect(), read.gone)
    }

    /// Reads `dir` until two reads agree, at most four times: a swap of a ConfigMap in the middle of a read is not seen as a
    /// mixture of old and new. Does not wait between the reads.
    pub fn read_steady(dir: &Path) -> Self {
        let mut last = Self::read(dir);
        for _ in 1..STEADY_ATTEMPTS {
            let next = Self::read(dir);
            if next.version() == last.version() {
                break;
            }
            last = next;
        }
        last
    }

    /// Sources that are not on a disk: path and text of each file. `root` is where they claim to be.
    pub fn in_memory<P: Into<String>, T: Into<String>>(root: &Path, files: impl IntoIterator<Item = (P, T)>) -> Self {
        let files = files.into_iter().map(|(path, text)| SourceFile { path: path.into(), text: text.into().into() });
        Self::new(root, files.collect(), Diagnostics::default(), false)
    }

    fn new(root: &Path, mut files: Vec<SourceFile>, problems: Diagnostics, gone: bool) -> Self {
        files.sort_by(|a, b| a.path.cmp(&b.path));
        let version = Version::of(&files, &problems);
        Sources(Arc::new(Inner { root: root.to_owned(), files, problems, gone, version }))
    }

    /// The folder, as it was given.
    pub fn root(&self) -> &Path {
        &self.0.root
    }

    /// The files, by path.
    pub fn files(&self) -> &[SourceFile] {
        &self.0.files
    }

    /// What could not be read.
    pub fn problems(&self) -> &Diagnostics {
        &self.0.problems
    }

    /// Whether the folder does not exist.
    pub fn is_gone(&self) -> bool {
        self.0.gone
    }

    /// Which content this is.
    pub fn version(&self) -> &Version {
        &self.0.version
    }

    /// Whether all files were read and parse as YAML: what can be known of a file that may still be being written.
    pub(crate) fn is_well_formed(&self) -> bool {
        self.problems().is_empty() && self.files().iter().all(|file| yaml::split(&file.text).1.is_none())
    }

    /// The file at `index` as an operator would open it.
    pub(crate) fn display_path(&self, index: usize) -> String {
        let path = self.files().get(index).map_or("", |file| file.path.as_str());
        self.root().join(path).display().to_string()
    }

    /// The text of the file at `index`.
    pub(crate) fn text(&self, index: usize) -> &str {
        self.files().get(index).map_or("", |file| &file.text)
    }
}
