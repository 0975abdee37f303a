//! `weir plugin`: what an author of plugins does, from the first file to the registry.

mod bench;
mod build;
mod dev;
mod doctor;
mod inspect;
mod keygen;
mod new;
mod origin;
mod project;
mod push;
mod sdk;
mod setup;
mod sign;
mod test;
mod toolchain;
mod verify;

use clap::{Args, Subcommand, ValueEnum};

use crate::failure::Failure;

/// Makes, builds, tests and ships plugins, in Rust, C, JavaScript and Python.
///
/// A plugin is a folder: a manifest (weir-plugin.toml), a schema of its configuration, tests (test.yaml), the
/// operator's side (adapter.yaml), and one source file.
#[derive(Debug, Args)]
#[command(after_help = "The way from nothing to a plugin that is shipped:
  weir plugin setup --lang rust                      once: what it takes to build in that language
  weir plugin new --lang rust --world check acme/geo a folder geo that builds and passes its tests
  cd geo && weir plugin test                         builds when something changed, then runs test.yaml
  weir plugin inspect                                what it sees, imports and asks for
  weir plugin push http://localhost:5000/acme/geo:1  where engines fetch it from")]
pub(crate) struct Plugin {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Makes a folder with a plugin that builds and passes its tests.
    New(new::New),
    /// Builds the component, and says how large it is and what it imports.
    Build(build::Build),
    /// Runs the cases of test.yaml against the component, in the engine's own host.
    Test(test::Test),
    /// Runs the plugin behind a port, and builds it again whenever a file is saved.
    Dev(dev::Dev),
    /// Measures calls: time, work and memory.
    Bench(bench::Bench),
    /// Says what a component sees, imports, asks for and is signed with.
    Inspect(inspect::Inspect),
    /// Says what is missing to build plugins, with the fix.
    Doctor(doctor::Doctor),
    /// Installs what it takes to build in a language, into a cache folder.
    Setup(setup::Setup),
    /// Makes a pair of keys to sign with.
    Keygen(keygen::Keygen),
    /// Signs a component: writes FILE.sig beside it.
    Sign(sign::Sign),
    /// Fetches a component as an engine would, and checks digest, signature and contents.
    Verify(verify::Verify),
    /// Pushes a component into an OCI registry or an image layout.
    Push(push::Push),
}

/// The languages that plugins are written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    Rust,
    C,
    Js,
    Py,
}

/// How to print what was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    /// For people.
    Text,
    /// For programs.
    Json,
}

impl Plugin {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::New(verb) => verb.run(),
            Verb::Build(verb) => verb.run(),
            Verb::Test(verb) => verb.run(),
            Verb::Dev(verb) => verb.run(),
            Verb::Bench(verb) => verb.run(),
            Verb::Inspect(verb) => verb.run(),
            Verb::Doctor(verb) => verb.run(),
            Verb::Setup(verb) => verb.run(),
            Verb::Keygen(verb) => verb.run(),
            Verb::Sign(verb) => verb.run(),
            Verb::Verify(verb) => verb.run(),
            Verb::Push(verb) => verb.run(),
        }
    }
}

impl Language {
    const ALL: [Language; 4] = [Language::Rust, Language::C, Language::Js, Language::Py];

    /// As `--lang` has it.
    fn name(self) -> &'static str {
        match self {
            Language::Rust => "rust",
            Language::C => "c",
            Language::Js => "js",
            Language::Py => "py",
        }
    }

    /// For people.
    fn title(self) -> &'static str {
        match self {
            Language::Rust => "Rust",
            Language::C => "C",
            Language::Js => "JavaScript",
            Language::Py => "Python",
        }
    }
}

/// Runs something that waits, on a small runtime of its own.
fn wait<T>(job: impl Future<Output = Result<T, Failure>>) -> Result<T, Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    runtime.map_err(Failure::unreachable)?.block_on(job)
}
