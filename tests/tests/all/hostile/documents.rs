//! YAML, CEL and Wasm: through the watched folder, and through `weir check-config`, which is the same validator.

use super::{generator, inputs, serves_on};
use crate::story::{allow, deny, workload};
use serde_json::Value;
use std::collections::BTreeSet;
use std::path::Path;
use weir_tests::house::{House, Plan};
use weir_tests::random::Random;
use weir_tests::{patience, repository};

/// How many bad documents are put into the folder at once.
const BATCH: usize = 40;

/// One damaged input: the files that make it, the first being the YAML.
type Input = Vec<(String, Vec<u8>)>;

fn plan() -> Plan {
    Plan::empty()
        .document("cart.yaml", &workload("cart", "shop"))
        .document("open.yaml", &allow("open", "shop", "/open"))
        .document("closed.yaml", &deny("closed", "shop", "/closed"))
        .plaintext()
}

#[tokio::test]
async fn damaged_yaml_is_refused_with_line_and_column() {
    let mut random = generator(1);
    let shop = repository::root().join(weir_tests::house::SHOP);
    let mut seeds: Vec<String> = std::fs::read_dir(shop)
        .unwrap()
        .map(|entry| std::fs::read_to_string(entry.unwrap().path()).unwrap())
        .flat_map(|text| text.split("---\n").map(str::to_owned).collect::<Vec<_>>())
        .filter(|text| text.contains("AuthorizationPolicy") || text.contains("CelPolicy") || text.contains("Workload"))
        .collect();
    seeds.sort();
    let yaml = |at: usize| {
        let seed = random.pick(&seeds).clone();
        vec![(format!("bad-{at}.yaml"), random.damage(seed.as_bytes()))]
    };
    refused((0..inputs()).map(yaml).collect()).await;
}

#[tokio::test]
async fn damaged_cel_is_refused_with_line_and_column() {
    const SEEDS: [&str; 8] = [
        "request.method == \"GET\" && request.url_path.startsWith(\"/a/\")",
        "\"x-a\" in request.headers && int(request.headers[\"x-a\"]) > 10",
        "request.headers_all[\"x-role\"].exists(r, r == \"admin\")",
        "[1, 2, 3].all(n, n < request.size) || !(request.size != 7)",
        "request.time.getHours(\"UTC\") < 8 ? true : source.principal.endsWith(\"/sa/x\")",
        "request.host.matches(\"^[a-z]+\\\\.test$\") && {\"a\": 1}[\"a\"] == 1",
        "timestamp(\"2026-01-01T00:00:00Z\") < request.time && duration(\"1h\") > duration(\"1m\")",
        "size(request.headers) < 100 && (b\"ab\" == bytes(\"ab\")) && 1.5 < 2.0 && 1u == 1u",
    ];
    let mut random = generator(2);
    let cel = |at: usize| {
        let expression = random.pick(&SEEDS).as_bytes();
        let expression = String::from_utf8_lossy(&random.damage(expression)).into_owned();
        let text = format!(
            "apiVersion: policy.weir.dev/v1alpha1\nkind: CelPolicy\nmetadata: {{name: bad-{at}, namespace: shop}}\nspec:\n  \
             action: DENY\n  rules:\n    - expression: {}\n",
            Value::from(expression)
        );
        vec![(format!("bad-{at}.yaml"), text.into_bytes())]
    };
    refused((0..inputs()).map(cel).collect()).await;
}

#[tokio::test]
async fn damaged_wasm_is_refused_with_an_offset_or_a_field() {
    let mut random = generator(3);
    let plugin = std::fs::read(repository::plugins().unwrap().join("deny-list.wasm")).unwrap();
    let wasm = |at: usize| {
        let yaml = format!(
            "apiVersion: policy.weir.dev/v1alpha1\nkind: Adapter\nmetadata: {{name: bad-{at}, namespace: shop}}\nspec:\n  \
             source: {{file: bad-{at}.wasm}}\n  config: {{header: x-a, list: [a]}}\n"
        );
        vec![(format!("bad-{at}.yaml"), yaml.into_bytes()), (format!("bad-{at}.wasm"), hurt(&mut random, &plugin))]
    };
    let said = refused((0..inputs()).map(wasm).collect()).await;
    for text in said {
        let places = ["offset", "section", "import", "export", "manifest", "field", "byte"];
        assert!(places.iter().any(|place| text.contains(place)), "it does not say where: {text}");
    }
}

/// A plugin damaged where it matters: at its head, anywhere, or cut.
fn hurt(random: &mut Random, plugin: &[u8]) -> Vec<u8> {
    match random.below(4) {
        0 => random.bytes(64),
        1 => plugin[..random.below(plugin.len())].to_vec(),
        2 => {
            let head = 512.min(plugin.len());
            [random.damage(&plugin[..head]), plugin[head..].to_vec()].concat()
        }
        _ => random.damage(plugin),
    }
}

/// Each input by itself through `weir check-config`; those that are bad also through a running engine, which must name
/// every one of them and serve on. Gives what was said of each bad one.
async fn refused(all: Vec<Input>) -> Vec<String> {
    let mut house = plan().start().await.unwrap();
    let version = house.engine.version().await.unwrap();
    let mut bad: Vec<(Input, String)> = Vec::new();
    for input in all {
        if let Some(said) = offline(&house, &input) {
            bad.push((input, said));
        }
    }
    assert!(bad.len() >= inputs() / 2, "only {} of the damaged inputs are bad", bad.len());
    for batch in bad.chunks(BATCH) {
        for (name, bytes) in batch.iter().flat_map(|(input, _)| input) {
            std::fs::write(house.config.path().join(name), bytes).unwrap();
        }
        peel(&house, batch.iter().map(|(input, _)| input.clone()).collect()).await;
        assert_eq!(house.engine.version().await.unwrap(), version, "nothing of it is served");
        serves_on(&mut house).await;
    }
    bad.into_iter().map(|(_, said)| said).collect()
}

/// Takes away what the running engine complains about until nothing of the batch is left: a file that is no YAML hides
/// what only the compiler of policies would find in another.
async fn peel(house: &House, mut left: Vec<Input>) {
    while !left.is_empty() {
        let named = patience::until("the engine names one of the bad files that are left", async || {
            let status = house.engine.page("/status").await.ok()?;
            let list = status.pointer("/config/refused/diagnostics/diagnostics")?.as_array()?.clone();
            let files: BTreeSet<String> = list.iter().filter_map(|one| one["file"].as_str()).map(last_part).collect();
            let named: BTreeSet<String> =
                left.iter().map(|input| input[0].0.clone()).filter(|name| files.contains(name)).collect();
            (!named.is_empty()).then_some(named)
        });
        let named = named.await.unwrap_or_else(|trouble| panic!("{trouble}: {:?}", left[0]));
        for (name, _) in left.iter().filter(|input| named.contains(&input[0].0)).flatten() {
            house.config.remove(name).unwrap();
        }
        left.retain(|input| !named.contains(&input[0].0));
    }
    patience::until("nothing is refused any more", async || {
        let status = house.engine.page("/status").await.ok()?;
        status.pointer("/config/refused").is_none_or(Value::is_null).then_some(())
    })
    .await
    .unwrap();
}

fn last_part(path: &str) -> String {
    path.rsplit('/').next().unwrap_or(path).to_owned()
}

/// What `weir check-config` says of an input that it refuses; `None` for one that is still good.
fn offline(house: &House, input: &Input) -> Option<String> {
    let folder = tempfile::tempdir().unwrap();
    for entry in std::fs::read_dir(house.config.path()).unwrap() {
        let path = entry.unwrap().path();
        std::fs::copy(&path, folder.path().join(path.file_name().unwrap())).unwrap();
    }
    for (name, bytes) in input {
        std::fs::write(folder.path().join(name), bytes).unwrap();
    }
    let output = check_config(folder.path());
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    let first = String::from_utf8_lossy(&input[0].1).into_owned();
    match output.status.code() {
        Some(0) => None,
        Some(1) => {
            let json: Value = serde_json::from_str(&said).unwrap_or_else(|e| panic!("{e}: {said}\nfor: {first}"));
            each_error_has_a_place(&json, &first);
            Some(said)
        }
        code => panic!("check-config ended with {code:?} on:\n{first}\n{}", String::from_utf8_lossy(&output.stderr)),
    }
}

fn check_config(folder: &Path) -> std::process::Output {
    std::process::Command::new(repository::weir().unwrap())
        .args(["check-config", "--output", "json"])
        .arg(folder)
        .output()
        .unwrap()
}

fn each_error_has_a_place(json: &Value, input: &str) {
    let diagnostics = json.pointer("/diagnostics/diagnostics").and_then(Value::as_array);
    let diagnostics = diagnostics.unwrap_or_else(|| panic!("no list of diagnostics in {json}"));
    let errors: Vec<_> = diagnostics.iter().filter(|one| one["severity"] != "warning").collect();
    assert!(!errors.is_empty(), "refused without an error: {json}\nfor: {input}");
    for error in errors {
        let number = |key: &str| error.get(key).or_else(|| error["place"].get(key)).and_then(Value::as_u64);
        let placed = number("line").is_some_and(|line| line > 0) && number("column").is_some_and(|column| column > 0);
        assert!(placed, "no line and column in {error}\nfor: {input}");
        assert!(error["message"].as_str().is_some_and(|message| !message.is_empty()), "{error}");
    }
}
