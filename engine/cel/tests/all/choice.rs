//! A long `||` is looked up in an index; the outcome is that of its terms, asked one after the other.

use weir_attributes::{Bag, Slot, slot};
use weir_cel::{Activation, Env, Scratch};

/// The same request, read through the trait alone.
struct Wrapped<'b>(&'b Bag);

impl Activation for Wrapped<'_> {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.0.get(slot)
    }
}

const TERMS: [&str; 14] = [
    r#"request.method == "GET" && source.principal == "a""#,
    r#"request.method == "GET" && source.principal == "b" && request.size / request.size == 1"#,
    r#"has(source.principal) && source.principal == "c""#,
    r#"request.path.startsWith("/api/") && 1 / request.size == 7"#,
    r#"request.path.startsWith("/api/v1/")"#,
    r#"request.path.endsWith(".php") && request.method != "GET""#,
    r#"request.headers["x-role"] == "admin""#,
    r#"cidr("10.0.0.0/8").containsIP(source.ip) && request.method == "PUT""#,
    r#"request.method in ["PUT", "POST"] && source.principal == "a""#,
    r#"request.method == "HEAD" && request.size > 5"#,
    r#"request.method == "DELETE""#,
    r#"request.host == "a.example" && (request.method == "GET" || request.size == 1)"#,
    r#"request.host.startsWith("b.")"#,
    r#"request.scheme == "https" && request.size == 2"#,
];

fn bags() -> Vec<Bag> {
    let mut bags = Vec::new();
    for method in [None, Some("GET"), Some("PUT"), Some("HEAD"), Some("X")] {
        for path in [None, Some("/api/v1/x"), Some("/api/x.php"), Some("/")] {
            for principal in [None, Some("a"), Some("b"), Some("z")] {
                for (size, host, address, role) in [
                    (None, None, None, None),
                    (Some(0), Some("a.example"), Some("10.1.2.3"), Some("admin")),
                    (Some(2), Some("b.example"), Some("no address"), Some("user")),
                    (Some(1), Some(""), Some("192.0.2.1"), None),
                ] {
                    let mut bag = Bag::default();
                    for (slot, text) in [
                        (slot::REQUEST_METHOD, method),
                        (slot::REQUEST_PATH, path),
                        (slot::SOURCE_PRINCIPAL, principal),
                        (slot::REQUEST_HOST, host),
                        (slot::SOURCE_IP, address),
                    ] {
                        text.into_iter().for_each(|text| bag.set_text(slot, text));
                    }
                    size.into_iter().for_each(|size| bag.set_int(slot::REQUEST_SIZE, size));
                    role.into_iter().for_each(|role| bag.add_header("x-role", role));
                    bags.push(bag);
                }
            }
        }
    }
    bags
}

#[test]
fn the_outcome_is_that_of_the_terms_one_after_the_other() {
    let env = Env::vocabulary();
    let terms: Vec<_> = TERMS.iter().map(|term| env.compile(term).unwrap()).collect();
    let all = env.compile(&TERMS.map(|term| format!("({term})")).join(" || ")).unwrap();
    let mut scratch = Scratch::new();
    let (mut held, mut failed) = (0, 0);
    for bag in bags() {
        let outcomes: Vec<_> = terms.iter().map(|term| term.evaluate_bool(&bag, &mut scratch)).collect();
        let expected = if outcomes.iter().any(|outcome| matches!(outcome, Ok(true))) {
            Ok(true)
        } else {
            outcomes.into_iter().find_map(Result::err).map_or(Ok(false), |error| Err(error.kind))
        };
        for activation in [&bag as &dyn Activation, &Wrapped(&bag)] {
            let outcome = all.evaluate_bool(activation, &mut scratch).map_err(|error| error.kind);
            assert_eq!(outcome, expected, "{bag:?}");
        }
        held += usize::from(expected == Ok(true));
        failed += usize::from(expected.is_err());
    }
    assert!(held > 50 && failed > 50, "{held} held, {failed} failed: the bags do not fit the terms");
}
