//! `weir-conformance SUITE FILE...`: a line for each case that fails, then `N passed, M failed`.

use std::{env, io::Write as _, path::PathBuf, process::ExitCode};

use weir_conformance::{SUITES, find, run};

fn main() -> ExitCode {
    let mut args = env::args_os().skip(1);
    let suite = args.next();
    let files: Vec<PathBuf> = args.map(PathBuf::from).collect();
    let found = suite.as_deref().and_then(|name| name.to_str()).and_then(find);
    let (Some(suite), false) = (found, files.is_empty()) else {
        return refuse(&usage(suite.as_deref().map(|name| name.to_string_lossy().into_owned())));
    };
    // The report tells of panics, each with its case.
    std::panic::set_hook(Box::new(|_| {}));
    match run(suite, &files) {
        Ok(report) => {
            let _ = write!(std::io::stdout().lock(), "{report}");
            if report.failures.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(1) }
        }
        Err(malformed) => refuse(&malformed.to_string()),
    }
}

fn refuse(why: &str) -> ExitCode {
    let _ = writeln!(std::io::stderr().lock(), "{why}");
    ExitCode::from(2)
}

fn usage(suite: Option<String>) -> String {
    let names: Vec<&str> = SUITES.iter().map(|suite| suite.name()).collect();
    let names = names.join(", ");
    let unknown = suite.filter(|name| find(name).is_none()).map(|name| format!("there is no suite `{name}`\n"));
    format!("{}usage: weir-conformance SUITE FILE...\nsuites: {names}", unknown.unwrap_or_default())
}
