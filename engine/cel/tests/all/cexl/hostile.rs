//! Nothing overflows a 2 MiB stack, loops or allocates without end.

use std::thread;

use weir_cel::{
    EvalErrorKind, Scratch, Value,
    cexl::{Env, Type, Values},
    limits,
};

fn env() -> Env {
    Env::builder().attribute("s", Type::String).attribute("m", Type::StringMap).attribute("b", Type::Bool).build()
}

/// Compiles, evaluates and drops; says whether it was compiled.
fn survives(source: &str) -> bool {
    let program = env().compile(source);
    if let Ok(program) = &program {
        let _ = program.evaluate(&Values::of(&env()).with("s", Value::text("x")), &mut Scratch::new());
    }
    program.is_ok()
}

#[test]
fn no_shape_of_source_overflows_a_small_stack() {
    let work = || {
        for count in [50, 90, 120, 240, 248, 251, 400, 1_000, 2_000, 5_000, 20_000] {
            let repeat = |text: &str| text.repeat(count);
            for source in [
                format!("s{}", repeat("+s")),
                format!("s{}", repeat("|s")),
                format!("s{}", repeat("|s+s")),
                format!("b{}", repeat("&&b")),
                format!("b{}", repeat("||b&&b")),
                format!("b{}", repeat("==b")),
                format!("s{}", repeat(".s")),
                format!("s{}", repeat(".f()")),
                format!("m{}", repeat("[s]")),
                format!("{}s{}", repeat("m["), repeat("]")),
                format!("{}s{}", repeat("("), repeat(")")),
                format!("{}s{}", repeat("toLower("), repeat(")")),
                format!("{}s{}", repeat("(s|"), repeat(")")),
                format!("{}m{}", repeat("(m|"), repeat(")")) + "[s]",
                format!("{}m{}", repeat("conditional(b,m,"), repeat(")")) + "[s]",
                repeat("("),
                repeat("m["),
                repeat("f("),
                repeat("!"),
                repeat("-"),
                repeat("/*"),
                repeat("\""),
                repeat("s."),
            ] {
                survives(&source);
            }
        }
    };
    thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap().join().unwrap();
}

#[test]
fn long_chains_and_deep_brackets_have_their_limits() {
    for (source, good) in [
        (format!("b{}", "&&b".repeat(1_500)), true),
        (format!("s{}", "|s".repeat(1_500)), true),
        (format!("s{}", "+s".repeat(limits::HEIGHT_MAX - 2)), true),
        (format!("s{}", "+s".repeat(limits::HEIGHT_MAX)), false),
        (format!("{}s{}", "(".repeat(limits::NESTING_MAX), ")".repeat(limits::NESTING_MAX)), true),
        (format!("{}s{}", "(".repeat(limits::NESTING_MAX + 1), ")".repeat(limits::NESTING_MAX + 1)), false),
        (format!("s{}", "|s".repeat(limits::NODES_MAX)), false),
        (" ".repeat(limits::SOURCE_MAX) + "s", false),
    ] {
        assert_eq!(survives(&source), good, "{}...", &source[..source.len().min(20)]);
    }
}

#[test]
fn what_an_evaluation_does_is_charged() {
    let text = "a".repeat(4 * 1024 * 1024);
    let env = env();
    let values = Values::of(&env).with("s", Value::text(&text));
    for source in [
        "toLower(s)",
        "s + s + s + s + s + s + s + s",
        "dnsName(s)",
        "email(s)",
        "uri(s)",
        "ip(s)",
        "timestamp(s)",
        "dnsName(s) == dnsName(s)",
        "s.matches(s)",
    ] {
        let program = env.compile(source).unwrap();
        let error = program.evaluate(&values, &mut Scratch::new()).expect_err(source);
        assert_eq!(error.kind, EvalErrorKind::Budget, "{source}");
    }
}

#[test]
fn a_long_name_is_refused_before_it_is_decoded() {
    let text = format!("xn--{}", "a9".repeat(limits::DNS_NAME_MAX));
    let env = Env::builder().attribute("a", Type::DnsName).build();
    let program = env.compile("a == a").unwrap();
    let outcome = program.evaluate_bool(&Values::of(&env).with("a", Value::text(&text)), &mut Scratch::new());
    assert_eq!(outcome.unwrap_err().kind, EvalErrorKind::Conversion);
}

#[test]
fn no_damaged_source_makes_a_panic() {
    let pieces: Vec<char> = "\"'`\\.|&=!<>+()[],/*0x1eé\u{0} \n".chars().collect();
    let mut seed = 0x9e37_79b9_7f4a_7c15_u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let env = super::builder().build();
    let values = super::values(&env);
    let mut compiled = 0;
    for (source, _) in super::VALUES.iter().cycle().take(20_000) {
        let mut text: Vec<char> = source.chars().collect();
        for _ in 0..=next(3) {
            let at = next(text.len());
            match next(3) {
                0 => text.insert(at, pieces[next(pieces.len())]),
                1 if text.len() > 1 => drop(text.remove(at)),
                _ => text[at] = pieces[next(pieces.len())],
            }
        }
        if let Ok(program) = env.compile(&text.iter().collect::<String>()) {
            compiled += 1;
            let _ = program.evaluate(&values, &mut Scratch::new());
        }
    }
    assert!(compiled > 1_000, "only {compiled}");
}
