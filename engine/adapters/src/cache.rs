//! Compiled modules on disk, believed only with our own seal.
//!
//! A compiled module is machine code: whoever can write it can run anything in this process. So the folder is ours alone
//! (0700), and each file begins with an HMAC of its name and content under a key that never leaves the folder.

use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use hmac::{Hmac, KeyInit, Mac};
use sha2::{Digest, Sha256};

use crate::fetch::{hex, signature_at};
use crate::{CACHE_BYTES_MAX, Error};

const SEAL_BYTES: usize = 32;
const KEY_FILE: &str = "key";

/// The cache folder and its key.
#[derive(Debug)]
pub(crate) struct Cache {
    folder: PathBuf,
    key: [u8; SEAL_BYTES],
}

impl Cache {
    /// Makes the folder if it is not there and takes every right on it from others.
    pub(crate) fn open(folder: &Path) -> Result<Cache, Error> {
        let fail = |e: io::Error| Error::Cache { path: folder.to_owned(), message: e.to_string() };
        fs::create_dir_all(folder).map_err(fail)?;
        only_ours(folder).map_err(fail)?;
        let key = key(folder).map_err(fail)?;
        Ok(Cache { folder: folder.to_owned(), key })
    }

    /// The content of that file if its seal is ours; anything else is as if it were not there.
    pub(crate) fn read(&self, name: &str) -> Option<Vec<u8>> {
        let mut bytes = fs::read(self.folder.join(name)).ok()?;
        let (seal, content) = bytes.split_at_checked(SEAL_BYTES)?;
        if self.mac(name, content)?.verify_slice(seal).is_err() {
            tracing::warn!(file = name, "compiled module with a foreign seal ignored; compiling again");
            return None;
        }
        bytes.drain(..SEAL_BYTES);
        Some(bytes)
    }

    /// Seals and stores the content; readers see all of it or nothing.
    pub(crate) fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let seal = self.mac(name, content).ok_or_else(|| io::Error::other("no seal"))?.finalize().into_bytes();
        let unfinished = self.folder.join(format!("{name}.{}.tmp", std::process::id()));
        let mut file = fs::File::create(&unfinished)?;
        let written = file.write_all(&seal).and_then(|()| file.write_all(content));
        let done = written.and_then(|()| fs::rename(&unfinished, self.folder.join(name)));
        if done.is_err() {
            let _ = fs::remove_file(&unfinished);
        }
        self.make_room(name, CACHE_BYTES_MAX);
        done
    }

    /// The component of that digest and the signature that came with it; one that has another digest is not there.
    pub(crate) fn component(&self, digest: &str) -> Option<(Vec<u8>, Option<String>)> {
        let path = self.folder.join(format!("{digest}.wasm"));
        let bytes = fs::read(&path).ok()?;
        let signature = signature_at(&path.with_extension("sig"));
        (hex(&Sha256::digest(&bytes)) == digest).then_some((bytes, signature))
    }

    /// Keeps a component by its digest.
    pub(crate) fn keep_component(&self, digest: &str, bytes: &[u8], signature: Option<&str>) -> io::Result<()> {
        let name = format!("{digest}.wasm");
        let path = self.folder.join(&name);
        if let Some(signature) = signature {
            fs::write(path.with_extension("sig"), signature)?;
        }
        if path.is_file() {
            return Ok(());
        }
        let unfinished = self.folder.join(format!("{name}.{}.tmp", std::process::id()));
        fs::write(&unfinished, bytes)?;
        fs::rename(&unfinished, &path)?;
        self.make_room(&name, CACHE_BYTES_MAX);
        Ok(())
    }

    fn mac(&self, name: &str, content: &[u8]) -> Option<Hmac<Sha256>> {
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.key).ok()?;
        mac.update(&(name.len() as u64).to_le_bytes());
        mac.update(name.as_bytes());
        mac.update(content);
        Some(mac)
    }

    /// Removes the oldest modules and components until the rest fits.
    fn make_room(&self, keep: &str, most: u64) {
        let Ok(entries) = fs::read_dir(&self.folder) else { return };
        let mut files: Vec<_> = entries
            .filter_map(|entry| {
                let entry = entry.ok()?;
                let meta = entry.metadata().ok()?;
                let name = entry.file_name().into_string().ok()?;
                (name.ends_with("wasm") && name != keep).then_some((meta.modified().ok()?, meta.len(), entry.path()))
            })
            .collect();
        files.sort();
        let mut total: u64 = files.iter().map(|(_, bytes, _)| bytes).sum();
        for (_, bytes, path) in files {
            if total <= most {
                break;
            }
            // A component's signature is of no use without it.
            if path.extension().is_some_and(|extension| extension == "wasm") {
                let _ = fs::remove_file(path.with_extension("sig"));
            }
            if fs::remove_file(path).is_ok() {
                total -= bytes;
            }
        }
    }
}

/// The key of this folder; made when there is none.
fn key(folder: &Path) -> io::Result<[u8; SEAL_BYTES]> {
    let path = folder.join(KEY_FILE);
    if let Ok(bytes) = fs::read(&path)
        && let Ok(key) = <[u8; SEAL_BYTES]>::try_from(bytes.as_slice())
    {
        return Ok(key);
    }
    let mut key = [0u8; SEAL_BYTES];
    getrandom::fill(&mut key).map_err(|e| io::Error::other(e.to_string()))?;
    let unfinished = folder.join(format!("{KEY_FILE}.{}.tmp", std::process::id()));
    let mut options = fs::OpenOptions::new();
    options.write(true).create(true).truncate(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(&unfinished)?.write_all(&key)?;
    fs::rename(&unfinished, &path)?;
    Ok(key)
}

#[cfg(unix)]
fn only_ours(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if fs::metadata(folder)?.permissions().mode() & 0o077 != 0 {
        // Fails when the folder is somebody else's.
        fs::set_permissions(folder, fs::Permissions::from_mode(0o700))?;
    }
    Ok(())
}

#[cfg(not(unix))]
fn only_ours(_: &Path) -> io::Result<()> {
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_component_that_makes_room_takes_its_signature_with_it() {
        let temp = tempfile::tempdir().unwrap();
        let cache = Cache::open(temp.path()).unwrap();
        let named = |name: &str| hex(&Sha256::digest(name));
        for name in ["old", "new"] {
            cache.keep_component(&named(name), name.as_bytes(), Some("signed")).unwrap();
        }
        assert_eq!(cache.component(&named("old")), Some((b"old".to_vec(), Some("signed".to_owned()))));
        cache.make_room(&format!("{}.wasm", named("new")), 0);
        assert_eq!(cache.component(&named("old")), None);
        assert!(!temp.path().join(format!("{}.sig", named("old"))).exists());
        assert_eq!(cache.component(&named("new")), Some((b"new".to_vec(), Some("signed".to_owned()))));
    }
}
