//! Any policies and any request: asked twice they say the same, also when they came as a change, and one more DENY policy
//! never allows more.
//!
//! The input is policies, a line `#`, and a request: method, target, host, identity and headers, a line each. Without that line
//! it is a request to the policies below.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_attributes::{Bag, slot};
use weir_config_fuzz::{compiled, on_a_small_stack};
use weir_policy::{Claim, Evaluation, Keys, PolicySet, Step, Verdict, prepare};

const NOW: i64 = 1_800_000_000_000_000_000;

const WORKLOAD: &str =
    "{apiVersion: policy.weir.dev/v1alpha1, kind: Workload, metadata: {name: cart, namespace: shop}, spec: {}}";

const MORE: &str = "apiVersion: security.istio.io/v1\nkind: AuthorizationPolicy\nmetadata: {name: more, namespace: shop}\nspec:\n  \
                    action: DENY\n  rules: [{to: [{operation: {paths: [/a*], notMethods: [GET]}}]}]\n";

const POLICIES: &str = "
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: a, namespace: shop}
spec:
  action: DENY
  rules:
  - from: [{source: {notNamespaces: [prod, 'te*'], remoteIpBlocks: [10.0.0.0/8]}}]
    to: [{operation: {paths: ['/a/{*}/b/{**}', '*/c', '/d*'], hosts: ['x.com', '*.y']}}]
  - when: [{key: 'request.headers[x-role]', values: [admin, 'ad*', '*']}]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: {name: b, namespace: shop}
spec:
  rules:
  - from: [{source: {principals: ['*', td/ns/a/sa/b], serviceAccounts: [a/b]}}, {source: {requestPrincipals: ['*']}}]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: {name: j, namespace: shop}
spec: {jwtRules: [{issuer: i, jwks: '{\"keys\":[{\"kty\":\"oct\",\"kid\":\"k\",\"k\":\"AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\"}]}', fromParams: [t], fromCookies: [t], forwardOriginalToken: true}]}
";

fn bag(asked: &str, joined: bool) -> Bag {
    let mut lines = asked.split('\n');
    let mut next = || lines.next().unwrap_or_default();
    let mut builder = Bag::builder();
    for slot in [slot::REQUEST_METHOD, slot::REQUEST_PATH, slot::REQUEST_HOST, slot::SOURCE_PRINCIPAL] {
        builder = builder.text(slot, next());
    }
    for line in lines {
        let (name, value) = line.split_once(':').unwrap_or((line, ""));
        builder = builder.header(&name.to_ascii_lowercase(), value);
    }
    if joined { builder.joined_by_proxy().build() } else { builder.build() }
}

/// What is decided; none when no policy is asked.
fn ask(set: &PolicySet, mut bag: Bag) -> Option<Verdict> {
    let workload = set.workloads().resolve(&Claim { workload: Some("shop/cart"), ..Claim::default() }).ok()?;
    prepare(&mut bag, set.mesh(), &workload).ok()?;
    match Evaluation::start(&set.ruleset(&workload), &mut bag, NOW, &Keys::default()) {
        Step::Done(verdict) => Some(verdict),
        Step::Ask(..) => None,
    }
}

fn run(text: &str) {
    let (policies, asked) = text.split_once("\n#\n").unwrap_or((POLICIES, text));
    let files = [("workload.yaml", WORKLOAD), ("policies.yaml", policies), ("more.yaml", MORE)];
    let Ok(set) = compiled(&files[..2], None) else { return };
    let more = compiled(&files, Some(&set));
    let back = more.as_ref().ok().and_then(|more| compiled(&files[..2], Some(more)).ok());
    for joined in [false, true] {
        let Some(verdict) = ask(&set, bag(asked, joined)) else { return };
        assert_eq!(Some(&verdict), ask(&set, bag(asked, joined)).as_ref(), "asked twice");
        if let Some(back) = &back {
            assert_eq!(Some(&verdict), ask(back, bag(asked, joined)).as_ref(), "changed there and back");
        }
        if let (Ok(more), false) = (&more, verdict.is_allow()) {
            assert!(ask(more, bag(asked, joined)).is_none_or(|verdict| !verdict.is_allow()), "one more DENY allows");
        }
    }
}

fuzz_target!(|text: &str| on_a_small_stack(|| run(text)));
