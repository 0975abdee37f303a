//! What a suite is, and how its cases are asked and counted.

use std::{
    any::Any,
    collections::BTreeMap,
    fmt,
    panic::{AssertUnwindSafe, catch_unwind},
    path::{Path, PathBuf},
    thread,
};

/// The stack that every case runs on: that of a worker thread of the engine.
pub const STACK_BYTES: usize = 2 * 1024 * 1024;

/// One kind of rows, and what they are asked of.
pub trait Suite: Sync {
    /// The name on the command line.
    fn name(&self) -> &'static str;

    /// The cases of a file.
    ///
    /// # Errors
    /// A file that cannot be read. A row that the suite cannot ask is a case that fails.
    fn cases(&self, file: &Path) -> Result<Vec<Case>, Malformed>;
}

/// One question with its answer.
#[allow(missing_debug_implementations, reason = "the task is a closure")]
pub struct Case {
    /// What the row calls itself, and where it stands: `FILE:LINE` where lines are rows.
    pub name: String,
    /// What to do with it.
    pub task: Task,
}

impl Case {
    /// A case that fails: a row that the suite cannot make a question of. The others are asked all the same.
    pub(crate) fn unreadable(name: String, problem: String) -> Self {
        Self { name, task: Task::Ask(Box::new(move || Verdict::unreadable(problem))) }
    }
}

/// What to do with a case.
#[allow(missing_debug_implementations, reason = "one of them is a closure")]
pub enum Task {
    /// Ask.
    Ask(Box<dyn FnOnce() -> Verdict + Send>),
    /// Leave it out, and count it under that reason: `need test messages`.
    Skip(&'static str),
}

/// What a case came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The answer is the row's.
    Passed,
    /// It is another one.
    Failed {
        /// What the row says.
        expected: String,
        /// What the crate says.
        got: String,
        /// What decided: a rule of a policy, or what of the answer differs: the value, the type, that it is an error...
        rule: String,
    },
}

impl Verdict {
    /// Of a row that the suite cannot make a question of.
    pub(crate) fn unreadable(problem: String) -> Self {
        Self::Failed { expected: "a row that the suite can ask".to_owned(), got: problem, rule: "row".to_owned() }
    }
}

/// A file that cannot be read, or holds no JSON at some place.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{place}: {problem}")]
pub struct Malformed {
    /// `FILE` or `FILE:LINE`.
    pub place: String,
    /// What is wrong with it.
    pub problem: String,
}

/// The answers of many cases. It displays a line for each failure, one for each reason that cases were left out for, and
/// `N passed, M failed`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// How many cases passed.
    pub passed: usize,
    /// A line for each case that failed.
    pub failures: Vec<String>,
    /// How many cases were left out, by their reason.
    pub skipped: BTreeMap<&'static str, usize>,
}

impl Report {
    /// Adds what a case came to.
    pub(crate) fn count(&mut self, name: &str, verdict: Verdict) {
        match verdict {
            Verdict::Passed => self.passed += 1,
            Verdict::Failed { expected, got, rule } => {
                let line = format!("{name}: expected {expected}, got {got} (decided by: {rule})");
                self.failures.push(on_one_line(&line));
            }
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for failure in &self.failures {
            writeln!(f, "{failure}")?;
        }
        for (reason, count) in &self.skipped {
            writeln!(f, "skipped: {count} {reason}")?;
        }
        writeln!(f, "{} passed, {} failed", self.passed, self.failures.len())
    }
}

/// Asks every case of these files.
///
/// # Errors
/// A file that cannot be read: then nothing is counted.
pub fn run(suite: &'static dyn Suite, files: &[PathBuf]) -> Result<Report, Malformed> {
    let mut cases = Vec::new();
    for file in files {
        cases.extend(suite.cases(file)?);
    }
    let asking = thread::Builder::new().stack_size(STACK_BYTES).spawn(move || ask(cases));
    let outcome = asking.map_err(|error| error.to_string()).and_then(|thread| thread.join().map_err(|_| String::new()));
    outcome.map_err(|error| Malformed { place: suite.name().to_owned(), problem: format!("no thread: {error}") })
}

fn ask(cases: Vec<Case>) -> Report {
    let mut report = Report::default();
    for Case { name, task } in cases {
        let ask = match task {
            Task::Skip(reason) => {
                *report.skipped.entry(reason).or_default() += 1;
                continue;
            }
            Task::Ask(ask) => ask,
        };
        match catch_unwind(AssertUnwindSafe(ask)) {
            Ok(verdict) => report.count(&name, verdict),
            Err(panic) => report.failures.push(on_one_line(&format!("{name}: panicked: {}", words(&*panic)))),
        }
    }
    report
}

fn words(panic: &(dyn Any + Send)) -> &str {
    let text = panic.downcast_ref::<&str>().copied();
    text.or_else(|| panic.downcast_ref::<String>().map(String::as_str)).unwrap_or("without words")
}

fn on_one_line(text: &str) -> String {
    text.replace('\r', "\\r").replace('\n', "\\n")
}

#[cfg(test)]
mod tests;
