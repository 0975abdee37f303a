//! `weir cel repl`: expressions one after another, on one request.

mod command;
mod complete;
mod history;
mod scan;
mod session;

use std::io::{BufRead as _, IsTerminal as _, Read as _};

use clap::Args;
use rustyline::{ColorMode, CompletionType, Config, Editor, error::ReadlineError, history::FileHistory};
use weir_cel::limits::SOURCE_MAX;

use self::{
    complete::Assistant,
    session::{Flow, Session},
};
use super::{Budget, given::Inputs, names::Declared};
use crate::{
    failure::Failure,
    terminal::{colours, tell},
};

/// Evaluates expressions as they are typed, with completion and a history.
///
/// When standard input is no terminal, there is no prompt: each line is an expression or a command, and the exit code is
/// 1 when one of them failed.
#[derive(Debug, Args)]
#[command(after_help = "Examples:
  weir cel repl
  weir cel repl --input request.yaml --var 'limit=int'
  printf ':let a = 1\\na + 1\\n' | weir cel repl")]
pub(super) struct Repl {
    #[command(flatten)]
    inputs: Inputs,
    #[command(flatten)]
    declared: Declared,
    #[command(flatten)]
    budget: Budget,
    /// Neither reads nor writes the history file, $XDG_STATE_HOME/weir/cel-history or ~/.local/state/weir/cel-history.
    #[arg(long)]
    no_history: bool,
}

/// How far a line may be longer than an expression: room for a command before it.
const LINE_MAX: usize = SOURCE_MAX + 1024;

impl Repl {
    pub(super) fn run(self) -> Result<(), Failure> {
        let names = self.declared.names()?;
        if self.inputs.is_standard_input() {
            return Err(Failure::Usage(
                "standard input has the lines of the session; name a file of requests".to_owned(),
            ));
        }
        let documents = self.inputs.read(&names)?;
        let session = Session::new(names, documents, self.budget.scratch());
        if std::io::stdin().is_terminal() { self.talk(session) } else { script(session) }
    }

    /// With a person at the other end.
    fn talk(&self, mut session: Session) -> Result<(), Failure> {
        let mut editor = editor().map_err(|error| Failure::Unreachable(format!("the terminal: {error}")))?;
        let history = if self.no_history { None } else { history::file() };
        let history = history.filter(|file| history::load(&mut editor, file));
        tell("CEL over the vocabulary. :help says what there is, Tab completes, Ctrl-D leaves.\n");
        loop {
            if let Some(assistant) = editor.helper_mut() {
                assistant.learn(&session);
            }
            match editor.readline("cel> ") {
                Ok(line) => {
                    if line.len() <= LINE_MAX && !line.trim().is_empty() {
                        let _ = editor.add_history_entry(line.as_str());
                        history.as_deref().inspect(|file| history::keep(&mut editor, file));
                    }
                    if session.line(&line) == Flow::Leave {
                        break;
                    }
                }
                // The line is gone; the session is not.
                Err(ReadlineError::Interrupted) => {}
                Err(ReadlineError::Eof) => break,
                Err(error) => return Err(Failure::Unreachable(format!("the terminal: {error}"))),
            }
        }
        Ok(())
    }
}

fn editor() -> rustyline::Result<Editor<Assistant, FileHistory>> {
    let colour = if colours(&std::io::stdout()) { ColorMode::Enabled } else { ColorMode::Disabled };
    let config = Config::builder()
        .max_history_size(history::ENTRIES_MAX)?
        .history_ignore_dups(true)?
        .completion_type(CompletionType::List)
        .color_mode(colour)
        .build();
    let mut editor = Editor::with_config(config)?;
    editor.set_helper(Some(Assistant::default()));
    Ok(editor)
}

/// With a file or a program at the other end.
fn script(mut session: Session) -> Result<(), Failure> {
    let mut input = std::io::stdin().lock();
    let (mut text, mut failed) = (String::new(), false);
    loop {
        let room = (LINE_MAX + 1).saturating_sub(text.len()) as u64;
        let read = (&mut input).take(room).read_line(&mut text);
        let count = read.map_err(|error| Failure::Usage(format!("standard input: {error}; write it in UTF-8")))?;
        if text.len() > LINE_MAX {
            return Err(Failure::Usage(format!("standard input: a line of over {LINE_MAX} bytes; write shorter ones")));
        }
        if count > 0 && scan::goes_on(&text) {
            continue;
        }
        match session.line(&text) {
            Flow::Leave => break,
            Flow::Failed => failed = true,
            Flow::Go => {}
        }
        if count == 0 {
            break;
        }
        text.clear();
    }
    if failed { Err(Failure::Finding) } else { Ok(()) }
}
