//! The last good configuration on disk: what serves after a restart when the folder is broken.
//!
//! It is one file, so one rename replaces it: a crash leaves the old one or the new one. It holds the YAML files as they
//! were and a digest of them; plugins are kept by path only. It may hold credentials, so only its owner can read it.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use serde::{Deserialize, Serialize};

use crate::error::Error;
use crate::limits::MAX_LAST_GOOD_BYTES;
use crate::source::Sources;

#[cfg(test)]
mod tests;

const FILE: &str = "last-good.json";
const SCHEMA: u32 = 1;

/// The folder that keeps the last good configuration.
#[derive(Debug, Clone)]
pub struct LastGood {
    dir: PathBuf,
}

#[derive(Serialize, Deserialize)]
struct Record {
    schema: u32,
    /// The configuration's folder, absolute.
    root: PathBuf,
    digest: String,
    files: Vec<RecordedFile>,
}

#[derive(Serialize, Deserialize)]
struct RecordedFile {
    path: String,
    text: String,
}

impl LastGood {
    /// Keeps it in `dir`, which is created, for its owner only, when it does not exist.
    ///
    /// # Errors
    /// When the folder cannot be created.
    pub fn open(dir: &Path) -> Result<Self, Error> {
        let mut builder = fs::DirBuilder::new();
        builder.recursive(true);
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        builder.create(dir).map_err(|source| Error::State { path: dir.to_owned(), source })?;
        Ok(LastGood { dir: dir.to_owned() })
    }

    /// The file that holds it.
    pub fn path(&self) -> PathBuf {
        self.dir.join(FILE)
    }

    /// Replaces what is kept by `sources`. On the disk when this returns. Blocks.
    ///
    /// # Errors
    /// When it cannot be written; what was kept before still is.
    pub fn save(&self, sources: &Sources) -> Result<(), Error> {
        let record = Record {
            schema: SCHEMA,
            root: absolute(sources.root()),
            digest: sources.version().digest().to_owned(),
            files: sources
                .files()
                .iter()
                .map(|file| RecordedFile { path: file.path.clone(), text: file.text.to_string() })
                .collect(),
        };
        self.write(&record).map_err(|source| Error::State { path: self.path(), source })
    }

    fn write(&self, record: &Record) -> io::Result<()> {
        // Readable by its owner only from its creation on.
        let mut file = tempfile::Builder::new().prefix(".last-good-").tempfile_in(&self.dir)?;
        serde_json::to_writer(io::BufWriter::new(file.as_file_mut()), record)?;
        file.as_file_mut().flush()?;
        file.as_file().sync_all()?;
        file.persist(self.path()).map_err(|error| error.error)?;
        // The rename itself must survive a power cut.
        File::open(&self.dir)?.sync_all()
    }

    /// What is kept for the configuration folder `root`; None when nothing is. Blocks.
    ///
    /// # Errors
    /// When it cannot be read, is damaged, or belongs to another folder: report it, and go on without.
    pub fn load(&self, root: &Path) -> Result<Option<Sources>, Error> {
        let path = self.path();
        let file = match File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(source) => return Err(Error::State { path, source }),
        };
        let mut text = Vec::new();
        let length = file.take(MAX_LAST_GOOD_BYTES + 1).read_to_end(&mut text);
        match length {
            Ok(length) if length as u64 > MAX_LAST_GOOD_BYTES => return Err(Error::damaged(&path, "it is too large")),
            Ok(_) => {}
            Err(source) => return Err(Error::State { path, source }),
        }
        // Not serde's text: it may quote what the file says.
        let record: Record = serde_json::from_slice(&text).map_err(|e| {
            Error::damaged(&path, format!("line {}, column {} is not what it should be", e.line(), e.column()))
        })?;
        if record.schema != SCHEMA {
            return Err(Error::damaged(&path, format!("its schema is {}, not {SCHEMA}", record.schema)));
        }
        if record.root != absolute(root) {
            return Err(Error::Elsewhere { path, root: record.root });
        }
        let sources = Sources::in_memory(root, record.files.into_iter().map(|file| (file.path, file.text)));
        if sources.version().digest() != record.digest {
            return Err(Error::damaged(&path, "its digest does not match its content"));
        }
        Ok(Some(sources))
    }
}

/// Without links resolved: the folder may be gone, and a link's target may change.
fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}
