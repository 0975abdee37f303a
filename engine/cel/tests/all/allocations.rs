//! What policies do all day takes nothing from the heap: counted by the allocator, not by the budget.

use weir_attributes::{Bag, Slot, slot};
use weir_cel::{Activation, Candidates, Env, Index, Scratch, Type, Value};

const GROUPS: &str = "request.auth.claims.groups";

struct Request {
    bag: Bag,
    groups: [Value<'static>; 3],
}

impl Activation for Request {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.bag.attribute(slot)
    }

    fn bag(&self) -> Option<&Bag> {
        Some(&self.bag)
    }

    fn variable(&self, _: usize) -> Option<Value<'_>> {
        Some(Value::list(&self.groups))
    }
}

fn request(path: &str, principal: &str) -> Request {
    let bag = Bag::builder()
        .text(slot::REQUEST_METHOD, "GET")
        .text(slot::REQUEST_PATH, path)
        .text(slot::SOURCE_PRINCIPAL, principal)
        .int(slot::REQUEST_SIZE, 512)
        .header("x-role", "admin")
        .build();
    Request { bag, groups: ["qa", "web", "ops-eu"].map(Value::text) }
}

fn rules() -> Vec<String> {
    let rule = |index| {
        format!(
            r#"request.method == "GET" && request.path.startsWith("/svc{index}/") && source.principal == "sa/caller-{index}""#
        )
    };
    (0..50).map(rule).collect()
}

/// How many allocations an evaluation makes; the one before it has filled what is kept.
fn allocations(mut evaluate: impl FnMut()) -> u64 {
    evaluate();
    allocation_counter::measure(evaluate).count_total
}

#[test]
fn an_evaluation_allocates_nothing() {
    let env = Env::builder().vocabulary().variable(GROUPS, Type::list(Type::String)).build();
    let principals: Vec<_> = (0..20).map(|index| format!("\"sa/svc-{index}\"")).collect();
    let any = rules().iter().map(|rule| format!("({rule})")).collect::<Vec<_>>().join(" || ");
    for (source, path, principal) in [
        (r#"request.method == "GET" && request.path.startsWith("/api/")"#.to_owned(), "/api/v1", "sa/svc-19"),
        (
            format!(r#"source.principal in [{}] || request.headers["x-role"] == "admin""#, principals.join(", ")),
            "/",
            "sa/svc-19",
        ),
        // The principal is not in the list, so that the header is asked.
        (
            format!(r#"source.principal in [{}] || request.headers["x-role"] == "admin""#, principals.join(", ")),
            "/",
            "sa/other",
        ),
        (
            format!(r#"{GROUPS}.exists(g, g == "dev" || g.startsWith("ops-")) && request.size < 1048576"#),
            "/",
            "sa/svc-19",
        ),
        (r#"request.path.matches("^/v[0-9]+/users/[^/]+$")"#.to_owned(), "/v1/users/alice", "sa/svc-19"),
        (any, "/svc49/x", "sa/caller-49"),
    ] {
        let (program, request, mut scratch) = (env.compile(&source).unwrap(), request(path, principal), Scratch::new());
        let evaluate = || assert!(program.evaluate_bool(&request, &mut scratch).unwrap());
        assert_eq!(allocations(evaluate), 0, "{source}");
    }
}

#[test]
fn a_lookup_in_a_ruleset_allocates_nothing() {
    let programs: Vec<_> = rules().iter().map(|rule| Env::vocabulary().compile(rule).unwrap()).collect();
    let index = Index::new(&programs.iter().map(|program| program.alternatives()).collect::<Vec<_>>());
    let Request { bag, .. } = request("/svc49/x", "sa/caller-49");
    let (mut scratch, mut room) = (Scratch::new(), Candidates::new());
    let lookup = || {
        let found = index.lookup(&bag, &mut room);
        assert!(found.iter().any(|rule| programs[*rule as usize].evaluate_bool(&bag, &mut scratch).unwrap()));
    };
    assert_eq!(allocations(lookup), 0);
}

#[test]
fn what_does_allocate_is_counted() {
    let program = Env::vocabulary().compile(r#"request.method + "!" == "GET!""#).unwrap();
    let (Request { bag, .. }, mut scratch) = (request("/", ""), Scratch::new());
    assert!(allocations(|| assert!(program.evaluate_bool(&bag, &mut scratch).unwrap())) > 0);
}
