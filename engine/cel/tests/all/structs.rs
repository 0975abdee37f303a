//! Claims and metadata: maps of JSON in the vocabulary.

use std::sync::Arc;

use weir_attributes::{Bag, Struct, slot};
use weir_cel::{Env, Scratch};

const CLAIMS: &str = r#"{
    "iss": "https://id.example", "sub": "ann", "aud": ["shop", "bank"], "age": 30, "half": 0.5, "ok": true, "none": null,
    "realm": {"roles": ["admin", "dev"], "a.b": "dotted"}, "mixed": [1, "two", {"three": 3}]
}"#;

fn bag() -> Bag {
    Bag::builder()
        .text(slot::REQUEST_METHOD, "GET")
        .json(slot::REQUEST_AUTH_CLAIMS, Arc::new(Struct::parse(CLAIMS.as_bytes()).unwrap()))
        .json(slot::METADATA, Arc::new(Struct::parse(br#"{"envoy.filters.http.x": {"k": [1.0, "v"]}}"#).unwrap()))
        .build()
}

#[test]
fn claims_are_read_by_name_at_any_depth() {
    for (expression, expected) in [
        (r#"request.auth.claims.sub == "ann""#, Some(true)),
        (r#"request.auth.claims["sub"] == "ann""#, Some(true)),
        (r#""shop" in request.auth.claims.aud"#, Some(true)),
        (r#""x" in request.auth.claims.aud"#, Some(false)),
        (r#"request.auth.claims.realm.roles.exists(role, role == "dev")"#, Some(true)),
        (r#"request.auth.claims.realm["a.b"] == "dotted""#, Some(true)),
        ("request.auth.claims.age >= 18", Some(true)),
        ("request.auth.claims.half == 0.5", Some(true)),
        ("request.auth.claims.ok == true", Some(true)),
        ("request.auth.claims.none == null", Some(true)),
        ("request.auth.claims.mixed[2].three == 3", Some(true)),
        (r#"request.auth.claims.mixed == [1, "two", {"three": 3}]"#, Some(true)),
        ("size(request.auth.claims) == 9", Some(true)),
        (r#"request.auth.claims.realm == {"roles": ["admin", "dev"], "a.b": "dotted"}"#, Some(true)),
        ("has(request.auth.claims.sub) && !has(request.auth.claims.nobody)", Some(true)),
        (r#""nobody" in request.auth.claims"#, Some(false)),
        (r#"request.auth.claims.?nobody.orValue("x") == "x""#, Some(true)),
        (r#"request.auth.claims.map(key, key)[0] == "age""#, Some(true)),
        ("request.auth.claims.nobody == 1", None),
        ("request.auth.claims.sub.nobody == 1", None),
        (r#"metadata["envoy.filters.http.x"].k[1] == "v""#, Some(true)),
        (r#"metadata["envoy.filters.http.x"].k[0] == 1"#, Some(true)),
    ] {
        let program = Env::vocabulary().compile(expression).unwrap_or_else(|errors| panic!("{expression}: {errors:?}"));
        assert_eq!(program.evaluate_bool(&bag(), &mut Scratch::new()).ok(), expected, "{expression}");
    }
}

#[test]
fn without_a_token_there_are_no_claims() {
    let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").build();
    for (expression, expected) in [
        (r#"request.auth.claims.sub == "ann""#, None),
        ("has(request.auth.claims.sub)", Some(false)),
        (r#"request.auth.claims.?sub.orValue("") == "ann""#, Some(false)),
    ] {
        assert_eq!(
            Env::vocabulary().compile(expression).unwrap().evaluate_bool(&bag, &mut Scratch::new()).ok(),
            expected,
            "{expression}"
        );
    }
}

#[test]
fn a_map_of_json_has_a_text_that_gives_it_back() {
    let program = Env::vocabulary().compile("request.auth.claims.realm").unwrap();
    let (bag, mut scratch) = (bag(), Scratch::new());
    let value = program.evaluate(&bag, &mut scratch).unwrap();
    assert_eq!(value.to_string(), r#"{"a.b": "dotted", "roles": ["admin", "dev"]}"#);
}
