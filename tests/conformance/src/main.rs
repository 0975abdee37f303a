//! `weir-conformance SUITE [--via ext_authz] FILE...`: a line for each case that fails, then `N passed, M failed`.

use std::{env, ffi::OsStr, io::Write as _, path::PathBuf, process::ExitCode};

use weir_conformance::{Malformed, Report, SUITES, Suite, find, run, via_ext_authz};

/// How many cases are asked through a door between two words about it.
const STEP: usize = 200;

/// What is asked, and how.
struct Asked {
    suite: &'static dyn Suite,
    through_door: bool,
    files: Vec<PathBuf>,
}

fn main() -> ExitCode {
    let asked = match asked() {
        Ok(asked) => asked,
        Err(why) => return refuse(&why),
    };
    // The report tells of panics, each with its case.
    std::panic::set_hook(Box::new(|_| {}));
    match asked.report() {
        Ok(report) => {
            let _ = write!(std::io::stdout().lock(), "{report}");
            if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(malformed) => refuse(&malformed.to_string()),
    }
}

impl Asked {
    fn report(&self) -> Result<Report, Malformed> {
        if self.through_door { via_ext_authz(&self.files, progress()) } else { run(self.suite, &self.files) }
    }
}

/// Says on standard error how far it is.
fn progress() -> impl Fn(usize, usize) {
    let said = std::cell::Cell::new(0);
    move |done, all| {
        if done == all || done / STEP > said.get() {
            said.set(done / STEP);
            let _ = writeln!(std::io::stderr().lock(), "{done} of {all} asked");
        }
    }
}

fn asked() -> Result<Asked, String> {
    let mut args = env::args_os().skip(1);
    let name = args.next();
    let suite = name.as_deref().and_then(OsStr::to_str).and_then(find);
    let mut rest: Vec<_> = args.collect();
    let via = rest.iter().position(|argument| argument == "--via");
    let door = via.map(|at| rest.drain(at..(at + 2).min(rest.len())).nth(1).unwrap_or_default());
    let files: Vec<PathBuf> = rest.into_iter().map(PathBuf::from).collect();
    let (Some(suite), false) = (suite, files.is_empty()) else {
        return Err(usage(name.as_deref().map(|name| name.to_string_lossy().into_owned())));
    };
    if door.as_deref().is_some_and(|door| door != "ext_authz" || suite.name() != "authz") {
        return Err("--via asks the suite `authz` through a door: write authz --via ext_authz FILE...".to_owned());
    }
    Ok(Asked { suite, through_door: door.is_some(), files })
}

fn refuse(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{why}");
    ExitCode::from(2)
}

fn usage(suite: Option<String>) -> String {
    let names: Vec<&str> = SUITES.iter().map(|suite| suite.name()).collect();
    let names = names.join(", ");
    let unknown = suite.filter(|name| find(name).is_none()).map(|name| format!("there is no suite `{name}`\n"));
    format!("{}usage: weir-conformance SUITE [--via ext_authz] FILE...\nsuites: {names}", unknown.unwrap_or_default())
}
