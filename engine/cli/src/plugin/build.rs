//! `weir plugin build`: from sources to a component with its manifest in it.

pub(super) mod c;
pub(super) mod js;
mod python;
mod rust;

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use clap::Args;
use sha2::{Digest, Sha256};
use weir_adapters::{Inspection, inspect};
use weir_manifest::{Manifest, SECTION};

use super::Language;
use super::project::{Folder, Project};
use crate::failure::Failure;
use crate::terminal::{say, tell};

/// Builds the component into dist/NAME.wasm, and says how large it is and what it imports.
#[derive(Debug, Args)]
pub(super) struct Build {
    #[command(flatten)]
    folder: Folder,
}

/// A component that was built.
pub(super) struct Built {
    pub(super) file: PathBuf,
    pub(super) wasm: Vec<u8>,
    pub(super) inspection: Inspection,
    took: Duration,
}

impl Build {
    pub(super) fn run(self) -> Result<(), Failure> {
        let built = build(&self.folder.open()?)?;
        say(&built.to_string());
        Ok(())
    }
}

/// Builds; what the language's tools say goes to standard error. A source that does not build is a finding.
pub(super) fn build(project: &Project) -> Result<Built, Failure> {
    let began = Instant::now();
    let sdk = project.write_sdk()?;
    let wasm = match project.language {
        Language::Rust => rust::build(project)?,
        Language::C => c::build(project, &sdk)?,
        Language::Js => js::build(project)?,
        Language::Py => python::build(project, &sdk)?,
    };
    let wasm = with_manifest(wasm, &project.manifest);
    let file = project.component();
    let inspection = inspect(&wasm, &file.display().to_string()).map_err(finding)?;
    let unwritten = |e: std::io::Error| Failure::unreachable(format!("{}: {e}", file.display()));
    let folder = file.parent().unwrap_or(Path::new("."));
    std::fs::create_dir_all(folder).map_err(unwritten)?;
    // Whole at once: an engine may be watching it.
    let half = file.with_extension("half");
    std::fs::write(&half, &wasm).and_then(|()| std::fs::rename(&half, &file)).map_err(unwritten)?;
    Ok(Built { file, wasm, inspection, took: began.elapsed() })
}

/// The component of a project, built if a source is newer.
pub(super) fn fresh(project: &Project) -> Result<Vec<u8>, Failure> {
    if !project.is_stale() {
        let file = project.component();
        return std::fs::read(&file).map_err(|e| Failure::unreachable(format!("{}: {e}", file.display())));
    }
    tell(&format!("building {} ({})\n", project.manifest.name, project.language.title()));
    let built = build(project)?;
    tell(&format!("built {} in {:.1} s\n", size(built.wasm.len()), built.took.as_secs_f64()));
    Ok(built.wasm)
}

impl std::fmt::Display for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let seconds = self.took.as_secs_f64();
        writeln!(f, "{}: {} in {seconds:.1} s", self.file.display(), size(self.wasm.len()))?;
        writeln!(f, "sha256   {}", hex(&Sha256::digest(&self.wasm)))?;
        write!(f, "{}", super::inspect::imports(&self.inspection))
    }
}

/// Says what is wrong with a component; the failure is for the caller to return.
pub(super) fn finding(error: impl std::fmt::Display) -> Failure {
    tell(&format!("weir: {error}\n"));
    Failure::Finding
}

/// The component with the manifest as its last section; Rust's macro has put it in already.
fn with_manifest(mut wasm: Vec<u8>, manifest: &Manifest) -> Vec<u8> {
    let json = manifest.to_json();
    if wasm.windows(SECTION.len()).any(|window| window == SECTION.as_bytes()) {
        return wasm;
    }
    let mut content = Vec::new();
    leb128(&mut content, SECTION.len());
    content.extend_from_slice(SECTION.as_bytes());
    content.extend_from_slice(json.as_bytes());
    wasm.push(0);
    leb128(&mut wasm, content.len());
    wasm.extend(content);
    wasm
}

/// A number as WebAssembly writes it.
fn leb128(to: &mut Vec<u8>, mut number: usize) {
    loop {
        let byte = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            return to.push(byte);
        }
        to.push(byte | 0x80);
    }
}

/// Bytes, for people.
pub(super) fn size(bytes: usize) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..10_485_760 => format!("{} KiB", bytes / 1024),
        _ => format!("{:.1} MiB", bytes as f64 / 1_048_576.0),
    }
}

pub(super) fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::leb128;

    #[test]
    fn numbers_are_written_seven_bits_at_a_time() {
        for (number, bytes) in [(0, vec![0]), (127, vec![127]), (128, vec![0x80, 1]), (300, vec![0xac, 2])] {
            let mut written = Vec::new();
            leb128(&mut written, number);
            assert_eq!(written, bytes, "{number}");
        }
    }
}
