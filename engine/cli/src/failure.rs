//! How a verb ends when it does not end well.

use std::{fmt, process::ExitCode};

/// Why a verb failed; each kind has its exit code.
#[derive(Debug)]
pub(crate) enum Failure {
    /// A finding, which has already been said. Exit code 1.
    Finding,
    /// The call was wrong. Exit code 2.
    Usage(String),
    /// Something could not be started or reached. Exit code 3.
    Unreachable(String),
}

impl Failure {
    /// A start or connection that failed.
    pub(crate) fn unreachable(error: impl fmt::Display) -> Self {
        Self::Unreachable(error.to_string())
    }

    /// Says it on standard error.
    pub(crate) fn report(&self) -> ExitCode {
        match self {
            Self::Finding => ExitCode::from(1),
            Self::Usage(text) => {
                eprintln!("weir: {text}");
                ExitCode::from(2)
            }
            Self::Unreachable(text) => {
                eprintln!("weir: {text}");
                ExitCode::from(3)
            }
        }
    }
}
