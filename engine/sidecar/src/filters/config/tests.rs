#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use super::*;

/// Reads a file beside a module that has eight bytes.
fn plan(text: &str) -> Result<Plan, String> {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.wasm"), b"\0asm\x01\0\0\0").unwrap();
    let file = folder.path().join("filters.yaml");
    fs::write(&file, text).unwrap();
    read(&file, 8080).map_err(|error| error.to_string())
}

#[test]
fn phases_come_in_istios_order_and_priority_sorts_within_one() {
    let plan = plan(
        "
upstreams: {auth: 127.0.0.1:9000}
filters:
- {pluginName: last, url: a.wasm}
- {pluginName: stats, url: a.wasm, phase: STATS}
- {pluginName: authz, url: a.wasm, phase: AUTHZ}
- {pluginName: second, url: file://a.wasm, phase: AUTHN}
- {pluginName: first, url: a.wasm, phase: AUTHN, priority: 10, failStrategy: FAIL_OPEN, pluginConfig: {a: 1}}
",
    )
    .unwrap();
    let names: Vec<_> = plan.filters.iter().map(|spec| spec.name.as_str()).collect();
    assert_eq!(names, ["first", "second", "authz", "stats", "last"]);
    assert_eq!(plan.before, 3);
    let first = &plan.filters[0];
    assert_eq!((&first.plugin_config[..], first.failure_policy), (&br#"{"a":1}"#[..], FailurePolicy::FailOpen));
    assert_eq!((first.root_id.as_str(), &first.upstreams[..]), ("first", &["auth".to_owned()][..]));
    assert_eq!(first.surroundings.cluster_name, "inbound|8080||");
}

#[test]
fn what_cannot_be_used_is_refused_with_the_reason() {
    let cases = [
        ("filters: [{pluginName: a}]", "url"),
        ("filters: [{pluginName: a, url: b.wasm}]", "b.wasm"),
        ("filters: [{pluginName: a, url: 'https://x/a.wasm'}]", "is no file"),
        ("filters: [{pluginName: a, url: a.wasm, phase: FIRST}]", "FIRST"),
        ("filters: [{pluginName: a, url: a.wasm, sha256: 00}]", "has the sha256"),
        ("filters: [{pluginName: a, url: a.wasm, selector: {}}]", "selector"),
        ("upstreams: {a: 'https://b'}", "not of the form"),
    ];
    for (text, reason) in cases {
        let error = plan(text).unwrap_err();
        assert!(error.contains(reason), "{text}: {error}");
    }
    let digest = "93a44bbb96c751218e4c00d479e4c14358122a389acca16205b1e4d0dc5f9476";
    assert!(plan(&format!("filters: [{{pluginName: a, url: a.wasm, sha256: {digest}}}]")).is_ok());
}
