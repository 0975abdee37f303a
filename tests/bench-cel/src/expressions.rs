//! Five expressions of the kinds that policies are made of, and the request that they are true of.

use weir_attributes::{Bag, Slot, slot};
use weir_cel::{Activation, Env, Type, Value};

/// How many rules the ruleset has.
pub(crate) const RULES: usize = 50;

/// The text of a list of groups, which no attribute of the vocabulary is.
const GROUPS: &str = "request.auth.claims.groups";

/// An expression, and the path and principal that make it true.
pub(crate) struct Expression {
    pub(crate) name: &'static str,
    pub(crate) source: String,
    pub(crate) path: &'static str,
    pub(crate) principal: String,
    /// At least this many times faster than `cel`.
    pub(crate) bar: f64,
}

/// One rule of the ruleset.
pub(crate) fn rule(index: usize) -> String {
    format!(
        "(request.method == \"GET\" && request.path.startsWith(\"/svc{index}/\") && source.principal == \"{}\")",
        principal("caller-", index)
    )
}

fn principal(name: &str, index: usize) -> String {
    format!("spiffe://cluster.local/ns/prod/sa/{name}{index}")
}

/// a to e.
pub(crate) fn all() -> Vec<Expression> {
    let principals: Vec<_> = (0..20).map(|index| format!("\"{}\"", principal("svc-", index))).collect();
    let rules: Vec<_> = (0..RULES).map(rule).collect();
    let known = || principal("svc-", 19);
    let expression = |name, bar, path, principal, source: String| Expression { name, source, path, principal, bar };
    vec![
        expression(
            "a: method and path prefix",
            15.0,
            "/api/v1/items",
            known(),
            "request.method == \"GET\" && request.path.startsWith(\"/api/\")".into(),
        ),
        expression(
            "b: one of 20 principals, or a header",
            20.0,
            "/api/v1/items",
            known(),
            format!("source.principal in [{}] || request.headers[\"x-role\"] == \"admin\"", principals.join(", ")),
        ),
        expression(
            "c: any of the groups, and a size",
            25.0,
            "/api/v1/items",
            known(),
            format!("{GROUPS}.exists(g, g == \"dev\" || g.startsWith(\"ops-\")) && request.size < 1048576"),
        ),
        expression(
            "d: a path pattern",
            500.0,
            "/v1/users/alice",
            known(),
            "request.path.matches(\"^/v[0-9]+/users/[^/]+$\")".into(),
        ),
        expression(
            "e: the last of 50 rules, one expression",
            15.0,
            "/svc49/x",
            principal("caller-", RULES - 1),
            rules.join(" || "),
        ),
    ]
}

/// What the engine reads: a bag, and one variable beside it.
pub(crate) struct Request {
    pub(crate) bag: Bag,
    groups: Vec<Value<'static>>,
}

impl Activation for Request {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.bag.attribute(slot)
    }

    fn text(&self, slot: Slot) -> Option<&str> {
        self.bag.text(slot)
    }

    fn bag(&self) -> Option<&Bag> {
        Some(&self.bag)
    }

    fn variable(&self, _: usize) -> Option<Value<'_>> {
        Some(Value::list(&self.groups))
    }
}

const HEADERS: [(&str, &str); 3] = [("accept", "application/json"), ("x-role", "admin"), ("user-agent", "bench/1")];
const METHOD: &str = "GET";
const SIZE: i64 = 512;
const MEMBER_OF: [&str; 3] = ["qa", "web", "ops-eu"];

pub(crate) fn env() -> Env {
    Env::builder().vocabulary().variable(GROUPS, Type::list(Type::String)).build()
}

impl Expression {
    pub(crate) fn request(&self) -> Request {
        let mut bag = Bag::builder()
            .text(slot::REQUEST_METHOD, METHOD)
            .text(slot::REQUEST_PATH, self.path)
            .text(slot::SOURCE_PRINCIPAL, &self.principal)
            .int(slot::REQUEST_SIZE, SIZE)
            .build();
        for (name, value) in HEADERS {
            bag.add_header(name, value);
        }
        Request { bag, groups: MEMBER_OF.into_iter().map(Value::text).collect() }
    }

    /// The same for `cel`: one variable for each dotted name, which is its fastest way.
    pub(crate) fn context(&self, env: &std::sync::Arc<cel::Env>) -> cel::Context<'static, 'static> {
        let mut context = cel::Context::with_env(env.clone());
        let headers: std::collections::HashMap<String, String> =
            HEADERS.iter().map(|(name, value)| (name.to_string(), value.to_string())).collect();
        context.add_variable_from_value("request.method", METHOD.to_owned());
        context.add_variable_from_value("request.path", self.path.to_owned());
        context.add_variable_from_value("request.headers", headers);
        context.add_variable_from_value("request.size", SIZE);
        context.add_variable_from_value(GROUPS, MEMBER_OF.map(str::to_owned).to_vec());
        context.add_variable_from_value("source.principal", self.principal.clone());
        context
    }
}
