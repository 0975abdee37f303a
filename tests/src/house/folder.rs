//! The configuration folder, changed the way people and machines change one.

use crate::Outcome;
use std::path::{Path, PathBuf};

/// A folder of YAML that the engine watches.
#[derive(Debug, Clone)]
pub struct Folder(PathBuf);

impl Folder {
    /// Makes it with these files.
    pub fn create(path: &Path, documents: &[(String, String)]) -> Outcome<Self> {
        std::fs::create_dir_all(path)?;
        let folder = Self(path.to_path_buf());
        for (name, text) in documents {
            folder.put(name, text)?;
        }
        Ok(folder)
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.0
    }

    /// Writes a file whole: first beside the folder, then renamed over.
    pub fn put(&self, name: &str, text: &str) -> Outcome<()> {
        let mut half = self.0.as_os_str().to_owned();
        half.push(".half");
        std::fs::write(&half, text)?;
        Ok(std::fs::rename(&half, self.0.join(name))?)
    }

    /// Writes a file in place, as an editor without care does.
    pub fn scribble(&self, name: &str, text: &str) -> Outcome<()> {
        Ok(std::fs::write(self.0.join(name), text)?)
    }

    /// Reads a file.
    pub fn read(&self, name: &str) -> Outcome<String> {
        Ok(std::fs::read_to_string(self.0.join(name))?)
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) -> Outcome<()> {
        Ok(std::fs::remove_file(self.0.join(name))?)
    }

    /// Removes every file, but not the folder.
    pub fn clear(&self) -> Outcome<()> {
        for entry in std::fs::read_dir(&self.0)? {
            std::fs::remove_file(entry?.path())?;
        }
        Ok(())
    }
}
