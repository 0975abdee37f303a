//! Expressions that would grow without end: known before they run, and stopped when they do, within their bytes.

use std::{fmt::Write as _, thread};

use weir_cel::{Env, EvalErrorKind, Scratch, Size, Type, Value};

/// The most bytes that are held while something is done, beside those that were held before.
fn peak<T>(work: impl FnOnce() -> T) -> (usize, T) {
    let mut done = None;
    let held = allocation_counter::measure(|| done = Some(work()));
    (held.bytes_max as usize, done.unwrap())
}

/// How often over an evaluation may hold what its byte budget says: a text or list is built, and then moved to where it
/// is shared.
const TIMES: usize = 3;

/// What an evaluation may hold beside: scratch space of fixed sizes.
const SLACK: usize = 256 * 1024;

/// Sources that grow without end, or nearly.
const BOMBS: &[&str] = &[
    "big.replace('', big)",
    "big.split('').map(c, big + c)",
    "big.split('').map(c, big.split(''))",
    "big.split('').join(big)",
    "big.split('').map(c, big).join(big)",
    "lists.range(1000000000)",
    "lists.range(9223372036854775807).map(i, i)",
    "big.split('').transformMap(i, c, big.lowerAscii() + c)",
    "big.split('').transformMapEntry(i, c, {c + string(i): big + c})",
    "regex.replace(big, 'a', big)",
    "big.findAll('.').map(x, regex.replace(big, '(.)', '\\\\1\\\\1\\\\1\\\\1'))",
    "big.findAll('').map(x, big.findAll('.'))",
    "big.split('').map(c, big.findAll('[ab]+'))",
    "big.split('').map(c, '%.1000f'.format([1e300 * double(size(c))]))",
    "big.split('').map(c, '%.999f%.999e'.format([1.5 * double(size(c)), 2.5]))",
    "big.split('').map(c, base64.encode(bytes(big)))",
    "big.split('').map(c, url('http://a/' + big))",
    "url('/?' + big.split('').transformList(i, c, string(i)).join('&')).getQuery().map(k, big + k)",
    "big.split('').map(c, l.map(x, [c, c, c].map(o, optional.of(o))))",
    "big.split('').sortBy(c, big + c)",
    "big.split('').map(c, google.protobuf.ListValue{values: big.split('')})",
    "big.split('').all(a, big.split('').all(b, a in big.split('') && b in big.split('')))",
    "sets.equivalent(lists.range(4000), lists.range(4000).reverse())",
    "big.split('').map(c, l + l).distinct() == [] || big.split('').map(c, c + big).sort() == []",
    "big.split('').map(c, strings.quote(big).reverse())",
];

/// The same, and those that are made of many parts.
fn bombs() -> Vec<String> {
    let ten = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let nested = (0..8).fold("1".to_owned(), |inner, _| format!("{ten}.map(x, {inner})"));
    let lists = (0..8).fold("1".to_owned(), |inner, _| format!("{ten}.map(x, [x, {inner}])"));
    let rounds = (0..9).fold("true".to_owned(), |inner, _| format!("{ten}.all(x, {inner})"));
    let doubled = (0..40).fold("x".to_owned(), |inner, _| format!("cel.bind(x, x + x, {inner})"));
    let mapped = (0..30).fold("s".to_owned(), |text, _| format!("[{text}].map(x, x + x)[0]"));
    let pairs = (0..40).fold("x".to_owned(), |inner, _| format!("cel.bind(x, [x, x], {inner})"));
    let mut block = String::from("cel.block([s");
    for slot in 0..40 {
        let _ = write!(block, ", cel.index({slot}) + cel.index({slot})");
    }
    let entries = (0..6).fold("{'a': 1}".to_owned(), |map, _| {
        format!("{ten}.transformMapEntry(i, v, {map}.transformMapEntry(k, w, {{string(k) + string(i): w}}))")
    });
    let made = [
        nested,
        lists,
        rounds,
        mapped,
        format!("cel.bind(x, s, {doubled})"),
        format!("cel.bind(x, l, {doubled})"),
        format!("cel.bind(x, b, {doubled})"),
        // Shared as it is small, and large when it is compared or written.
        format!("cel.bind(x, l, {pairs}) == cel.bind(x, l, {pairs})"),
        format!("'%s'.format([cel.bind(x, l, {pairs})])"),
        format!("cel.bind(x, [l], {pairs}).flatten(50)"),
        format!("{block}], cel.index(40))"),
        entries,
        format!("{ten}.map(x, lists.range(100000))"),
        format!("{ten}.all(x, {ten}.all(y, big.matches('(' + big.substring(0, 3000) + '){{1,9}}') || size(s) < x))"),
        format!("{ten}.map(x, {ten}.map(y, big.matches('[a-z]{{' + string(x * 10 + y + 1) + '}}\\\\w*')))"),
    ];
    BOMBS.iter().map(|source| (*source).to_owned()).chain(made).collect()
}

fn env() -> Env {
    Env::builder()
        .variable("s", Type::String)
        .variable("big", Type::String)
        .size_hint("big", Size::text(4_000))
        .variable("l", Type::list(Type::Int))
        .variable("b", Type::Bytes)
        .build()
}

#[test]
fn no_bomb_takes_more_than_its_budget_and_every_one_is_known_before_it_runs() {
    let work = || {
        let (env, big) = (env(), "ab".repeat(2_000));
        let variables =
            [Value::from("xyz"), Value::text(&big), Value::from(vec![Value::Int(1); 3]), Value::from(&b"abc"[..])];
        let mut wrong = Vec::new();
        for source in bombs() {
            let program = env.compile(&source).unwrap_or_else(|errors| panic!("{errors}"));
            for budget in [0, 4 << 10, 256 << 10, 4 << 20] {
                let mut scratch = Scratch::with_budget(250_000, budget as u64);
                let (held, outcome) =
                    peak(|| program.evaluate(&variables, &mut scratch).map(drop).map_err(|error| error.kind));
                let ends = outcome == Err(EvalErrorKind::Budget) && scratch.bytes() <= budget as u64;
                if !ends || held > TIMES * budget + SLACK {
                    wrong.push(format!("{held} bytes were held of {budget}, {outcome:?}: {source}"));
                }
            }
            let cost = program.cost();
            if cost.steps.1 <= 250_000 && cost.bytes.1 <= 4 << 20 {
                wrong.push(format!("{cost}: {source}"));
            }
        }
        assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    };
    thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn variables_that_double_each_other_end() {
    let mut env = env();
    for index in 0..60 {
        let before = if index == 0 { "big".to_owned() } else { format!("v{}", index - 1) };
        let program = env.compile(&format!("{before} + {before}")).unwrap();
        env = env.with_lazy(&format!("v{index}"), &program).unwrap();
    }
    let big = "ab".repeat(2_000);
    let variables = [Value::from("xyz"), Value::text(&big), Value::from(vec![]), Value::from(&b"abc"[..])];
    let program = env.compile("v59.size()").unwrap();
    let mut scratch = Scratch::new();
    let (held, outcome) = peak(|| program.evaluate(&variables, &mut scratch).map(drop).map_err(|error| error.kind));
    assert_eq!(outcome, Err(EvalErrorKind::Budget));
    assert!(held <= TIMES * (4 << 20) + SLACK, "{held}");
    assert!(program.cost().bytes.1 > 1 << 40);
}

#[test]
fn compiling_holds_no_more_than_its_limits() {
    let most = weir_cel::limits::REGEX_TOTAL_MAX;
    let patterns = (0..40).fold("s == ''".to_owned(), |all, index| format!("{all} || s.matches('\\\\w{{1{index}}}')"));
    let names = "a.b.c.d.e.f.g + ".repeat(900) + "1";
    let fields = (0..900).fold("x".to_owned(), |all, index| format!("{all} + dyn(s).f{index}"));
    let deep = format!("{}s{}", "[".repeat(90), "]".repeat(90));
    for source in [patterns, names, fields, deep, "[1,".repeat(90) + &"]".repeat(90), "'a' + ".repeat(240) + "''"] {
        let (held, _) = peak(|| env().compile(&source).map(|program| program.unguarded().len()));
        assert!(held <= 3 * most + (8 << 20), "{held} bytes: {}", source.get(..60).unwrap_or(&source));
    }
}
