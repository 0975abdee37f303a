//! Nothing overflows a 2 MiB stack, loops or allocates without end, at any stage.

use std::{fmt::Write as _, thread};

use weir_attributes::{Bag, Slot, slot};
use weir_cel::{Activation, Env, EvalErrorKind, Origin, Reads, Scratch, Sensitive, Type, Value, limits};

/// Runs on the stack that a tokio worker has.
fn on_a_small_stack(work: impl FnOnce() + Send + 'static) {
    thread::Builder::new().stack_size(2 * 1024 * 1024).spawn(work).unwrap().join().unwrap();
}

fn env() -> Env {
    Env::builder()
        .vocabulary()
        .variable("a", Type::Dyn)
        .variable("l", Type::list(Type::Int))
        .variable("s", Type::String)
        .build()
}

/// Knows nothing.
struct Blind;

impl Activation for Blind {
    fn attribute(&self, _: Slot) -> Option<weir_attributes::Value<'_>> {
        None
    }

    fn knows(&self, _: Origin, _: Option<&str>) -> bool {
        false
    }
}

/// Knows every variable but the first.
struct Half<'a>(&'a [Value<'a>]);

impl Activation for Half<'_> {
    fn attribute(&self, _: Slot) -> Option<weir_attributes::Value<'_>> {
        None
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.0.get(index).cloned()
    }

    fn knows(&self, origin: Origin, _: Option<&str>) -> bool {
        origin != Origin::Variable(0)
    }
}

/// Compiles, evaluates in every way and drops; whatever the outcome, it returns.
fn survives(source: &str) {
    if let Ok(program) = env().compile(source) {
        let variables = [Value::Null, Value::from(vec![Value::Int(1)]), Value::from("x")];
        let _ = program.evaluate(&variables, &mut Scratch::new()).map(|value| value.into_static());
        let _ = (program.unguarded(), program.references().len());
        let _ = program.evaluate_tracked(&variables, &mut Scratch::new(), &mut Reads::new());
        let _ = program.evaluate_partial(&Blind, &mut Scratch::new());
        let _ = program.residual(&Blind, &mut Scratch::new());
        let _ = program.residual(&Half(&variables), &mut Scratch::new());
        let _ = program.explain(&variables, &mut Scratch::new(), Sensitive::Mask).to_string();
        let _ = program.explain(&Blind, &mut Scratch::new(), Sensitive::Show).to_string();
    }
}

#[test]
fn no_shape_of_source_overflows_a_small_stack() {
    on_a_small_stack(|| {
        for count in [50, 90, 120, 240, 248, 251, 400, 1_000, 2_000, 5_000, 20_000] {
            let repeat = |text: &str| text.repeat(count);
            for source in [
                format!("1{}", repeat("+1")),
                format!("1{}", repeat("*1-1")),
                format!("'a'{}", repeat("+'a'")),
                format!("a{}", repeat("[0]")),
                format!("a{}", repeat(".a")),
                format!("a{}", repeat(".?a")),
                format!("a{}", repeat(".f()")),
                format!("s{}", repeat(".trim()")),
                format!("{}1{}", repeat("("), repeat(")")),
                repeat("("),
                format!("{}1{}", repeat("["), repeat("]")),
                repeat("["),
                format!("{}1{}", repeat("{1:"), repeat("}")),
                repeat("{"),
                format!("{}true", repeat("!")),
                repeat("!!("),
                format!("{}true{}", repeat("!!("), repeat(")")),
                format!("{}1", repeat("-")),
                format!("{}1", repeat("- ")),
                format!("true{}", repeat("&&true")),
                format!("a == 1{}", repeat(" && a == 1")),
                format!("a == 1{}", repeat(" || a == 1")),
                format!("a{}", repeat("&&a||a")),
                format!("{}1", repeat("true?1:")),
                format!("{}1{}", repeat("true?"), repeat(":1")),
                format!("{}1{}", repeat("size("), repeat(")")),
                format!("{}1{}", repeat("[1].map(x,"), repeat(")")),
                format!("[1]{}", repeat(".map(x,x)")),
                format!("[1]{}", repeat(".map(x,[x])")),
                format!("{}true{}", repeat("[1].all(x,"), repeat(")")),
                format!("optional.none(){}", repeat(".or(optional.none())")),
                format!("{}a{}", repeat("cel.bind(a,1,"), repeat(")")),
                format!("[{}]", repeat("1,")),
                format!("{{{}}}", repeat("1:1,")),
                format!("a{{{}}}", repeat("f:1,")),
                format!("a in [{}]", repeat("1u,")),
                format!("1{}", repeat("<1")),
                repeat("a?"),
                repeat("\""),
                repeat("\\"),
                repeat("`a`."),
                format!("'{}'", repeat("\\n")),
            ] {
                survives(&source);
            }
        }
    });
}

/// The most that compiling a source of the longest may hold at once.
const COMPILE_MEMORY: u64 = 16 * 1024 * 1024;

#[test]
fn no_source_takes_much_memory_to_compile_or_to_refuse() {
    on_a_small_stack(|| {
        // The first is what made another parser allocate without end, at 126 bytes.
        for piece in [
            "!!(",
            "1+",
            "a.",
            "a[",
            "{a:",
            "[[",
            "true?a:",
            "x.all(y,",
            "'\\u00e9'+",
            "a||",
            "((",
            "-",
            "[?a,",
            "{?1:",
        ] {
            for length in [126, 1_024, limits::SOURCE_MAX] {
                let open = piece.repeat(length / piece.len());
                for source in [format!("{}1", &open[..open.len().saturating_sub(1)]), open] {
                    let held =
                        allocation_counter::measure(|| drop(env().compile(&source).map_err(|it| it.to_string())));
                    assert!(held.bytes_max < COMPILE_MEMORY, "{piece:?} {length}: {} bytes", held.bytes_max);
                }
            }
        }
    });
}

#[test]
fn chains_of_the_lengths_that_people_write_work() {
    on_a_small_stack(|| {
        let sum = env().compile(&format!("1{}", "+1".repeat(240))).unwrap();
        let value = sum.evaluate(&[Value::Null], &mut Scratch::new()).unwrap();
        assert_eq!(value.as_int(), Some(241));
        let any = (0..1_000).fold(String::from("a == 1000"), |mut source, number| {
            let _ = write!(source, "|| a == {number}");
            source
        });
        assert!(env().compile(&any).unwrap().evaluate_bool(&[Value::Int(999)], &mut Scratch::new()).unwrap());
        let parens = format!("{}1{}", "(".repeat(90), ")".repeat(90));
        assert!(env().compile(&parens).is_ok());
    });
}

#[test]
fn what_is_too_large_is_refused_with_its_limit() {
    let refused = |source: String| env().compile(&source).unwrap_err().errors()[0].message.clone();
    assert_eq!(refused(" ".repeat(limits::SOURCE_MAX + 1)), "the source is longer than 16384 bytes");
    assert_eq!(refused(format!("[{}]", "1,".repeat(5_000))), "the expression has more than 4000 parts");
    assert_eq!(refused("(".repeat(97)), "brackets are nested more than 96 deep");
    assert_eq!(refused(format!("1{}", "+1".repeat(1_000))), "the expression is more than 250 levels deep");
    let large = "s.matches('((a{100}){100}){100}')".to_owned();
    assert_eq!(refused(large), "the pattern needs more than 1048576 bytes when compiled");
}

#[test]
fn no_evaluation_takes_more_than_its_budget() {
    let ten = "[0,1,2,3,4,5,6,7,8,9]";
    let mut nested = String::from("1");
    let mut loops = String::from("true");
    for _ in 0..8 {
        nested = format!("{ten}.map(x, {nested})");
        loops = format!("{ten}.all(x, {loops})");
    }
    // Lists of one element whose element doubles, and macros in macros that nothing ends early.
    let mapped = (0..30).fold(String::from("'x'"), |text, _| format!("[{text}].map(x, x + x)[0]"));
    let products = (0..8).fold(String::from("false"), |inner, at| format!("{ten}.exists(x{at}, {inner})"));
    let transformed = (0..8).fold(String::from("1"), |inner, _| format!("{ten}.transformList(i, v, {inner})"));
    let doubled = "s.replace('','ssssssss')".to_owned() + &".replace('s','ssssssss')".repeat(20);
    let bind = (0..40).fold(String::from("x"), |inner, _| format!("cel.bind(x, x + x, {inner})"));
    let texts = format!("cel.bind(x, s, {bind})");
    let lists = format!("cel.bind(x, l, {bind})");
    let pairs = "cel.bind(big, s.replace('', 'ssssssssssssssssssssssss').replace('', 'ssssssss').split(''), \
                 big.all(x, big.all(y, x == y || s == 'x')))"
        .to_owned();
    let patterns = format!("{ten}.all(x, {ten}.all(y, s.matches(s + 'x*')))");
    on_a_small_stack(move || {
        for source in [nested, loops, mapped, products, transformed, doubled, texts, lists, pairs, patterns] {
            let program = env().compile(&source).unwrap_or_else(|errors| panic!("{errors}"));
            let variables = [Value::Null, Value::from(vec![Value::Int(1)]), Value::from("x")];
            let mut scratch = Scratch::new();
            let error = program.evaluate(&variables, &mut scratch).unwrap_err();
            assert_eq!(error.kind, EvalErrorKind::Budget, "{source}: {error}");
            assert!(scratch.bytes() <= limits::BYTES_DEFAULT);
        }
    });
}

#[test]
fn a_spent_budget_is_not_absorbed() {
    let program = env().compile("l.map(x, x).size() == 1 || s == ''").unwrap();
    let list = Value::from(vec![Value::Int(1); 1_000]);
    let variables = [Value::Null, list, Value::from("")];
    let error = program.evaluate_bool(&variables, &mut Scratch::with_budget(100, 1 << 20)).unwrap_err();
    assert_eq!(error.kind, EvalErrorKind::Budget);
    assert!(program.evaluate_bool(&variables, &mut Scratch::new()).unwrap());
}

#[test]
fn the_tallest_trees_are_explained_and_reduced_on_a_small_stack() {
    on_a_small_stack(|| {
        let mut env = env();
        let variables = [Value::Null, Value::from(vec![Value::Int(1)]), Value::from("x")];
        // Variables that together are as tall as may be.
        for index in 0.. {
            let before = if index == 0 { "l[0]".to_owned() } else { format!("v{}", index - 1) };
            let levels = [20, 1][usize::from(index > 5)];
            let source = format!("{}{before}{}", "[1].map(x, x + ".repeat(levels), ")[0]".repeat(levels));
            let Ok(program) = env.compile(&source) else { break };
            let explained = program.explain(&variables, &mut Scratch::new(), Sensitive::Show);
            assert!(explained.to_string().contains("[1].map"));
            let _ = program.evaluate_partial(&Blind, &mut Scratch::new());
            let _ = program.evaluate_tracked(&variables, &mut Scratch::new(), &mut Reads::new());
            let _ = program.residual(&Half(&variables), &mut Scratch::new());
            let _ = program.residual(&Blind, &mut Scratch::new());
            env = env.with_lazy(&format!("v{index}"), &program).unwrap();
        }
        let terms = (0..240).fold("a".to_owned(), |inner, _| format!("!({inner} && a)"));
        assert!(env.compile(&terms).is_err(), "brackets are limited too");
    });
}

#[test]
fn variables_that_read_variables_do_not_pile_up() {
    on_a_small_stack(|| {
        let mut env = env();
        let mut refused = false;
        for index in 0..limits::LAZIES_MAX {
            let before = if index == 0 { "1".to_owned() } else { format!("v{}", index - 1) };
            let source = format!("{}{before}{}", "[".repeat(40), "]".repeat(40));
            match env.compile(&source) {
                Ok(program) => {
                    survives(&source);
                    let _ = program.evaluate(&Bag::default(), &mut Scratch::new()).map(|value| value.into_static());
                    env = env.with_lazy(&format!("v{index}"), &program).unwrap();
                }
                Err(errors) => {
                    refused = errors.errors()[0].message.contains("levels deep");
                    break;
                }
            }
        }
        assert!(refused);
    });
}

#[test]
fn bytes_of_any_kind_are_survived() {
    on_a_small_stack(|| {
        let pieces = [
            "a",
            "l",
            "s",
            "1",
            "1u",
            "1.5",
            "'x'",
            "b'x'",
            "r'\\'",
            "true",
            "null",
            "in",
            "==",
            "<",
            "+",
            "-",
            "*",
            "/",
            "%",
            "!",
            "&&",
            "||",
            "?",
            ":",
            ".",
            ",",
            "(",
            ")",
            "[",
            "]",
            "{",
            "}",
            "has(",
            ".all(x,",
            ".map(x,",
            "size(",
            "\"",
            "`",
            "\\",
            "\u{0}",
            "é",
            "\u{10ffff}",
            "request.headers",
            "request.method",
            ".?",
            "[?",
            "{?",
            " ",
            "//",
            "\n",
        ];
        let mut state = 0x2545_f491_4f6c_dd1d_u64;
        let mut next = |below: usize| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            (state % below as u64) as usize
        };
        let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").header("x", "y").build();
        for _ in 0..20_000 {
            let length = next(24) + 1;
            let source: String = (0..length).map(|_| pieces[next(pieces.len())]).collect();
            match env().compile(&source) {
                Ok(program) => drop(program.evaluate(&bag, &mut Scratch::new()).map(|value| value.into_static())),
                Err(errors) => {
                    let _ = errors.to_string();
                    for error in errors.errors() {
                        assert!(source.get(error.span.clone()).is_some(), "{source:?} {error:?}");
                    }
                }
            }
        }
    });
}
