//! The one binary: one file a verb.
//!
//! Data goes to standard output, talk to standard error. Exit codes: 0 fine, 1 a finding (a refused configuration),
//! 2 usage, 3 something could not be reached or started.
#![forbid(unsafe_code)]

mod cel;
mod check_config;
mod completions;
mod failure;
mod logging;
mod plugin;
mod serve;
mod sidecar;
mod status;
mod terminal;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// glibc's allocator costs a sixth of a check's CPU (reference figures in `make bench`).
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// May this request pass, and what happened: policy and telemetry for any proxy.
#[derive(Debug, Parser)]
#[command(name = "weir", version, about, propagate_version = true, max_term_width = 100)]
struct Weir {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    /// Runs the engine: answers checks, takes reports, watches its configuration.
    Serve(Box<serve::Serve>),
    /// Runs the bundled proxy in front of one upstream.
    Sidecar(Box<sidecar::Sidecar>),
    /// Validates a configuration directory exactly as the engine does, without running it.
    CheckConfig(check_config::CheckConfig),
    /// Tries, checks and explains CEL expressions, over the vocabulary that policies have.
    Cel(Box<cel::Cel>),
    /// Makes, builds, tests and ships plugins.
    Plugin(Box<plugin::Plugin>),
    /// Says how a running engine is: configuration, plugins, losses.
    Status(status::Status),
    /// Prints the completions for a shell.
    Completions(completions::Completions),
    /// Writes the manual pages into a folder.
    Man(completions::Man),
}

fn main() -> ExitCode {
    let outcome = match Weir::parse().verb {
        Verb::Serve(verb) => verb.run(),
        Verb::Sidecar(verb) => verb.run(),
        Verb::CheckConfig(verb) => verb.run(),
        Verb::Cel(verb) => verb.run(),
        Verb::Plugin(verb) => verb.run(),
        Verb::Status(verb) => verb.run(),
        Verb::Completions(verb) => verb.run::<Weir>(),
        Verb::Man(verb) => verb.run::<Weir>(),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    #[test]
    fn every_flag_has_a_sentence_and_the_command_is_well_formed() {
        let command = super::Weir::command();
        command.clone().debug_assert();
        let mut verbs: Vec<&clap::Command> = command.get_subcommands().collect();
        while let Some(verb) = verbs.pop() {
            for argument in verb.get_arguments().filter(|argument| argument.get_id() != "version") {
                assert!(argument.get_help().is_some(), "{} {}", verb.get_name(), argument.get_id());
            }
            verbs.extend(verb.get_subcommands());
        }
    }
}
