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
  weir cel functions base64

Capital letters stand for any type, the same one throughout a form.")]
pub(super) struct Functions {
    /// Only this function, such as startsWith or optional.of; or those with this in their names.
    name: Option<String>,
}

impl Functions {
    pub(super) fn run(&self) -> Result<(), Failure> {
        match self.name.as_deref().map(help) {
            None => say(&list("")),
            Some(Ok(text)) => say(&text),
            Some(Err(why)) => return Err(Failure::Usage(why)),
        }
        Ok(())
    }
}

/// The functions with that in their names, each on a line with what it does.
fn list(part: &str) -> String {
    let mut text = String::new();
    let mut last = None;
    for form in functions().filter(|form| form.name().contains(part)) {
        let this = Some((form.name(), form.is_method()));
        if last != this {
            text += &format!("{:<26} {}\n", called(form), form.doc());
            last = this;
        }
    }
    text
}

/// The name as it is called.
fn called(form: Signature) -> String {
    format!("{}{}()", if form.is_method() { "." } else { "" }, form.name())
}

/// The forms of that function and what it does; the list of those with that in their names; or that there is none, and
/// which was meant.
pub(super) fn help(name: &str) -> Result<String, String> {
    let wanted = name.trim_start_matches('.').trim_end_matches("()");
    let mut text = String::new();
    for method in [false, true] {
        let forms: Vec<Signature> =
            functions().filter(|form| form.name() == wanted && form.is_method() == method).collect();
        forms.iter().for_each(|form| text += &format!("{form}{}\n", if form.is_macro() { "  (macro)" } else { "" }));
        text += &forms.first().map_or_else(String::new, |form| format!("  {}\n", form.doc()));
    }
    if text.is_empty() {
        text = list(wanted);
    }
    if !text.is_empty() {
        return Ok(text);
    }
    let help = match nearest(wanted, functions().map(|form| form.name())) {
        Some(near) => format!("did you mean `{near}`?"),
        None => "`weir cel functions` lists them all".to_owned(),
    };
    Err(format!("there is no function `{name}`; {help}"))
}
