//! Where lines go: a file that can be reopened, standard output, or nowhere.

use std::{
    fs::{File, OpenOptions},
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::Error;

/// Where lines go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Target {
    /// Nowhere.
    Off,
    /// Standard output.
    Stdout,
    /// Appended to that file, which is made if it is missing.
    File(PathBuf),
}

impl Target {
    /// As on a command line: `off`, `stdout` or `-`, else the path of a file.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        match text {
            "off" | "" => Target::Off,
            "stdout" | "-" => Target::Stdout,
            path => Target::File(path.into()),
        }
    }
}

/// An open [`Target`].
#[derive(Debug)]
pub(crate) struct Output {
    target: Target,
    file: Option<File>,
    /// The last write ended inside a line: the next one begins with a line feed.
    torn: bool,
}

/// What became of a chunk of lines.
#[derive(Debug, Default)]
pub(crate) struct Written {
    /// Lines that were written whole.
    pub(crate) lines: u64,
    /// Lines that were not.
    pub(crate) lost: u64,
    /// Why not.
    pub(crate) error: Option<io::Error>,
}

impl Output {
    /// Opens it.
    pub(crate) fn open(target: Target) -> Result<Self, Error> {
        let file = match &target {
            Target::File(path) => Some(append_to(path).map_err(|source| Error::Open { path: path.clone(), source })?),
            Target::Off | Target::Stdout => None,
        };
        Ok(Self { target, file, torn: false })
    }

    /// Opens the file again by its name, after somebody moved it away. The old one stays in use when that fails.
    pub(crate) fn reopen(&mut self) -> io::Result<()> {
        if let Target::File(path) = &self.target {
            self.file = Some(append_to(path)?);
            self.torn = false;
        }
        Ok(())
    }

    /// Writes whole lines, each ended by a line feed. Whatever fails, nothing is written twice.
    pub(crate) fn write(&mut self, chunk: &[u8]) -> Written {
        let mut left = chunk;
        let mut error = None;
        if self.torn {
            match self.once(b"\n") {
                Ok(n) => self.torn = n == 0,
                Err(source) => error = Some(source),
            }
        }
        while !left.is_empty() && error.is_none() {
            match self.once(left) {
                Ok(0) => error = Some(io::ErrorKind::WriteZero.into()),
                Ok(n) => left = left.get(n..).unwrap_or_default(),
                Err(source) if source.kind() == io::ErrorKind::Interrupted => {}
                Err(source) => error = Some(source),
            }
        }
        let (written, unwritten) = chunk.split_at(chunk.len() - left.len());
        if let Some(last) = written.last() {
            self.torn = *last != b'\n';
        }
        Written { lines: feeds(written), lost: feeds(unwritten), error }
    }

    fn once(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match (&self.target, &mut self.file) {
            (Target::Off, _) => Ok(bytes.len()),
            (Target::Stdout, _) => {
                let mut out = io::stdout().lock();
                out.write_all(bytes)?;
                out.flush()?;
                Ok(bytes.len())
            }
            (Target::File(_), Some(file)) => file.write(bytes),
            (Target::File(_), None) => Err(io::ErrorKind::NotFound.into()),
        }
    }
}

fn feeds(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

fn append_to(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.append(true).create(true);
    // What was decided about whom is not for every user of the machine.
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o640);
    options.open(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn targets_are_named_as_on_a_command_line() {
        assert_eq!(Target::parse("off"), Target::Off);
        assert_eq!(Target::parse("-"), Target::Stdout);
        assert_eq!(Target::parse("stdout"), Target::Stdout);
        assert_eq!(Target::parse("/var/log/d.jsonl"), Target::File("/var/log/d.jsonl".into()));
    }

    #[test]
    fn a_folder_that_does_not_exist_is_named_in_the_error() {
        let error = Output::open(Target::File("/no/such/folder/x".into())).expect_err("no folder");
        assert!(error.to_string().contains("/no/such/folder/x"), "{error}");
    }

    #[test]
    fn reopening_follows_the_name() {
        let folder = tempfile::tempdir().expect("temporary folder");
        let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
        let mut output = Output::open(Target::File(path.clone())).expect("opens");
        assert_eq!(output.write(b"1\n2\n").lines, 2);
        std::fs::rename(&path, &moved).expect("moved");
        assert_eq!(output.write(b"3\n").lines, 1);
        output.reopen().expect("opens again");
        assert_eq!(output.write(b"4\n").lines, 1);
        assert_eq!(std::fs::read_to_string(moved).expect("read"), "1\n2\n3\n");
        assert_eq!(std::fs::read_to_string(path).expect("read"), "4\n");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn lines_that_a_full_disk_refuses_are_counted_as_lost() {
        let mut output = Output::open(Target::File("/dev/full".into())).expect("opens");
        let written = output.write(b"1\n2\n3\n");
        assert_eq!((written.lines, written.lost), (0, 3));
        assert_eq!(written.error.expect("an error").kind(), io::ErrorKind::StorageFull);
    }
}
