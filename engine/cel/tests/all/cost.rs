//! What an expression may take is known before it runs, and holds.

mod random;

use std::thread;

use weir_cel::{Env, EvalErrorKind, Scratch, Size, Type, Value, limits};

use crate::differential::generate::Random;
use random::{builder, expression, facts};

/// What people write about requests.
const EVERYDAY: &[&str] = &[
    r#"request.method == "GET" && request.path.startsWith("/api/")"#,
    r#"source.principal in ["cluster.local/ns/a/sa/b", "cluster.local/ns/a/sa/c"] || request.headers["x-role"] == "admin""#,
    r#"request.path.matches("^/v[0-9]+/users/[^/]+$")"#,
    r#"request.path.matches("^/[a-zA-Z0-9_-]{1,64}$")"#,
    r#"request.headers.exists(k, k.startsWith("x-") && request.headers[k].contains("evil"))"#,
    r#"request.headers.exists(k, v, k.startsWith("x-") && v.matches("(?i)select.+from"))"#,
    r#"request.headers.all(k, k.size() < 64 && request.headers[k].size() < 4096)"#,
    r#"request.headers.all(a, request.headers.all(b, a == b || !a.startsWith(b)))"#,
    r#"request.path.split("/").exists(part, part == "..")"#,
    r#"request.path.split("/").map(part, part.lowerAscii()).exists(part, part in ["admin", "root"])"#,
    r#"request.path.split("/").filter(part, part != "").join("/").lowerAscii().startsWith("api/v1")"#,
    r#"request.headers["cookie"].split("; ").exists(cookie, cookie.startsWith("session="))"#,
    r#"request.headers["cookie"].split(";").map(c, c.trim()).exists(c, c.split("=")[0] == "sid" && c.size() > 20)"#,
    r#"request.headers_all["x-forwarded-for"].exists(line, ["10.", "192.168."].exists(p, line.startsWith(p)))"#,
    r#"request.headers_all.exists(name, lines, lines.size() > 1 && name != "set-cookie")"#,
    r#"request.headers.map(k, k + "=" + request.headers[k]).join("&").contains("x")"#,
    r#"cidr("10.0.0.0/8").containsIP(source.ip) && request.time.getHours("Europe/Berlin") < 18"#,
    r#"destination.labels.all(k, k in ["app", "version"] || destination.labels[k] != "")"#,
    r#"sets.intersects(request.headers["x-groups"].split(","), ["admins", "operators"])"#,
    r#"request.path.matches(request.headers["x-pattern"])"#,
    r#"request.path.replace("//", "/").replace("%2f", "/") == request.path"#,
    r#""admins" in request.auth.claims.groups || request.auth.claims.realm.roles.exists(role, role.startsWith("ops-"))"#,
    r#"request.path.findAll("[0-9]+").exists(number, int(number) > 1000)"#,
    r#"request.headers.map(k, "%s: %s".format([k, request.headers[k]])).exists(line, line.matches("(?i)x-evil"))"#,
    r#"request.headers[?"authorization"].orValue("").startsWith("Bearer ")"#,
];

#[test]
fn what_people_write_is_admitted() {
    for source in EVERYDAY {
        let program = Env::vocabulary().compile(source).unwrap_or_else(|errors| panic!("{errors}"));
        let cost = program.cost();
        assert!(cost.steps.0 <= cost.steps.1 && cost.bytes.0 <= cost.bytes.1, "{source}: {cost}");
    }
}

#[test]
fn what_may_take_too_much_is_refused_and_what_takes_it_is_named() {
    let cubed = "request.headers.all(a, request.headers.all(b, request.headers.all(c, a == b || b == c)))";
    let ten = "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9]";
    let nested = (0..8).fold("1".to_owned(), |inner, level| format!("{ten}.map(v{level}, {inner})"));
    let doubled = (0..24).fold("request.path".to_owned(), |text, _| format!("[{text}].map(x, x + x)[0]"));
    let lists = (0..24).fold("request.path.split('/')".to_owned(), |list, _| format!("cel.bind(x, {list}, x + x)"));
    for (source, names, says) in [
        (cubed, "request.headers.all(c, a == b || b == c)", "`all` is evaluated up to 10,000 times and takes"),
        (nested.as_str(), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map(v1, ", "`map` is evaluated up to 1,000,000 times"),
        (doubled.as_str(), "x + x", "`+` alone takes"),
        (lists.as_str(), "x + x", "`+` alone takes"),
        (
            "request.path.replace('', request.path).size() > 1",
            "request.path.replace('', request.path)",
            "`replace` alone takes",
        ),
        (
            "request.headers.exists(k, request.path.matches(k))",
            "request.path.matches(k)",
            "`matches` is evaluated up to 100 times",
        ),
        (
            "request.path.split('').all(a, request.headers['x'].split('').all(b, a != b))",
            "request.headers['x'].split('')",
            "the limit is 250,000",
        ),
        (
            "request.headers.map(k, request.path).join('').matches('^(\\\\pL{1,10})+$')",
            "request.headers.map(k, request.path).join('').matches(",
            "`matches` alone takes",
        ),
    ] {
        let errors = Env::vocabulary().compile(source).map(|program| program.cost()).unwrap_err();
        let error = &errors.errors()[0];
        assert!(error.message.contains("the expression may "), "{source}\n{errors}");
        assert!(error.message.contains(says), "{source}\n{errors}");
        assert!(source[error.span.clone()].starts_with(names), "{source}\n{errors}");
        assert!(error.help.is_some());
    }
}

#[test]
fn a_refusal_reads_like_this() {
    let source = "request.headers.all(a, request.headers.all(b, request.headers.all(c, a != b || b != c)))";
    let errors = Env::vocabulary().compile(source).unwrap_err();
    assert_eq!(
        errors.to_string(),
        "1:47: the expression may take 21,929,576 steps, the limit is 250,000: `all` is evaluated up to 10,000 times and \
         takes 13,750,000\n  \
         | request.headers.all(a, request.headers.all(b, request.headers.all(c, a != b || b != c)))\n  \
         |                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^\n  \
         help: go through less, or compute what stays the same before: cel.bind(name, value, ...)"
    );
}

#[test]
fn limits_and_sizes_are_the_hosts() {
    let texts = || Env::builder().variable("texts", Type::list(Type::String)).cost_limit(1_000, 10_000);
    let source = "texts.all(a, texts.all(b, a == b))";
    assert!(texts().build().compile(source).is_err());
    let few = texts().size_hint("texts", Size::list(10, Size::text(32))).build();
    let cost = few.compile(source).unwrap().cost();
    assert_eq!((cost.steps, cost.bytes), ((0, 10 * (5 + 10 * 3)), (0, 0)), "{cost}");
    let free = Env::builder().variable("texts", Type::list(Type::String)).build();
    assert_eq!(free.compile(source).unwrap().cost().steps.1, 100 * (5 + 100 * (3 + limits::SIZE_TEXT / 64)));
    assert!(
        Env::builder()
            .vocabulary()
            .build()
            .compile("request.headers.map(a, request.headers.map(b, request.headers))")
            .is_ok()
    );
}

#[test]
fn a_variable_is_counted_once_however_often_it_is_read() {
    let env = Env::vocabulary();
    let costly = env.compile("request.path.split('/').map(part, part.lowerAscii())").unwrap();
    let with = env.with_lazy("parts", &costly).unwrap();
    let once = with.compile("parts.size() > 3").unwrap().cost();
    let twice = with.compile("parts.size() > 3 && parts.size() < 5 && parts.size() != 4").unwrap().cost();
    assert_eq!(once, twice);
    assert!(once.steps.1 > costly.cost().steps.1 && once.bytes.1 > costly.cost().bytes.1);
    let chained = with.with_lazy("more", &with.compile("parts + parts").unwrap()).unwrap();
    let both = chained.compile("more.size() + parts.size()").unwrap().cost();
    assert!(both.bytes.1 > once.bytes.1 && both.bytes.1 < 4 * once.bytes.1, "{both}, {once}");
    // What a variable may take is in the way of what reads it.
    let large = env.compile("request.headers.map(k, request.headers[k])").unwrap();
    let mut env = env;
    for index in 0..8 {
        env = env.with_lazy(&format!("v{index}"), &large).unwrap();
    }
    let errors = env.compile("[v0, v1, v2, v3, v4, v5, v6, v7].size() > 1").unwrap_err();
    assert!(errors.errors()[0].message.contains("`v0` alone takes"), "{errors}");
}

/// How many expressions, unless `WEIR_CEL_CASES` says otherwise.
const CASES: u64 = 1_500;

#[test]
fn what_an_evaluation_takes_is_within_its_estimate() {
    let cases: u64 = std::env::var("WEIR_CEL_CASES").map_or(CASES, |cases| cases.parse().unwrap());
    let work = move || {
        let (mut evaluated, mut stopped, mut tight) = (0, 0, 0);
        for seed in 0..cases {
            let random = &mut Random::new(seed);
            let mut env = builder().build();
            for name in ["v", "w"] {
                let kind = *random.pick(b"STAM");
                let source = expression(random, kind, 2);
                if let Ok(program) = env.compile(&source) {
                    env = env.with_lazy(name, &program).unwrap();
                }
            }
            let kind = b"BBBISLTMA"[random.below(9)];
            let source = expression(random, kind, 4);
            let source = match random.below(4) {
                0 => format!("[dyn(v), {source}, w].size() > 0 && [v] == [w]"),
                1 => format!("[1, 2].map(e, [v, {source}])"),
                _ => source,
            };
            let Ok(program) = env.compile(&source) else { continue };
            let cost = program.cost();
            for _ in 0..3 {
                let facts = facts(random);
                let mut scratch = Scratch::with_budget(50_000_000, 1 << 30);
                let outcome = program.evaluate(&facts, &mut scratch);
                let (steps, bytes) = (scratch.steps(), scratch.bytes());
                assert!(steps <= cost.steps.1, "seed {seed}: {steps} steps of {cost}: {source}");
                assert!(bytes <= cost.bytes.1, "seed {seed}: {bytes} bytes of {cost}: {source}");
                if outcome.is_ok() {
                    assert!(steps >= cost.steps.0, "seed {seed}: {steps} steps of {cost}: {source}");
                    assert!(bytes >= cost.bytes.0, "seed {seed}: {bytes} bytes of {cost}: {source}");
                    tight += u32::from(steps > 0 && steps.saturating_mul(4) >= cost.steps.1);
                }
                evaluated += 1;
                // With less than it takes it is stopped, and by nothing else.
                let less = [(steps / 2, u64::MAX), (u64::MAX, bytes / 2)][random.below(2)];
                if steps > less.0 || bytes > less.1 {
                    let error = program.evaluate(&facts, &mut Scratch::with_budget(less.0, less.1)).unwrap_err();
                    assert_eq!(error.kind, EvalErrorKind::Budget, "seed {seed}: {source}");
                    stopped += 1;
                }
            }
        }
        assert!(evaluated > cases && stopped > cases / 4 && tight > 0, "{evaluated}, {stopped}, {tight}");
    };
    thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn values_have_an_end_to_their_nesting() {
    // Each variable puts ninety lists around the one before it.
    let bracketed = |inner: &str| format!("{}{inner}{}", "[".repeat(45), "]".repeat(45));
    let mut source = "x".to_owned();
    for _ in 0..20 {
        source = format!("cel.bind(x, {}, {source})", bracketed("x"));
    }
    let source = format!("cel.bind(x, 1, {source})");
    for env in [Env::vocabulary(), Env::builder().build()] {
        let errors = env.compile(&source).unwrap_err();
        assert_eq!(errors.errors()[0].message, "values are nested more than 250 deep");
    }
    let optional =
        (0..60).fold("x".to_owned(), |inner, _| format!("cel.bind(x, [{{1: optional.of([[[x]]])}}], {inner})"));
    let errors = Env::builder().build().compile(&format!("cel.bind(x, 1, {optional})")).unwrap_err();
    assert_eq!(errors.errors()[0].message, "values are nested more than 250 deep");
}

#[test]
fn a_value_that_is_shared_many_times_is_copied_once() {
    let source = (0..60).fold("x".to_owned(), |inner, _| format!("cel.bind(x, [x, x], {inner})"));
    let program = Env::builder().build().compile(&format!("cel.bind(x, 1, {source})")).unwrap();
    let value = program.evaluate(&[], &mut Scratch::new()).unwrap().into_static();
    let Value::List(list) = value else { panic!() };
    assert_eq!(list.len(), 2);
}
