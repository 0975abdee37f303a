//! Documents that are made to hurt, through `weir check-config`: a short answer that says where and what to do, or a good
//! configuration, in bounded time and memory.

use super::bounds::{self, Table};
use std::path::Path;
use std::process::Command;
use weir_tests::{repository, usage};

/// What a configuration may say at most, whatever is wrong with it.
const ANSWER_MAX: usize = 16 * 1024;

/// One document.
struct Row {
    name: &'static str,
    bytes: Vec<u8>,
    /// What its error says; none when it is good.
    error: Option<&'static str>,
    /// Seconds of CPU.
    seconds: u64,
}

fn good(name: &'static str, text: impl Into<Vec<u8>>) -> Row {
    Row { name, bytes: text.into(), error: None, seconds: 1 }
}

fn bad(name: &'static str, text: impl Into<Vec<u8>>, error: &'static str) -> Row {
    Row { error: Some(error), ..good(name, text) }
}

const WORKLOAD: &str =
    "apiVersion: policy.weir.dev/v1alpha1\nkind: Workload\nmetadata: {name: cart, namespace: shop}\nspec: {}\n";

/// How large a file may be.
const FILE: usize = 10 * 1024 * 1024;

fn policy(name: &str, rules: &str) -> String {
    format!(
        "---\napiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {{name: {name}, namespace: shop}}\n\
         spec:\n  action: ALLOW\n  rules:\n{rules}"
    )
}

fn policies(count: usize, each: usize, rule: impl Fn(usize) -> String) -> String {
    let rules = |at: usize| (0..each).map(|n| rule(at * each + n)).collect::<String>();
    (0..count).fold(WORKLOAD.to_owned(), |text, at| text + &policy(&format!("p{at}"), &rules(at)))
}

fn one(rule: &str) -> String {
    policies(1, 1, |_| rule.to_owned())
}

fn paths(inner: &str) -> String {
    one(&format!("  - to: [{{operation: {{paths: [{inner}]}}}}]\n"))
}

fn cel(expression: &str) -> String {
    format!(
        "{WORKLOAD}---\napiVersion: policy.weir.dev/v1alpha1\nkind: CelPolicy\nmetadata: {{name: c, namespace: shop}}\n\
         spec: {{action: DENY, rules: [{{expression: {}}}]}}\n",
        serde_json::Value::from(expression)
    )
}

fn matches(pattern: &str) -> String {
    cel(&format!("request.path.matches({})", serde_json::Value::from(pattern)))
}

fn laughs() -> String {
    let mut text = WORKLOAD.replace("spec: {}\n", "status:\n  a: &a [x,x,x,x,x,x,x,x,x,x]\n");
    for (above, name) in ('a'..='i').zip('b'..='j') {
        text += &format!("  {name}: &{name} [{}]\n", vec![format!("*{above}"); 10].join(","));
    }
    text + "spec: {}\n"
}

fn join(count: usize, item: impl Fn(usize) -> String) -> String {
    (0..count).map(item).collect::<Vec<_>>().join(", ")
}

fn rules() -> Vec<Row> {
    let caller = |n: usize| {
        format!(
            "  - from: [{{source: {{principals: [td/ns/n/sa/{n}]}}}}]\n    to: [{{operation: {{paths: [/{n}/*]}}}}]\n"
        )
    };
    // What is bounded is a document: these are 200 in one file.
    let many = |row: Row| Row { seconds: 5, ..row };
    vec![
        many(good("100,000 rules in 200 policies", policies(200, 500, caller))),
        many(good(
            "100,000 rules that no index finds",
            policies(200, 500, |n| format!("  - to: [{{operation: {{notPaths: [/{n}]}}}}]\n")),
        )),
        many(bad(
            "100,000 wrong rules",
            policies(200, 500, |_| "  - to: [{operation: {paths: [\"/{x}\"]}}]\n".to_owned()),
            "path template",
        )),
        bad(
            "100,000 rules in one policy",
            policies(1, 100_000, |n| format!("  - to: [{{operation: {{ports: [\"{n}\"]}}}}]\n")),
            "too large",
        ),
        bad("5,000 rules in one policy", policies(1, 5_000, caller), "at most 512"),
        bad("100,000 values", paths(&join(100_000, |n| format!("/{n}"))), "at most 4096"),
        good(
            "4,000 blocks",
            one(&format!(
                "  - from: [{{source: {{ipBlocks: [{}]}}}}]\n",
                join(4_000, |n| format!("10.{}.{}.{}/31", n >> 8, n & 255, n % 7))
            )),
        ),
        good(
            "500 rules of 2,000 stars",
            policies(1, 500, |_| format!("  - from: [{{source: {{namespaces: [\"{}\"]}}}}]\n", "*a".repeat(2_000))),
        ),
        good("a template of 1,000 segments", paths(&format!("\"/{}x\"", "{*}/".repeat(1_000)))),
        bad("a value of 10 MiB", paths(&format!("\"/{}\"", "a".repeat(FILE - 1_000))), "at most 8192"),
    ]
}

fn yaml() -> Vec<Row> {
    vec![
        good("10 MiB of comments", format!("{WORKLOAD}{}", format!("# {}\n", "x".repeat(97)).repeat(FILE / 100 - 10))),
        bad("more than 10 MiB", format!("{WORKLOAD}#{}", "x".repeat(FILE)), "at most"),
        bad("a billion laughs", laughs(), "aliases"),
        bad("50,000 anchors", paths(&join(50_000, |n| format!("&a{n} /{n}"))), "aliases"),
        bad("2,000,000 open lists", one(&format!("  - {}\n", "[".repeat(2_000_000))), "inside each other"),
        bad("2,000,000 dashes", one(&format!("  {}\n", "- ".repeat(2_000_000))), "inside each other"),
        bad("a quote that never closes", format!("{}\"{}", one("  - a: "), "a\n".repeat(5_000_000)), "quote"),
        bad("20,001 documents", policies(20_001, 0, |_| String::new()), "too many"),
        bad("a character that is none", paths("\"/\0\""), "character"),
        bad(
            "no text",
            (0..1_000_000_u32).map(|n| (n.wrapping_mul(2_654_435_761) >> 24) as u8).collect::<Vec<_>>(),
            "UTF-8",
        ),
        good(
            "60,000 labels",
            WORKLOAD.replace("spec: {}", &format!("spec: {{labels: {{{}}}}}", join(60_000, |n| format!("k{n}: v")))),
        ),
    ]
}

fn expressions() -> Vec<Row> {
    vec![
        bad("a pattern that explodes", matches("((a{1,1000}){1,1000}){1,1000}"), "needs more than"),
        bad("a pattern of 5,000 groups", matches(&format!("{}{}", "(".repeat(5_000), ")".repeat(5_000))), "nest"),
        good("a pattern that others backtrack on", matches("^(a+)+$")),
        bad("8,000 terms", cel(&format!("{}1 == 1", "1 + ".repeat(3_900))), "levels deep"),
        bad("3,000 brackets", cel(&format!("{}{} == []", "[".repeat(3_000), "]".repeat(3_000))), "nested"),
        bad(
            "five nested loops",
            cel(&format!(
                "{} true {}",
                (0..5).map(|n| format!("request.headers.all(a{n}, ")).collect::<String>(),
                ")".repeat(5)
            )),
            "may take",
        ),
        bad(
            "a key set of 400,000 keys",
            format!(
                "{WORKLOAD}---\napiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata: {{name: j, namespace: \
             shop}}\nspec: {{jwtRules: [{{issuer: a, jwks: '{{\"keys\":[{}{{}}]}}'}}]}}\n",
                "{\"kty\":\"oct\"},".repeat(400_000)
            ),
            "memory",
        ),
    ]
}

fn check(folder: &Path) -> (std::process::Output, usage::Usage) {
    usage::run(Command::new(repository::weir().unwrap()).arg("check-config").arg(folder)).unwrap()
}

#[test]
fn every_document_is_answered_shortly_in_bounded_time_and_memory() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("hostile.yaml");
    std::fs::write(&file, WORKLOAD).unwrap();
    let (_, usual) = check(folder.path());
    let mut table = Table::new("document");
    for row in [rules(), yaml(), expressions()].into_iter().flatten() {
        std::fs::write(&file, &row.bytes).unwrap();
        let (output, usage) = check(folder.path());
        let said = String::from_utf8(output.stdout).unwrap();
        let what = format!("{}: {:.2000}\n{}", row.name, said, String::from_utf8_lossy(&output.stderr));
        assert_eq!(output.status.code(), Some(i32::from(row.error.is_some())), "{what}");
        assert!(said.len() < ANSWER_MAX, "{} bytes: {what}", said.len());
        if let Some(error) = row.error {
            assert!(said.contains(error) && said.contains("--> ") && said.contains("help: "), "{what}");
        }
        table.row(row.name, usage.cpu, usage.peak.saturating_sub(usual.peak), bounds::document(row.seconds));
    }
    table.end();
}
