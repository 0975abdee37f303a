//! `weir plugin new`: a folder with a plugin that builds and passes its tests.

use std::path::{Path, PathBuf};

use clap::{Args, ValueEnum};

use super::project::{MANIFEST, Project};
use super::{Language, build, sdk};
use crate::failure::Failure;
use crate::terminal::say;

/// Makes the folder NAME with a plugin that builds and passes its tests.
///
/// In it: the manifest, a schema of the configuration, tests, the operator's side, one source file, and the SDK (in
/// .weir/sdk, as this version of weir has it). Only crates of others are fetched from outside, when Rust builds.
#[derive(Debug, Args)]
#[command(after_help = "Example:
  weir plugin new --lang py --world check acme/geo
  cd geo && weir plugin test")]
pub(super) struct New {
    /// The language.
    #[arg(long, value_enum)]
    lang: Language,
    /// What the plugin does: decide about a request, tell what happened, or find out attributes.
    #[arg(long, value_enum, default_value_t = World::Check)]
    world: World,
    /// Who publishes it, and its name.
    #[arg(value_name = "PUBLISHER/NAME", value_parser = name)]
    name: (String, String),
    /// Where to make the folder.
    #[arg(long, value_name = "FOLDER", default_value = ".")]
    within: PathBuf,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum World {
    /// Decides about one request.
    Check,
    /// Is told about many finished requests.
    Report,
    /// Finds out attributes before the policies are asked.
    Enrich,
}

/// Names that cargo, npm, Python and C all take.
fn name(text: &str) -> Result<(String, String), String> {
    let legal = |part: &str| {
        part.starts_with(|c: char| c.is_ascii_lowercase())
            && part.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
    };
    match text.split_once('/') {
        Some((publisher, name)) if legal(publisher) && legal(name) => Ok((publisher.to_owned(), name.to_owned())),
        _ => Err("write PUBLISHER/NAME, each of lower-case letters, digits and -, such as acme/geo".to_owned()),
    }
}

impl New {
    pub(super) fn run(self) -> Result<(), Failure> {
        let (publisher, name) = &self.name;
        let root = self.within.join(name);
        if root.exists() {
            return Err(Failure::Usage(format!("{} is there already; choose another name", root.display())));
        }
        make(self.lang, self.world, publisher, name, &self.within)?;
        let (world, language) = (self.world.name(), self.lang.title());
        say(&format!(
            "{root}: a plugin in {language}, world {world}\nnext: cd {root} && weir plugin test\n",
            root = root.display()
        ));
        Ok(())
    }
}

impl World {
    const ALL: [World; 3] = [World::Check, World::Report, World::Enrich];

    fn name(self) -> &'static str {
        match self {
            World::Check => "check",
            World::Report => "report",
            World::Enrich => "enrich",
        }
    }
}

/// What an interpreter needs is more than what hosts give by default: the operator's side and the manifest's.
fn limits(language: Language) -> (&'static str, &'static str) {
    match language {
        Language::Rust | Language::C => ("{timeoutMs: 5}", ""),
        Language::Js => ("{timeoutMs: 20, memoryMiB: 16}", ""),
        Language::Py => (
            "{timeoutMs: 50, memoryMiB: 96, instances: 2}",
            "\n[needs]                      # an interpreter takes more than the 16 MiB that hosts give by default\nmemory-mib = 96\n",
        ),
    }
}

/// Writes the folder.
pub(super) fn make(
    language: Language,
    world: World,
    publisher: &str,
    name: &str,
    within: &Path,
) -> Result<(), Failure> {
    let root = within.join(name);
    let (ident, (limits, needs)) = (name.replace('-', "_"), limits(language));
    let words = [("name", name), ("publisher", publisher), ("ident", &ident), ("limits", limits)];
    let put = |rest: &str, bytes: &[u8]| {
        let file = root.join(rest);
        sdk::put(&file, bytes).map_err(|e| Failure::unreachable(format!("{}: {e}", file.display())))
    };
    for (path, bytes) in sdk::under("templates/") {
        let Some(rest) = place(path, language, world) else { continue };
        let mut text = String::from_utf8_lossy(bytes).into_owned();
        for (word, value) in words {
            text = text.replace(&format!("{{{{{word}}}}}"), value);
        }
        if rest == MANIFEST {
            text.push_str(needs);
        }
        put(rest, text.as_bytes())?;
    }
    put(".gitignore", b"/.weir\n/dist\n/target\n/node_modules\n")?;
    let project = Project::open(&root)?;
    project.write_sdk()?;
    if language == Language::Js {
        build::js::prepare(&project).map_err(Failure::unreachable)?;
    }
    Ok(())
}

/// Where a template goes in the folder of such a plugin; nowhere when it is another's. They lie under their world, their
/// language, or their language and then their world.
fn place(path: &'static str, language: Language, world: World) -> Option<&'static str> {
    let within = |path: &'static str, folder: &str| path.strip_prefix(folder)?.strip_prefix('/');
    if let Some(rest) = within(path, world.name()) {
        return Some(rest);
    }
    let rest = within(path, language.name())?;
    match World::ALL.into_iter().find_map(|one| Some((one, within(rest, one.name())?))) {
        Some((one, rest)) => (one == world).then_some(rest),
        None => Some(rest),
    }
}
