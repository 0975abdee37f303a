//! `weir cel functions`: what can be called.

use clap::Args;
use weir_cel::{Signature, functions};
use weir_config::nearest;

use crate::{failure::Failure, terminal::say};

/// Lists the functions and macros of the language, or the forms of one.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir cel functions
  weir cel functions startsWith

Capital letters stand for any type, the same one throughout a form.")]
pub(super) struct Functions {
    /// Only this function, such as startsWith or optional.of.
    name: Option<String>,
}

impl Functions {
    pub(super) fn run(&self) -> Result<(), Failure> {
        match self.name.as_deref().map(forms) {
            None => functions().for_each(|form| say(&line(form))),
            Some(Ok(text)) => say(&text),
            Some(Err(why)) => return Err(Failure::Usage(why)),
        }
        Ok(())
    }
}

/// The forms of that function, one a line; or that there is none, and which was meant.
pub(super) fn forms(name: &str) -> Result<String, String> {
    let wanted = name.trim_end_matches("()");
    let found: String = functions().filter(|form| form.name() == wanted).map(line).collect();
    if !found.is_empty() {
        return Ok(found);
    }
    let help = match nearest(wanted, functions().map(|form| form.name())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`weir cel functions` lists them all".to_owned(),
    };
    Err(format!("there is no function `{name}`; {help}"))
}

fn line(form: Signature) -> String {
    format!("{form}{}\n", if form.is_macro() { "  (macro)" } else { "" })
}
