//! `weir cel`: expressions outside of policies, for those who write them.

mod check;
mod eval;
mod explain;
mod expression;
mod functions;
mod given;
mod json;
mod names;
mod repl;

use clap::{Args, Subcommand, ValueEnum};

pub(crate) use self::{expression::complain, given::requests};

use crate::failure::Failure;

/// Tries, checks and explains CEL expressions, over the vocabulary that policies have.
#[derive(Debug, Args)]
pub(crate) struct Cel {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Debug, Subcommand)]
enum Verb {
    Eval(eval::Eval),
    Check(check::Check),
    Explain(explain::Explain),
    Functions(functions::Functions),
    Repl(repl::Repl),
}

impl Cel {
    pub(crate) fn run(self) -> Result<(), Failure> {
        match self.verb {
            Verb::Eval(verb) => verb.run(),
            Verb::Check(verb) => verb.run(),
            Verb::Explain(verb) => verb.run(),
            Verb::Functions(verb) => verb.run(),
            Verb::Repl(verb) => verb.run(),
        }
    }
}

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
enum Output {
    Text,
    Json,
}

/// What one evaluation may take.
#[derive(Debug, Args)]
struct Budget {
    /// The steps that one evaluation may take: about one for each part that a loop visits.
    #[arg(long, value_name = "COUNT", default_value_t = weir_cel::limits::STEPS_DEFAULT)]
    steps: u64,
    /// The bytes that one evaluation may allocate.
    #[arg(long, value_name = "COUNT", default_value_t = weir_cel::limits::BYTES_DEFAULT)]
    bytes: u64,
}

impl Budget {
    fn scratch(&self) -> weir_cel::Scratch {
        weir_cel::Scratch::with_budget(self.steps, self.bytes)
    }
}
