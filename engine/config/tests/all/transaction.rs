//! All or nothing, and never nothing by accident.

use std::fs;

use weir_config::{Kind, LastGood, Options, Severity, load, load_sources};
use weir_policy::Claim;

use crate::folder::{ALLOW, CEL, everything, files, one};

const OTHER: &str = "apiVersion: policy.weir.dev/v1alpha1
kind: Workload
metadata: {name: cart}
spec: {}
";

#[test]
fn one_of_each_kind_is_loaded_and_compiles() {
    let loaded = one(&everything()).unwrap();
    assert_eq!((loaded.resources(), loaded.policies()), (5, 2));
    assert_eq!(loaded.documents.mesh.as_ref().unwrap().spec.trust_domain, "example.org");
    assert_eq!(loaded.documents.mesh.as_ref().unwrap().namespace, "default");
    assert_eq!(loaded.documents.workloads[0].spec.labels["app"], "cart");
    assert_eq!(loaded.documents.authorization[0].namespace, "shop");
    let (set, warnings) = loaded.compile().unwrap();
    let workload = set.workloads().resolve(&Claim { workload: Some("shop/cart"), ..Claim::default() }).unwrap();
    let ruleset = set.ruleset(&workload);
    assert_eq!([1, 8080].map(|port| ruleset.peer().of_port(port).to_string()), ["STRICT", "PERMISSIVE"]);
    assert!(warnings.is_empty(), "{warnings}");
}

#[test]
fn documents_know_where_they_come_from() {
    let loaded =
        files([("b.yaml", ALLOW), ("a.yaml", &format!("# first\n\n---\n{CEL}"))], &Options::default()).unwrap();
    let cel = loaded.documents.cel[0].id;
    assert_eq!(loaded.place(cel).unwrap().to_string(), "config/a.yaml:5:7");
    assert_eq!(loaded.resource(cel).unwrap(), "CelPolicy shop/no-bots");
    let allow = loaded.documents.authorization[0].id;
    assert_eq!(loaded.place(allow).unwrap().to_string(), "config/b.yaml:2:7");
    assert_eq!(loaded.place(99), None);
}

#[test]
fn one_error_refuses_everything_and_all_errors_are_told() {
    let found = files(
        [
            ("good.yaml", ALLOW),
            ("z.yaml", "kind: Policy\n"),
            ("m.yaml", "a: [\n"),
            ("n.yaml", &ALLOW.replace("GET", "[]")),
        ],
        &Options::default(),
    )
    .unwrap_err();
    let places: Vec<_> = found.iter().map(|d| (d.place.file.as_str(), d.place.line > 0)).collect();
    assert_eq!(places, [("config/m.yaml", true), ("config/n.yaml", true), ("config/z.yaml", true)]);
    assert_eq!(found.errors(), 3);
    assert!(found.iter().all(|d| d.severity == Severity::Error));
}

#[test]
fn a_folder_without_resources_is_refused_unless_that_is_meant() {
    for empty in ["", "# nothing\n", "---\n---\n", "null\n"] {
        let found = one(empty).unwrap_err();
        assert!(found.first().unwrap().to_string().contains("--allow-empty"), "{found}");
        let loaded = files([("a.yaml", empty)], &Options { allow_empty: true, ..Options::default() }).unwrap();
        assert_eq!(loaded.resources(), 0);
    }
}

#[test]
fn losing_all_policies_at_once_is_refused_unless_that_is_meant() {
    let lost = Options { previous_policies: 7, ..Options::default() };
    let found = files([("a.yaml", OTHER)], &lost).unwrap_err();
    assert!(found.first().unwrap().message.contains("loses all 7 policies"), "{found}");
    files([("a.yaml", OTHER)], &Options { allow_empty: true, ..lost.clone() }).unwrap();
    files([("a.yaml", OTHER)], &Options::default()).expect("there was none to lose");
    files([("a.yaml", ALLOW)], &lost).expect("one is not none");
}

#[test]
fn the_same_content_has_the_same_version() {
    let version = |text: &str| one(text).unwrap().version;
    assert_eq!(version(ALLOW), version(ALLOW));
    assert_ne!(version(ALLOW), version(&format!("{ALLOW}# comment\n")));
}

#[test]
fn two_of_one_name_name_both_places_and_other_kinds_may_share_it() {
    let renamed = CEL.replace("no-bots", "allow-get");
    files([("a.yaml", ALLOW), ("b.yaml", &renamed)], &Options::default()).unwrap();
    let beta = ALLOW.replace("istio.io/v1", "istio.io/v1beta1");
    let found = files([("a.yaml", ALLOW), ("b.yaml", &beta)], &Options::default()).unwrap_err();
    let first = found.first().unwrap();
    assert_eq!(first.place.to_string(), "config/b.yaml:4:9");
    assert_eq!(first.related.as_ref().unwrap().place.to_string(), "config/a.yaml:4:9");
}

#[test]
fn two_meshes_are_refused() {
    let mesh = |name: &str| {
        format!("apiVersion: policy.weir.dev/v1alpha1\nkind: MeshConfig\nmetadata: {{name: {name}}}\nspec: {{}}\n")
    };
    let found = one(&[mesh("a"), mesh("b")].join("---\n")).unwrap_err();
    assert_eq!(found.first().unwrap().place.line, 7, "{found}");
    assert_eq!(found.first().unwrap().related.as_ref().unwrap().place.line, 2);
}

#[test]
fn what_an_api_server_adds_is_accepted() {
    let text = ALLOW.replace(
        "  namespace: shop\n",
        "  namespace: shop
  uid: 6f1c
  resourceVersion: \"1\"
  generation: 3
  creationTimestamp: \"2024-01-01T00:00:00Z\"
  finalizers: [x]
  ownerReferences: [{kind: A}]
  deletionTimestamp: null
  managedFields: [{manager: kubectl, fieldsV1: {\"f:spec\": {}}}]
  labels: {team: a}
  annotations: {note: b}
",
    ) + "status: {conditions: [{type: Ready}]}\n";
    let loaded = one(&text).unwrap();
    assert_eq!(loaded.documents.authorization[0].labels["team"], "a");
    assert_eq!(loaded.documents.authorization[0].annotations["note"], "b");
}

#[test]
fn json_is_yaml() {
    let text = r#"{"apiVersion": "policy.weir.dev/v1alpha1", "kind": "Workload",
	"metadata": {"name": "cart"}, "spec": {"labels": {"app": "cart"}}}"#;
    let loaded = files([("a.json", text)], &Options::default()).unwrap();
    assert_eq!(loaded.documents.workloads[0].spec.labels["app"], "cart");
}

#[test]
fn kinds_are_found_by_the_names_they_print() {
    for kind in Kind::ALL {
        let text = format!("apiVersion: {}\nkind: {kind}\nmetadata: {{name: a}}\nspec: 1\n", kind.api_versions()[0]);
        let found = one(&text).unwrap_err();
        assert_eq!(found.first().unwrap().place.line, 4, "{found}");
    }
}

#[test]
fn what_was_accepted_serves_again_from_the_state_folder() {
    let dir = tempfile::tempdir().unwrap();
    let config = dir.path().join("config");
    fs::create_dir(&config).unwrap();
    fs::write(config.join("a.yaml"), ALLOW).unwrap();
    let state = LastGood::open(&dir.path().join("state")).unwrap();
    let loaded = load(&config, &Options::default()).unwrap();
    state.save(loaded.sources()).unwrap();
    fs::write(config.join("a.yaml"), "kind: [").unwrap();
    assert!(load(&config, &Options::default()).is_err());
    let again = load_sources(state.load(&config).unwrap().unwrap(), &Options::default()).unwrap();
    assert_eq!(again.version, loaded.version);
    assert_eq!(again.policies(), 1);
}

#[test]
fn a_plugin_is_looked_for_beside_its_yaml_then_in_the_plugin_folder() {
    let dir = tempfile::tempdir().unwrap();
    let (config, plugins) = (dir.path().join("config"), dir.path().join("plugins"));
    fs::create_dir_all(config.join("sub")).unwrap();
    fs::create_dir(&plugins).unwrap();
    let adapter = "apiVersion: policy.weir.dev/v1alpha1
kind: Adapter
metadata: {name: deny-list}
spec:
  source: {file: deny.wasm}
  config: {list: [a, {b: 1.5}], secret: CANARY}
  limits: {memoryMiB: 16, timeoutMs: 5}
  failurePolicy: Open
";
    fs::write(config.join("sub/a.yaml"), adapter).unwrap();
    let options = Options { plugin_dir: Some(plugins.clone()), ..Options::default() };
    let found = load(&config, &options).unwrap_err();
    let first = found.first().unwrap();
    assert_eq!((first.place.line, first.place.column), (5, 18), "{found}");
    assert!(
        first.help.as_ref().unwrap().contains("sub/deny.wasm")
            && first.help.as_ref().unwrap().contains("plugins/deny.wasm")
    );

    fs::write(plugins.join("deny.wasm"), "").unwrap();
    let loaded = load(&config, &options).unwrap();
    assert_eq!(loaded.adapters[0].spec.source.path, plugins.join("deny.wasm"));
    assert_eq!(loaded.adapters[0].spec.config["list"][1]["b"], 1.5);
    assert!(!format!("{loaded:?}").contains("CANARY"), "a credential is not printed");

    fs::write(config.join("sub/deny.wasm"), "").unwrap();
    let mut loaded = load(&config, &options).unwrap();
    assert_eq!(loaded.adapters[0].spec.source.path, config.join("sub/deny.wasm"));
    loaded.bind_check_adapters(|adapter| adapter.name == "deny-list");
    assert_eq!(loaded.documents.check_adapters[0].name, "default/deny-list");
    assert_eq!(loaded.documents.check_adapters[0].id, loaded.adapters[0].id);
}

#[test]
fn two_thousand_policies_in_one_file_load() {
    let text: String = (0..2_000).map(|n| format!("---\n{}", ALLOW.replace("allow-get", &format!("p{n}")))).collect();
    let loaded = one(&text).unwrap();
    assert_eq!(loaded.policies(), 2_000);
    assert_eq!(loaded.place(1_999).unwrap().line, 1_999 * 12 + 3);
}
