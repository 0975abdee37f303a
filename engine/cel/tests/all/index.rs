//! An index leaves out only what is surely false, and most of that.

use weir_attributes::{Bag, Labels, slot};
use weir_cel::{Alternative, Atom, Candidates, Env, Index, Program, Scratch};

fn compiled(rules: &[String]) -> Vec<Program> {
    rules.iter().map(|rule| Env::vocabulary().compile(rule).unwrap_or_else(|errors| panic!("{errors}"))).collect()
}

fn index(programs: &[Program]) -> Index {
    Index::new(&programs.iter().map(Program::alternatives).collect::<Vec<_>>())
}

const TERMS: &[&str] = &[
    r#"request.method == "GET""#,
    r#"request.method in ["PUT", "POST"]"#,
    r#"(request.method == "GET" || "HEAD" == request.method)"#,
    r#"request.method != "GET""#,
    r#"request.path.startsWith("/api/")"#,
    r#"request.path.startsWith("/api/v1/")"#,
    r#"request.path.startsWith("")"#,
    r#"request.path.endsWith(".php")"#,
    r#"request.path.endsWith("p")"#,
    r#"request.headers["x-role"] == "admin""#,
    r#"has(source.principal)"#,
    r#"source.principal == "a""#,
    r#"!(source.principal == "a")"#,
    r#"("x-role" in request.headers)"#,
    r#"has(destination.labels.app)"#,
    r#"destination.labels.app == "web""#,
    r#"cidr("10.0.0.0/8").containsIP(source.ip)"#,
    r#"cidr("10.1.0.0/16").containsIP(ip(source.ip))"#,
    r#"cidr("fd00::/8").containsIP(source.ip)"#,
    r#"request.size < 10"#,
    r#"true"#,
    r#"1 / request.size == 1"#,
];

fn bags() -> Vec<Bag> {
    let mut bags = Vec::new();
    for method in [None, Some("GET"), Some("POST"), Some("get"), Some("")] {
        for path in [None, Some("/api/v1/x.php"), Some("/api/"), Some("/ap"), Some("")] {
            for (principal, role) in [(None, None), (Some("a"), Some("admin")), (Some("b"), Some("Admin"))] {
                for address in
                    [None, Some("10.1.2.3"), Some("10.2.0.1"), Some("fd00::1"), Some("::ffff:10.1.2.3"), Some("x")]
                {
                    let mut bag = Bag::builder();
                    for (slot, text) in [
                        (slot::REQUEST_METHOD, method),
                        (slot::REQUEST_PATH, path),
                        (slot::SOURCE_PRINCIPAL, principal),
                        (slot::SOURCE_IP, address),
                    ] {
                        bag = text.into_iter().fold(bag, |bag, text| bag.text(slot, text));
                    }
                    bag = role.into_iter().fold(bag, |bag, role| bag.header("x-role", role));
                    if principal == Some("a") {
                        bag = bag.labels(
                            slot::DESTINATION_LABELS,
                            Labels::new([("app".to_owned(), "web".to_owned())].into()),
                        );
                        bag = bag.int(slot::REQUEST_SIZE, 0);
                    }
                    bags.push(bag.build());
                }
            }
        }
    }
    bags
}

/// Every pair of terms joined by `&&` and by `||`, and both nested.
fn rules() -> Vec<String> {
    let mut rules: Vec<String> = TERMS.iter().map(|term| (*term).to_owned()).collect();
    for (at, a) in TERMS.iter().enumerate() {
        for (next, b) in TERMS.iter().enumerate() {
            rules.push(format!("{a} && {b}"));
            rules.push(format!("{a} || {b}"));
            let c = TERMS[(at + 2 * next) % TERMS.len()];
            rules.push(format!("{a} && {b} || {c} && {b}"));
            rules.push(format!("({a} || {c}) && {b}"));
        }
    }
    rules
}

#[test]
fn what_is_left_out_is_false_and_no_error() {
    let rules = rules();
    let programs = compiled(&rules);
    let index = index(&programs);
    let (mut scratch, mut room) = (Scratch::new(), Candidates::new());
    let (mut asked, mut held, mut all) = (0, 0, 0);
    for bag in bags() {
        let found = index.lookup(&bag, &mut room);
        assert!(found.is_sorted_by(|a, b| a < b), "ascending, each once");
        for (rule, program) in programs.iter().enumerate() {
            let outcome = program.evaluate_bool(&bag, &mut scratch);
            if found.binary_search(&(rule as u32)).is_err() {
                assert_eq!(outcome.as_ref().ok(), Some(&false), "{} on {bag:?}", rules[rule]);
            }
            held += usize::from(outcome.is_ok_and(|held| held));
        }
        (asked, all) = (asked + found.len(), all + programs.len());
    }
    assert!(held > all / 10, "of {all} only {held} hold: the bags do not fit the rules");
    assert!(asked < all * 17 / 20, "of {all} still {asked} are asked");
}

#[test]
fn one_of_ten_thousand_is_found() {
    let rules: Vec<String> = (0..10_000)
        .map(|n| {
            format!(r#"request.method == "GET" && request.path.startsWith("/svc{n}/") && source.principal == "sa-{n}""#)
        })
        .collect();
    let index = index(&compiled(&rules));
    let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").text(slot::SOURCE_PRINCIPAL, "sa-4711").build();
    assert_eq!(index.lookup(&bag, &mut Candidates::new()), [4711]);
    assert_eq!(index.unindexed(), 0);
}

#[test]
fn nested_prefixes_and_suffixes_are_all_found() {
    let affixes = ["", "/", "/a", "/a/", "/a/b", "/a/bc", "/ab", "/b", "ä", "b/a", "a", "/a/b/a"];
    let sources = affixes.iter().flat_map(|affix| {
        [format!(r#"request.path.startsWith("{affix}")"#), format!(r#"request.path.endsWith("{affix}")"#)]
    });
    let index = index(&compiled(&sources.collect::<Vec<_>>()));
    let mut room = Candidates::new();
    for path in ["/a/b", "/a/b/c", "/a/bc", "", "/", "ä", "/ä", "/b/a", "a", "/a/b/a", "x"] {
        let bag = Bag::builder().text(slot::REQUEST_PATH, path).build();
        let expected: Vec<u32> = affixes
            .iter()
            .enumerate()
            .flat_map(|(at, affix)| {
                let at = 2 * at as u32;
                [path.starts_with(affix).then_some(at), path.ends_with(affix).then_some(at + 1)]
            })
            .flatten()
            .collect();
        assert_eq!(index.lookup(&bag, &mut room), expected, "{path:?}");
    }
}

#[test]
fn conjuncts_say_what_must_hold() {
    let one = |source: &str| -> Vec<String> {
        let program = Env::vocabulary().compile(source).unwrap();
        let text = |alternative: &Alternative| -> Vec<String> {
            alternative
                .iter()
                .map(|conjunct| {
                    let key = conjunct.subject.key.as_deref().map(|key| format!("[{key}]")).unwrap_or_default();
                    let guard = if conjunct.guarded { "guarded " } else { "" };
                    let atom = |atom: &Atom| match atom {
                        Atom::Exact(text) => text.to_string(),
                        Atom::Prefix(text) => format!("{text}…"),
                        Atom::Suffix(text) => format!("…{text}"),
                        Atom::Within(block) => block.to_string(),
                    };
                    let any = conjunct.any.iter().map(atom).collect::<Vec<_>>().join("|");
                    format!("{guard}{}{key}: {any}", conjunct.subject.slot.attribute().name)
                })
                .collect()
        };
        program.alternatives().iter().map(|alternative| text(alternative).join(" & ")).collect()
    };
    for (source, expected) in [
        (r#"request.method == "GET""#, vec!["request.method: GET"]),
        (r#"request.method == "GET" || request.method in ["PUT"]"#, vec!["request.method: GET|PUT"]),
        (r#"request.path == "/" || request.path.startsWith("/a/")"#, vec!["request.path: /|/a/…"]),
        (r#"request.method == "GET" || request.size > 1"#, vec!["request.method: GET", ""]),
        (
            r#"has(source.principal) && source.principal == "a" && request.path.endsWith(".php")"#,
            vec!["guarded source.principal: a & request.path: ….php"],
        ),
        (
            r#""x-role" in request.headers && request.headers["X-Role"].startsWith("ad")"#,
            vec!["guarded request.headers[x-role]: ad…"],
        ),
        (r#"cidr("10.1.2.3/8").containsIP(ip(source.ip))"#, vec!["source.ip: 10.0.0.0/8"]),
        (r#"!(request.method == "GET")"#, vec![""]),
        (r#"request.method == source.principal"#, vec![""]),
        (r#"request.path.split("/").exists(p, p == "x")"#, vec![""]),
    ] {
        assert_eq!(one(source), expected, "{source}");
    }
}
