//! The mistakes that people make, and the text that they then read. Long, since each stands with its whole text.

use insta::assert_snapshot;

use crate::folder::{ALLOW, CEL, files, refusal};

#[test]
fn an_unknown_field_names_the_one_that_was_meant() {
    assert_snapshot!(refusal(&ALLOW.replace("methods:", "method:")), @r"
    error: unknown field `method`
      --> config/a.yaml:11:9
       |
    11 |         method: [GET]
       |         ^^^^^^
       |
       = note: in AuthorizationPolicy allow-get
       = help: did you mean `methods`?

    1 error, 0 warnings
    ");
}

#[test]
fn wrong_indentation() {
    assert_snapshot!(refusal(&ALLOW.replace("  action:", "   action:")), @r"
    error: expected a key of the mapping above
     --> config/a.yaml:8:3
      |
    8 |   rules:
      |   ^
      |
      = help: check the indentation: keys of one mapping and items of one list begin in the same column

    1 error, 0 warnings
    ");
}

#[test]
fn wrong_indentation_of_a_list() {
    assert_snapshot!(refusal(&ALLOW.replace("    - operation:", "   - operation:")), @r"
    error: expected a key of the mapping above
      --> config/a.yaml:10:4
       |
    10 |    - operation:
       |    ^
       |
       = help: check the indentation: keys of one mapping and items of one list begin in the same column

    1 error, 0 warnings
    ");
}

#[test]
fn a_tab() {
    assert_snapshot!(refusal(&ALLOW.replace("  action:", "\taction:")), @r"
    error: a tab in the indentation
     --> config/a.yaml:7:2
      |
    7 |  action: ALLOW
      |  ^
      |
      = help: indent with spaces: YAML does not allow tabs there

    1 error, 0 warnings
    ");
}

#[test]
fn a_duplicate_key() {
    assert_snapshot!(refusal(&ALLOW.replace("  rules:", "  action: DENY\n  rules:")), @r"
    error: the key `action` appears twice in one mapping
     --> config/a.yaml:8:3
      |
    8 |   action: DENY
      |   ^^^^^^
      |
      = note: in AuthorizationPolicy allow-get
      = help: remove one of the two, or merge their values

    1 error, 0 warnings
    ");
}

#[test]
fn a_number_where_a_string_belongs() {
    assert_snapshot!(refusal(&ALLOW.replace("methods: [GET]", "ports: [8080]")), @r#"
    error: expected a string, found `8080`
      --> config/a.yaml:11:17
       |
    11 |         ports: [8080]
       |                 ^^^^
       |
       = note: in AuthorizationPolicy allow-get
       = help: write it in quotes: "8080"

    1 error, 0 warnings
    "#);
}

#[test]
fn a_string_where_a_list_belongs() {
    assert_snapshot!(refusal(&ALLOW.replace("[GET]", "GET")), @r"
    error: expected a list
      --> config/a.yaml:11:18
       |
    11 |         methods: GET
       |                  ^^^
       |
       = note: in AuthorizationPolicy allow-get
       = help: write each value on a line of its own after `- `, or in [ ]

    1 error, 0 warnings
    ");
}

#[test]
fn a_list_where_a_mapping_belongs() {
    assert_snapshot!(refusal(&ALLOW.replace("operation:\n        methods", "operation:\n      - methods")), @r"
    error: expected a mapping, found a list
      --> config/a.yaml:11:9
       |
    11 |       - methods: [GET]
       |         ^
       |
       = note: in AuthorizationPolicy allow-get
       = help: remove the `- `: this is one mapping, not a list

    1 error, 0 warnings
    ");
}

#[test]
fn nothing_or_a_text_where_a_mapping_belongs() {
    let text = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: p}\nspec:\n  rules:\n    - from:\n        - source:\n            principals: [a]\n";
    for (item, help) in [
        ("- null # nobody", "expected a mapping, found nothing"),
        ("- ~", "expected a mapping, found nothing"),
        ("- nobody", "expected a mapping, found `nobody`"),
    ] {
        let told = refusal(&text.replace("- source:\n            principals: [a]", item));
        assert!(told.contains(help) && told.contains("= help: write "), "{item}: {told}");
    }
}

#[test]
fn an_unknown_action() {
    assert_snapshot!(refusal(&ALLOW.replace("ALLOW", "Allow")), @r"
    error: unknown value `Allow`
     --> config/a.yaml:7:11
      |
    7 |   action: Allow
      |           ^^^^^
      |
      = note: in AuthorizationPolicy allow-get
      = help: did you mean `ALLOW`?

    1 error, 0 warnings
    ");
}

#[test]
fn an_unknown_kind() {
    assert_snapshot!(refusal(&ALLOW.replace("kind: AuthorizationPolicy", "kind: AuthorisationPolicy")), @r"
    error: unknown kind `AuthorisationPolicy`
     --> config/a.yaml:2:7
      |
    2 | kind: AuthorisationPolicy
      |       ^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `AuthorizationPolicy`?

    1 error, 0 warnings
    ");
}

#[test]
fn a_rule_about_tokens_with_keys_that_are_none() {
    let text = "apiVersion: security.istio.io/v1\nkind: RequestAuthentication\nmetadata:\n  name: tokens\nspec:\n  jwtRules:\n  - issuer: https://id.example\n    jwks: '{\"keys\": [{\"kty\": \"oct\", \"d\": \"hush\"}]}'\n  - jwksUri: ftp://id.example/keys\n";
    assert_snapshot!(refusal(text), @r#"
    error: jwks is no JSON Web Key Set: no key in it is an RSA (2048 to 8192 bits), P-256, P-384, P-521, Ed25519 or octet key for signatures
     --> config/a.yaml:8:10
      |
    8 |     jwks:***
      |          ^^^
      |
      = note: in RequestAuthentication default/tokens
      = help: write {"keys": [...]} with the issuer's public keys (RFC 7517)

    error: URI scheme 'ftp' is not supported
     --> config/a.yaml:9:14
      |
    9 |   - jwksUri: ftp://id.example/keys
      |              ^^^^^^^^^^^^^^^^^^^^^
      |
      = note: in RequestAuthentication default/tokens
      = help: write it as https://HOST/PATH

    2 errors, 0 warnings
    "#);
}

#[test]
fn a_list_of_resources() {
    assert_snapshot!(refusal("apiVersion: v1\nkind: List\nitems: []\n"), @r"
    error: unknown kind `List`
     --> config/a.yaml:2:7
      |
    2 | kind: List
      |       ^^^^
      |
      = help: write each item as a document of its own, with `---` between them

    1 error, 0 warnings
    ");
}

#[test]
fn an_unknown_api_version() {
    assert_snapshot!(refusal(&CEL.replace("v1alpha1", "v1alpha2")), @r"
    error: unknown apiVersion `policy.weir.dev/v1alpha2` of CelPolicy
     --> config/a.yaml:1:13
      |
    1 | apiVersion: policy.weir.dev/v1alpha2
      |             ^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = help: did you mean `policy.weir.dev/v1alpha1`?

    1 error, 0 warnings
    ");
}

#[test]
fn a_missing_kind() {
    assert_snapshot!(refusal("---\n# a comment\nmetadata:\n  name: a\n"), @r"
    error: the resource has no `kind`
     --> config/a.yaml:3:1
      |
    3 | metadata:
      | ^
      |
      = help: add `kind: ...`, one of AuthorizationPolicy, PeerAuthentication, RequestAuthentication, CelPolicy, Adapter, Workload, MeshConfig

    1 error, 0 warnings
    ");
}

#[test]
fn a_missing_name() {
    assert_snapshot!(refusal(&ALLOW.replace("  name: allow-get\n", "")), @r"
    error: missing `metadata.name`
     --> config/a.yaml:3:1
      |
    3 | metadata:
      | ^^^^^^^^
      |
      = note: in AuthorizationPolicy
      = help: give the resource a name: `metadata: {name: ...}`

    1 error, 0 warnings
    ");
}

#[test]
fn a_name_that_is_none() {
    assert_snapshot!(refusal(&ALLOW.replace("allow-get", "Allow_Get").replace("namespace: shop", "namespace: a.b")), @r"
    error: `Allow_Get` is not a name
     --> config/a.yaml:4:9
      |
    4 |   name: Allow_Get
      |         ^^^^^^^^^
      |
      = note: in AuthorizationPolicy
      = help: use lower-case letters, digits, dots, and dashes inside it, at most 253 characters

    error: `a.b` is not a namespace
     --> config/a.yaml:5:14
      |
    5 |   namespace: a.b
      |              ^^^
      |
      = note: in AuthorizationPolicy
      = help: use lower-case letters, digits, and dashes inside it, at most 63 characters

    2 errors, 0 warnings
    ");
}

#[test]
fn a_missing_spec() {
    assert_snapshot!(refusal("apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata:\n  name: a\n"), @r"
    error: the AuthorizationPolicy has no `spec`
     --> config/a.yaml:1:1
      |
    1 | apiVersion: security.istio.io/v1
      | ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
      |
      = note: in AuthorizationPolicy default/a
      = help: add `spec: ...`; an empty one is `spec: {}`

    1 error, 0 warnings
    ");
}

#[test]
fn a_missing_field() {
    assert_snapshot!(refusal(&CEL.replace("    expression: variables", "    # expression: variables")), @r"
    error: missing field `expression`
      --> config/a.yaml:14:5
       |
    14 |     message: no bots
       |     ^^^^^^^
       |
       = note: in CelPolicy no-bots
       = help: add `expression: ...` here

    1 error, 0 warnings
    ");
}

#[test]
fn a_quote_that_is_not_closed() {
    assert_snapshot!(refusal(&ALLOW.replace("[GET]", "[\"GET]")), @r#"
    error: unclosed quote
      --> config/a.yaml:11:19
       |
    11 |         methods: ["GET]
       |                   ^
       |
       = help: close the quote, or write the text in a block after `|`

    1 error, 0 warnings
    "#);
}

#[test]
fn a_list_that_is_not_closed() {
    assert_snapshot!(refusal(&format!("{}---\n{CEL}", ALLOW.replace("[GET]", "[GET"))), @r"
    error: unclosed bracket '['
      --> config/a.yaml:11:18
       |
    11 |         methods: [GET
       |                  ^
       |
       = help: close the `[` or `{` above, and put commas between its items

    1 error, 0 warnings
    ");
}

#[test]
fn an_alias_of_nothing() {
    assert_snapshot!(refusal(&ALLOW.replace("[GET]", "*")), @r"
    error: a `*` or `&` must be followed by a name
      --> config/a.yaml:11:18
       |
    11 |         methods: *
       |                  ^
       |
       = help: quote a value that begins with `*` or `&`; an alias is defined with `&name` above it

    1 error, 0 warnings
    ");
}

#[test]
fn a_resource_that_is_there_twice() {
    let found = files([("a.yaml", ALLOW), ("b.yaml", ALLOW)], &weir_config::Options::default()).unwrap_err();
    assert_snapshot!(found, @r"
    error: there are two resources AuthorizationPolicy shop/allow-get
     --> config/b.yaml:4:9
      |
    4 |   name: allow-get
      |         ^^^^^^^^^
      |
      = note: the other one: config/a.yaml:4:9
      = help: remove one of them, or give it another name

    1 error, 0 warnings
    ");
}

#[test]
fn a_bad_address_block() {
    let text = ALLOW.replace(
        "  - to:\n    - operation:\n        methods: [GET]",
        "  - from:\n    - source:\n        ipBlocks: [10.0.0.0/8, 10.0.0.0/33]",
    );
    assert_snapshot!(refusal(&text), @r"
    error: bad CIDR range (10.0.0.0/33)
      --> config/a.yaml:11:32
       |
    11 |         ipBlocks: [10.0.0.0/8, 10.0.0.0/33]
       |                                ^^^^^^^^^^^
       |
       = note: in AuthorizationPolicy shop/allow-get
       = help: write an address as 10.1.2.3, or a block as 10.1.0.0/16

    1 error, 0 warnings
    ");
}

#[test]
fn an_expression_that_may_take_too_long_is_underlined_where_it_does() {
    let loops = "request.headers.all(a, request.headers.all(b, request.headers.all(c, a + b != c)))";
    assert_snapshot!(refusal(&CEL.replace("variables.agent.contains('bot')", loops)), @r"
    error: the expression may take 23,909,376 steps, the limit is 250,000: `all` is evaluated up to 10,000 times and takes 11,750,000
      --> config/a.yaml:13:63
       |
    13 |     expression: request.headers.all(a, request.headers.all(b, request.headers.all(c, a + b != c)))
       |                                                               ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^
       |
       = note: in CelPolicy shop/no-bots
       = help: go through less, or compute what stays the same before: cel.bind(name, value, ...)

    1 error, 0 warnings
    ");
}

#[test]
fn a_bad_expression_is_underlined() {
    assert_snapshot!(refusal(&CEL.replace("variables.agent.contains('bot')", "request.methd == 'GET'")), @r"
    error: `request.methd` is not declared
      --> config/a.yaml:13:17
       |
    13 |     expression: request.methd == 'GET'
       |                 ^^^^^^^^^^^^^
       |
       = note: in CelPolicy shop/no-bots
       = help: did you mean `request.method`?

    1 error, 0 warnings
    ");
}

#[test]
fn a_bad_expression_in_a_block_is_underlined() {
    let text = CEL.replace(
        "expression: variables.agent.contains('bot')",
        "expression: |\n      request.method == 'GET' &&\n      request.size == '12'",
    );
    assert_snapshot!(refusal(&text), @r"
    error: int and string are never equal
      --> config/a.yaml:15:7
       |
    15 |       request.size == '12'
       |       ^^^^^^^^^^^^^^^^^^^^
       |
       = note: in CelPolicy shop/no-bots
       = help: convert one of them: string(...) or int(...)

    1 error, 0 warnings
    ");
}
