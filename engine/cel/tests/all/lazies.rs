//! Variables that are evaluated when they are first read.

use std::cell::Cell;

use weir_attributes::{Bag, Slot, slot};
use weir_cel::{Activation, Env, EvalErrorKind, Scratch};

/// Counts how often an attribute is read.
struct Counting {
    bag: Bag,
    reads: Cell<usize>,
}

impl Activation for Counting {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.reads.set(self.reads.get() + 1);
        self.bag.get(slot)
    }
}

fn with(variables: &[(&str, &str)]) -> Env {
    variables.iter().fold(Env::vocabulary(), |env, (name, source)| {
        let program = env.compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        env.with_lazy(name, &program).unwrap()
    })
}

#[test]
fn a_variable_is_evaluated_once_an_activation_and_only_when_read() {
    let env = with(&[("variables.role", r#"request.headers["x-role"].lowerAscii()"#)]);
    let activation = Counting { bag: Bag::builder().header("x-role", "Admin").build(), reads: Cell::new(0) };
    let mut scratch = Scratch::new();
    let many = env.compile(r#"variables.role == "a" || variables.role == "b" || variables.role == "admin""#).unwrap();
    let none = env.compile(r#"request.method == "PUT" && variables.role == "admin""#).unwrap();
    assert!(many.evaluate_bool(&activation, &mut scratch).unwrap());
    assert_eq!(activation.reads.get(), 1);
    assert!(many.evaluate_bool(&activation, &mut scratch).unwrap());
    assert_eq!(activation.reads.get(), 1, "the memo serves other evaluations of the same activation");
    scratch.reset();
    assert!(many.evaluate_bool(&activation, &mut scratch).unwrap());
    assert_eq!(activation.reads.get(), 2);
    let put = Counting { bag: Bag::builder().text(slot::REQUEST_METHOD, "GET").build(), reads: Cell::new(0) };
    assert!(!none.evaluate_bool(&put, &mut Scratch::new()).unwrap());
    assert_eq!(put.reads.get(), 1, "only the method");
}

#[test]
fn a_variable_reads_those_before_it() {
    let env = with(&[
        ("variables.role", r#"request.headers[?"x-role"].orValue("guest")"#),
        ("variables.admin", r#"variables.role == "admin""#),
    ]);
    let program = env.compile("variables.admin").unwrap();
    let admin = Bag::builder().header("x-role", "admin").build();
    assert!(program.evaluate_bool(&admin, &mut Scratch::new()).unwrap());
    assert!(!program.evaluate_bool(&Bag::default(), &mut Scratch::new()).unwrap());
}

#[test]
fn two_environments_with_one_name_do_not_mix() {
    let (one, two) = (with(&[("variables.v", "1")]), with(&[("variables.v", "2")]));
    let (one, two) = (one.compile("variables.v == 1").unwrap(), two.compile("variables.v == 2").unwrap());
    let mut scratch = Scratch::new();
    assert!(one.evaluate_bool(&Bag::default(), &mut scratch).unwrap());
    assert!(two.evaluate_bool(&Bag::default(), &mut scratch).unwrap());
}

#[test]
fn an_error_in_a_variable_points_into_the_variable() {
    let env =
        with(&[("variables.role", r#"request.headers["x-role"]"#), ("variables.low", "variables.role.lowerAscii()")]);
    let program = env.compile(r#"request.method == "GET" && variables.low == "admin""#).unwrap();
    let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").build();
    let error = program.evaluate_bool(&bag, &mut Scratch::new()).unwrap_err();
    assert_eq!(error.kind, EvalErrorKind::AbsentKey);
    assert_eq!(error.to_string(), "`request.headers` has no key `x-role`, in `variables.role`");
    assert_eq!((error.span, error.variable.as_deref()), (0..25, Some("variables.role")));
}

#[test]
fn a_variable_that_is_headers_is_the_same_each_time_that_it_is_read() {
    let env = with(&[("variables.h", "request.headers"), ("variables.all", "[request.headers_all]")]);
    let bag = Bag::builder().header("x-role", "admin").header("x-joined", "a,b").joined_by_proxy().build();
    let mut scratch = Scratch::new();
    for source in [
        r#"variables.h["X-Role"] == "admin""#,
        r#"variables.h["X-Role"] == "admin""#,
        r#""X-Role" in variables.all[0]"#,
        r#""X-Joined" in variables.all[0]"#,
    ] {
        let program = env.compile(source).unwrap();
        assert!(program.evaluate_bool(&bag, &mut scratch).unwrap(), "{source}");
        assert!(program.evaluate_bool(&bag, &mut scratch).unwrap(), "{source}, again");
    }
    let doubt = env.compile(r#"variables.all[0]["x-joined"].size() == 1"#).unwrap();
    for _ in 0..2 {
        let error = doubt.evaluate_bool(&bag, &mut scratch).unwrap_err();
        assert_eq!(error.kind, EvalErrorKind::Doubt);
    }
}

#[test]
fn has_of_a_variable_is_false_where_what_it_reads_is_absent() {
    let env = with(&[("variables.role", r#"request.headers["x-role"]"#), ("variables.bad", "1 / (request.size - 1)")]);
    let run = |source: &str, bag: &Bag| {
        env.compile(source).unwrap().evaluate_bool(bag, &mut Scratch::new()).map_err(|error| error.kind)
    };
    assert_eq!(run("has(variables.role)", &Bag::default()), Ok(false));
    assert_eq!(run("has(variables.role)", &Bag::builder().header("x-role", "a").build()), Ok(true));
    let one = Bag::builder().int(slot::REQUEST_SIZE, 1).build();
    assert_eq!(run("has(variables.bad)", &one), Err(EvalErrorKind::DivideByZero));
}

#[test]
fn names_are_declared_once_and_are_names() {
    let env = with(&[("variables.v", "1")]);
    let program = env.compile("1").unwrap();
    for name in ["variables.v", "request.method", "1a", "a..b", "", "a-b"] {
        assert!(env.with_lazy(name, &program).is_err(), "{name}");
    }
    assert!(env.with_lazy("variables.w", &program).is_ok());
}
