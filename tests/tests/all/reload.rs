//! The configuration is one transaction: a good folder is served whole, a bad one is refused whole and explained.

use crate::story::{allow, deny, workload};
use weir_tests::client::{Call, Caller};
use weir_tests::house::{House, Plan};
use weir_tests::patience;

/// A house whose plaintext sidecar guards `shop/cart`, and whose policies say something about `/open` and `/closed`.
fn plan() -> Plan {
    Plan::empty()
        .document("cart.yaml", &workload("cart", "shop"))
        .document("open.yaml", &allow("open", "shop", "/open"))
        .document("closed.yaml", &deny("closed", "shop", "/closed"))
        .plaintext()
}

async fn status_of(caller: &Caller, target: &str) -> u16 {
    caller.get(target).await.unwrap().status
}

async fn serves(house: &House) {
    let caller = house.plain_caller().unwrap();
    assert_eq!(status_of(&caller, "/open").await, 200);
    assert_eq!(status_of(&caller, "/closed").await, 403);
}

async fn becomes(house: &House, target: &str, status: u16) {
    let caller = house.plain_caller().unwrap();
    patience::until(&format!("{target} becomes {status}"), async || {
        (status_of(&caller, target).await == status).then_some(())
    })
    .await
    .unwrap();
}

#[tokio::test]
async fn a_bad_policy_is_refused_with_its_place_and_the_last_good_one_serves() {
    let house = plan().start().await.unwrap();
    let version = house.engine.version().await.unwrap();
    let table = [
        (
            "unknown field",
            "kind: AuthorizationPolicy",
            "metods",
            deny("new", "shop", "/new").replace("paths", "metods"),
        ),
        (
            "unknown kind",
            "",
            "AuthorisationPolicy",
            deny("new", "shop", "/new").replace("AuthorizationPolicy", "AuthorisationPolicy"),
        ),
        ("no provider", "", "provider.name", deny("new", "shop", "/new").replace("DENY", "CUSTOM")),
        ("no YAML", "", "new.yaml:", "spec: [\n".to_owned()),
        ("wrong type in CEL", "", "request.size", cel("request.size == \"x\"")),
        ("unknown attribute in CEL", "", "request.nonsense", cel("request.nonsense == \"x\"")),
        ("broken CEL", "", "new.yaml:", cel("request.method ==")),
    ];
    for (what, _, words, text) in table {
        house.config.put("new.yaml", &text).unwrap();
        let refusal = house.engine.refusal(words).await.unwrap_or_else(|trouble| panic!("{what}: {trouble}"));
        assert!(refusal.contains("new.yaml:"), "{what}: the file and line are named: {refusal}");
        assert_eq!(house.engine.version().await.unwrap(), version, "{what}: nothing of it is served");
        serves(&house).await;
        assert!(house.engine.is_ready().await.unwrap());
    }
    let rejected = house.engine.scrape().await.unwrap();
    assert!(rejected.lines().any(|line| line.starts_with("weir_config_") && line.ends_with(" 1")), "a gauge says so");
    house.reload(|folder| folder.put("new.yaml", &deny("new", "shop", "/open"))).await.unwrap();
    becomes(&house, "/open", 403).await;
    let status = house.engine.page("/status").await.unwrap();
    assert!(status.pointer("/config/refused").is_none_or(serde_json::Value::is_null), "{status}");
}

fn cel(expression: &str) -> String {
    format!(
        "apiVersion: policy.weir.dev/v1alpha1\nkind: CelPolicy\nmetadata: {{name: new, namespace: shop}}\nspec:\n  action: DENY\n  \
         rules:\n    - expression: '{expression}'\n"
    )
}

#[tokio::test]
async fn a_half_written_file_is_never_served() {
    let house = plan().start().await.unwrap();
    let text = [deny("a", "shop", "/a"), deny("b", "shop", "/b"), deny("shut", "shop", "/open")].join("---\n");
    let version = house.engine.version().await.unwrap();
    // Cut inside the last document: what stands there is valid YAML, but not the whole file.
    for cut in [text.len() / 3, text.len() - 20, text.len() - 9] {
        house.config.scribble("more.yaml", &text[..cut]).unwrap();
    }
    house.config.scribble("more.yaml", &text).unwrap();
    let new = house.engine.version_after(&version).await.unwrap();
    assert_ne!(new, version);
    becomes(&house, "/open", 403).await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_config_maps_symlink_swap_is_one_change() {
    let place = tempfile::tempdir().unwrap();
    let write = |version: &str, documents: &[(&str, String)]| {
        let folder = place.path().join(version);
        std::fs::create_dir_all(&folder).unwrap();
        for (name, text) in documents {
            std::fs::write(folder.join(name), text).unwrap();
        }
    };
    let data = place.path().join("config/..data");
    let swap = |version: &str| {
        let next = place.path().join("config/..data_tmp");
        std::os::unix::fs::symlink(place.path().join(version), &next).unwrap();
        std::fs::rename(next, &data).unwrap();
    };
    write("..1", &[("cart.yaml", workload("cart", "shop")), ("rules.yaml", allow("rules", "shop", "/open"))]);
    write("..2", &[("cart.yaml", workload("cart", "shop")), ("rules.yaml", allow("rules", "shop", "/new"))]);
    std::fs::create_dir(place.path().join("config")).unwrap();
    swap("..1");
    for name in ["cart.yaml", "rules.yaml"] {
        std::os::unix::fs::symlink(format!("..data/{name}"), place.path().join("config").join(name)).unwrap();
    }
    let config = place.path().join("config").display().to_string();
    let house = Plan::empty().engine(&["--config", &config]).plaintext().start().await.unwrap();
    let caller = house.plain_caller().unwrap();
    assert_eq!((status_of(&caller, "/open").await, status_of(&caller, "/new").await), (200, 403));
    swap("..2");
    becomes(&house, "/new", 200).await;
    assert_eq!(status_of(&caller, "/open").await, 403);
}

#[tokio::test]
async fn a_folder_that_is_removed_or_emptied_is_refused() {
    let house = plan().start().await.unwrap();
    let away = house.config.path().with_extension("away");
    std::fs::rename(house.config.path(), &away).unwrap();
    house.engine.refusal("config").await.unwrap();
    serves(&house).await;
    std::fs::rename(&away, house.config.path()).unwrap();
    house.reload(|folder| folder.put("more.yaml", &deny("more", "shop", "/more"))).await.unwrap();
    serves(&house).await;
    let version = house.engine.version().await.unwrap();
    house.config.clear().unwrap();
    house.engine.refusal("allow-empty").await.unwrap();
    serves(&house).await;
    assert_eq!(house.engine.version().await.unwrap(), version);
}

#[tokio::test]
async fn losing_every_policy_at_once_is_refused_unless_allowed() {
    let house = plan().start().await.unwrap();
    house.config.remove("open.yaml").unwrap();
    becomes(&house, "/open", 200).await;
    house.config.remove("closed.yaml").unwrap();
    house.engine.refusal("allow-empty").await.unwrap();
    let caller = house.plain_caller().unwrap();
    assert_eq!(status_of(&caller, "/closed").await, 403, "the deny still holds");

    let house = plan().engine(&["--allow-empty"]).start().await.unwrap();
    house.config.remove("open.yaml").unwrap();
    house.config.remove("closed.yaml").unwrap();
    becomes(&house, "/closed", 200).await;
}

#[tokio::test]
async fn the_last_good_configuration_serves_after_a_restart_with_a_bad_folder() {
    let mut house = plan().start().await.unwrap();
    let version = house.engine.version().await.unwrap();
    house.config.put("closed.yaml", "kind: Nonsense\n").unwrap();
    house.engine.refusal("Nonsense").await.unwrap();
    house.engine.kill().await.unwrap();
    house.engine.restart().await.unwrap();
    assert_eq!(house.engine.version().await.unwrap(), version);
    house.engine.refusal("Nonsense").await.unwrap();
    let caller = house.plain_caller().unwrap();
    house.recovered(&caller, "/open").await.unwrap();
    // A verdict from the cache says nothing about the worker that has yet to find the engine again.
    becomes(&house, "/closed", 403).await;
    becomes(&house, "/open", 200).await;
}

#[tokio::test]
async fn no_request_sees_half_a_configuration() {
    // /a and /b are allowed in turns, never both and never neither.
    let both = |open: &str, shut: &str| {
        [workload("cart", "shop"), allow("turn", "shop", open), deny("turned", "shop", shut)].join("---\n")
    };
    let house = Plan::empty().document("turn.yaml", &both("/a", "/b")).plaintext().start().await.unwrap();
    let caller = house.plain_caller().unwrap();
    for turn in 0..6 {
        let (open, shut) = if turn % 2 == 0 { ("/b", "/a") } else { ("/a", "/b") };
        house.reload(|folder| folder.put("turn.yaml", &both(open, shut))).await.unwrap();
        becomes(&house, open, 200).await;
        let mut session = caller.connect().await.unwrap();
        for _ in 0..20 {
            assert_eq!(session.send(Call::get(open)).await.unwrap().status, 200);
            assert_eq!(session.send(Call::get(shut)).await.unwrap().status, 403);
        }
    }
}

#[tokio::test]
async fn check_config_says_what_the_engine_says() {
    let house = plan().without_sidecar().start().await.unwrap();
    let run = || {
        std::process::Command::new(weir_tests::repository::weir().unwrap())
            .args(["check-config", &house.config.path().display().to_string()])
            .output()
            .unwrap()
    };
    assert!(run().status.success(), "{}", String::from_utf8_lossy(&run().stderr));
    house.config.put("new.yaml", &deny("new", "shop", "/new").replace("paths", "pats")).unwrap();
    let output = run();
    let said = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    assert_eq!(output.status.code(), Some(1), "{said}");
    for words in ["new.yaml:8:", "pats", "paths"] {
        assert!(said.contains(words), "{words} is not in: {said}");
    }
}
