//! Enrich plugins: what they find out, and no more than their manifest promises.

use serde_json::json;
use weir_adapters::{AdapterSpec, Binding, Cause, Error, Value};
use weir_attributes::Bag;

use crate::guests::{host, spec};

fn teams() -> AdapterSpec {
    let config = json!({"users": {"ann": {"team": "shop", "roles": ["buyer", "admin"]}, "bob": {"team": "ops"}}});
    let user = Binding { name: "user".into(), expression: r#"request.headers["x-user"]"#.into() };
    AdapterSpec { bindings: vec![user], ..spec("teams", config) }
}

#[tokio::test]
async fn what_is_found_has_the_outputs_names_and_what_is_not_found_is_absent() {
    let adapter = host().load("teams", teams()).await.unwrap();
    let ask = |user: &str| Bag::builder().header("x-user", user).build();
    let found = adapter.enrich(&ask("ann")).await.unwrap();
    let roles = Value::Texts(vec!["buyer".into(), "admin".into()]);
    assert_eq!(found, [("acme.team".into(), Value::Text("shop".into())), ("acme.roles".into(), roles)]);
    let found = adapter.enrich(&ask("bob")).await.unwrap();
    assert_eq!(found[1], ("acme.roles".into(), Value::Texts(Vec::new())));
    assert_eq!(adapter.enrich(&ask("eve")).await.unwrap(), []);
    assert_eq!(adapter.enrich(&Bag::default()).await.unwrap(), []);
    assert_eq!(adapter.check(&ask("ann")).await.unwrap_err().cause, Cause::World);
}

#[tokio::test]
async fn an_input_that_is_no_attribute_must_be_bound() {
    let error = host().load("teams", AdapterSpec { bindings: Vec::new(), ..teams() }).await.unwrap_err();
    assert!(matches!(&error, Error::Unbound { input, .. } if input == "user"), "{error}");
}
