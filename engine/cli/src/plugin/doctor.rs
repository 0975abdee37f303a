//! `weir plugin doctor`: what is missing, with the fix.

use clap::Args;
use serde_json::json;

use super::toolchain::{cache, folder, tool};
use super::{Language, Output};
use crate::failure::Failure;
use crate::terminal::say;

/// Says for each language whether plugins can be built in it, and if not, what to do.
#[derive(Debug, Args)]
pub(super) struct Doctor {
    /// Only this language; what is missing for it is a finding (exit code 1).
    #[arg(long, value_enum)]
    lang: Option<Language>,
    /// How to print it.
    #[arg(long, value_enum, default_value_t = Output::Text)]
    output: Output,
}

impl Doctor {
    pub(super) fn run(self) -> Result<(), Failure> {
        let asked = Language::ALL.into_iter().filter(|language| self.lang.is_none_or(|lang| lang == *language));
        let found: Vec<_> = asked.map(|language| (language, tool(language).err())).collect();
        match self.output {
            Output::Json => {
                let each = found.iter().map(|(language, missing)| {
                    json!({"language": language.name(), "ready": missing.is_none(), "fix": missing, "folder": folder(*language)})
                });
                say(&format!("{}\n", json!({"cache": cache(), "languages": each.collect::<Vec<_>>()})));
            }
            Output::Text => {
                for (language, missing) in &found {
                    let state = missing.as_ref().map_or("ready".to_owned(), |fix| format!("not ready: {fix}"));
                    say(&format!("{:<11} {state}\n", language.title()));
                }
                say(&format!("{:<11} {}\n", "cache", cache().display()));
            }
        }
        let missing = found.iter().filter(|(_, missing)| missing.is_some()).count();
        // Nobody needs every language.
        let short = if self.lang.is_some() { missing > 0 } else { missing == found.len() };
        if short { Err(Failure::Finding) } else { Ok(()) }
    }
}
