//! `weir completions` and `weir man`: made from the same flags that are parsed.

use std::{io, path::PathBuf};

use clap::{Args, CommandFactory};
use clap_complete::Shell;

use crate::failure::Failure;

/// Prints the completions for a shell.
#[derive(Debug, Args)]
pub(crate) struct Completions {
    /// Which shell.
    shell: Shell,
}

impl Completions {
    pub(crate) fn run<C: CommandFactory>(&self) -> Result<(), Failure> {
        clap_complete::generate(self.shell, &mut C::command(), "weir", &mut io::stdout());
        Ok(())
    }
}

/// Writes the manual pages into a folder.
#[derive(Debug, Args)]
pub(crate) struct Man {
    /// The folder; it must exist.
    folder: PathBuf,
}

impl Man {
    pub(crate) fn run<C: CommandFactory>(&self) -> Result<(), Failure> {
        clap_mangen::generate_to(C::command(), &self.folder)
            .map_err(|error| Failure::Usage(format!("{}: {error}; create the folder first", self.folder.display())))
    }
}
