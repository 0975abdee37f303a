//! The libraries of functions, a table each: what holds, what fails while running, and what is refused before.

mod awkward;
mod block;
mod encoders;
mod format;
mod lists;
mod math;
mod regex;
mod semver;
mod url;

use weir_cel::{Env, EvalErrorKind, Scratch, Type, Value};

/// `x` is dyn and null, `n` is an int, 7, `s` is a string, "héllo".
fn env() -> Env {
    Env::builder().variable("x", Type::Dyn).variable("n", Type::Int).variable("s", Type::String).build()
}

fn values() -> [Value<'static>; 3] {
    [Value::Null, Value::Int(7), Value::from("héllo")]
}

/// Each is true.
pub(crate) fn holds(table: &[&str]) {
    for source in table {
        let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        match program.evaluate_bool(&values(), &mut Scratch::new()) {
            Ok(value) => assert!(value, "{source}"),
            Err(error) => panic!("{source}: {error}"),
        }
    }
}

/// Each gives that text.
pub(crate) fn gives(table: &[(&str, &str)]) {
    for (source, expected) in table {
        let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        match program.evaluate(&values(), &mut Scratch::new()) {
            Ok(value) => assert_eq!(value.as_str(), Some(*expected), "{source}"),
            Err(error) => panic!("{source}: {error}"),
        }
    }
}

/// Each compiles, and fails like that.
pub(crate) fn fails(table: &[(&str, EvalErrorKind)]) {
    for (source, kind) in table {
        let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        match program.evaluate(&values(), &mut Scratch::new()) {
            Ok(value) => panic!("{source}: {value}"),
            Err(error) => assert_eq!(error.kind, *kind, "{source}"),
        }
    }
}

/// Each is refused with that message, and what it underlines is that.
pub(crate) fn refuses(table: &[(&str, &str, &str)]) {
    for (source, underlined, message) in table {
        let errors = env().compile(source).expect_err(source);
        let error = &errors.errors()[0];
        assert!(error.message.contains(message), "{source}: {}", error.message);
        assert_eq!(&source[error.span.clone()], *underlined, "{source}");
    }
}

/// The types of results.
pub(crate) fn types(table: &[(&str, &str)]) {
    for (source, expected) in table {
        let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        assert_eq!(program.result_type().to_string(), *expected, "{source}");
    }
}

/// Each is stopped by its budget, before it takes much memory.
pub(crate) fn stopped(table: &[&str]) {
    for source in table {
        let program = env().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        match program.evaluate(&values(), &mut Scratch::with_budget(20_000, 64 * 1024)) {
            Ok(value) => panic!("{source}: {} bytes", value.to_string().len()),
            Err(error) => assert_eq!(error.kind, EvalErrorKind::Budget, "{source}"),
        }
    }
}
