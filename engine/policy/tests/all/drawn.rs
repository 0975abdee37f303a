//! Random policies, and requests drawn from the atoms of those policies and from near misses of them: what a request may lack
//! it lacks in three of ten. Addresses are those in the blocks that policies name and beside them.

mod atoms;
mod tokens;

use serde_json::{Value as Json, json};
use weir_attributes::slot;

use crate::{
    given::{Request, connection},
    oracle::{Asked, PROVIDERS, Policy, World, normalized},
};

pub(super) use atoms::Atoms;
pub(super) use tokens::Tokens;
use tokens::{AUDIENCES, GROUPS, PRESENTERS, REQUEST_PRINCIPALS, ROLES_CLAIMED, WORDS, issuers};

/// splitmix64: a seed gives the same draws everywhere.
#[derive(Clone, Debug)]
pub(super) struct Random(pub(super) u64);

impl Random {
    pub(super) fn below(&mut self, bound: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % bound as u64) as usize
    }

    pub(super) fn one_in(&mut self, bound: usize) -> bool {
        self.below(bound) == 0
    }

    pub(super) fn pick<'t, T>(&mut self, of: &'t [T]) -> &'t T {
        let at = self.below(of.len());
        &of[at]
    }

    fn text(&mut self, of: &[&'static str]) -> &'static str {
        of[self.below(of.len())]
    }
}

const METHODS: &[&str] = &["GET", "POST", "PUT", "P*", "*T", "*", "DELETE", "g*"];
const PATHS: &[&str] = &[
    "/a",
    "/a/*",
    "*/b",
    "*.php",
    "*",
    "/c/{*}",
    "/c/{*}/d",
    "/f/{**}",
    "/f/{**}/g",
    "/a/b",
    "/%7eu",
    "/A",
    "/a//b",
    "/x y",
    "/b|c",
];
const HOSTS: &[&str] = &["shop.com", "Shop.com", "*.shop.com", "shop.*", "*", "shop.com:8080", "*:8080", "other.org"];
const PORTS: &[&str] = &["80", "8080", "9000", "8443"];
const PRINCIPALS: &[&str] = &[
    "td/ns/x/sa/a",
    "old-td/ns/x/sa/a",
    "cluster.local/ns/y/sa/b",
    "td/ns/x/*",
    "old-td/ns/x/*",
    "*/ns/x/sa/a",
    "*/sa/a",
    "*",
    "*td/ns/x/sa/a",
    "t*/ns/y/sa/b",
    "other/ns/x/sa/a",
];
const NAMESPACES: &[&str] = &["x", "y", "x*", "*y", "x*z", "*", "x.y", "ns"];
const ACCOUNTS: &[&str] = &["a", "b", "x/a", "x/b", "y/b", "x/a.b"];
const DOMAINS: &[&str] = &["td", "old-td", "cluster.local", "*", "t*", "*-td", "other"];
const BLOCKS: &[&str] =
    &["10.0.0.0/8", "10.1.2.3", "10.1.2.3/31", "192.168.0.0/16", "fd00::/8", "fd00::1", "0.0.0.0/0", "10.1.2.9/29"];
const ROLES: &[&str] = &["admin", "ad*", "*min", "*", "user", "user,admin", "Admin"];
const TARGETS: &[&str] = &["/a", "/a?x=*", "/a*", "*?x=1", "*"];
const NAMES: &[&str] = &["shop.com", "*.shop.com", "sh*", "*", "Shop.com"];

const SOURCE: &[(&str, &[&str])] = &[
    ("principals", PRINCIPALS),
    ("namespaces", NAMESPACES),
    ("serviceAccounts", ACCOUNTS),
    ("trustDomains", DOMAINS),
    ("ipBlocks", BLOCKS),
    ("remoteIpBlocks", BLOCKS),
    ("requestPrincipals", REQUEST_PRINCIPALS),
];
/// What CUSTOM may say of a source: nobody is authenticated yet.
const UNKNOWN_SOURCE: &[(&str, &[&str])] = &[("ipBlocks", BLOCKS), ("remoteIpBlocks", BLOCKS)];
const OPERATION: &[(&str, &[&str])] = &[("methods", METHODS), ("paths", PATHS), ("hosts", HOSTS), ("ports", PORTS)];
const WHEN: &[(&str, &[&str])] = &[
    ("request.headers[X-Role]", ROLES),
    ("request.headers[:path]", TARGETS),
    ("source.ip", BLOCKS),
    ("remote.ip", BLOCKS),
    ("source.namespace", NAMESPACES),
    ("source.principal", PRINCIPALS),
    // More often than the others, because it seldom matches.
    ("source.serviceAccount", ACCOUNTS),
    ("source.serviceAccount", ACCOUNTS),
    ("source.serviceAccount", ACCOUNTS),
    ("source.trustDomain", DOMAINS),
    ("destination.ip", BLOCKS),
    ("destination.port", PORTS),
    ("connection.sni", NAMES),
    ("request.headers[authorization]", &["Bearer*", "*", "Basic*"]),
    ("request.auth.principal", REQUEST_PRINCIPALS),
    ("request.auth.principal", REQUEST_PRINCIPALS),
    ("request.auth.audiences", AUDIENCES),
    ("request.auth.audiences", AUDIENCES),
    ("request.auth.presenter", PRESENTERS),
    ("request.auth.presenter", PRESENTERS),
    ("request.auth.claims[role]", ROLES_CLAIMED),
    ("request.auth.claims[group][name]", GROUPS),
    ("request.auth.claims[a.b]", ROLES_CLAIMED),
    ("request.auth.claims[scope]", WORDS),
    (METADATA, MARKS),
    (METADATA, MARKS),
];

const METADATA: &str = "experimental.envoy.filters.http.waf[mark]";
const MARKS: &[&str] = &["clean", "[clean]", "cl*", "[cl*]", "*", "[*]", "*an", "bot", "[bot]"];

fn values(atoms: &[&str], random: &mut Random) -> Json {
    let count = 1 + random.below(2);
    (0..count).map(|_| *random.pick(atoms)).collect::<Vec<_>>().into()
}

/// One or two fields of a source or operation; a third of them negated.
fn fields(of: &[(&str, &[&str])], random: &mut Random) -> Json {
    let mut fields = json!({});
    for _ in 0..1 + random.below(2) {
        let (name, atoms) = random.pick(of);
        if *name == "requestPrincipals" && random.one_in(2) {
            continue; // few requests have a token
        }
        let excluded = |others: &[&str]| others.iter().any(|other| fields.get(other).is_some());
        let accounts = ["serviceAccounts", "notServiceAccounts"];
        let named = ["principals", "notPrincipals", "namespaces", "notNamespaces"];
        if *name == "serviceAccounts" && excluded(&named) || named.contains(name) && excluded(&accounts) {
            continue; // Istio refuses them together
        }
        let negated = random.one_in(3);
        let name = if negated { format!("not{}{}", name[..1].to_uppercase(), &name[1..]) } else { (*name).to_owned() };
        fields[name] = values(atoms, random);
    }
    // Istio refuses an empty one.
    if fields == json!({}) { self::fields(of, random) } else { fields }
}

fn rule(custom: bool, random: &mut Random) -> Json {
    let mut rule = json!({});
    let list = |of: &[(&str, &[&str])], inner: &str, random: &mut Random| -> Json {
        (0..1 + random.below(2)).map(|_| json!({inner: fields(of, random)})).collect::<Vec<_>>().into()
    };
    if random.one_in(2) {
        rule["from"] = list(if custom { UNKNOWN_SOURCE } else { SOURCE }, "source", random);
    }
    if random.one_in(2) {
        rule["to"] = list(OPERATION, "operation", random);
    }
    if random.one_in(2) || rule == json!({}) {
        let known = |key: &str| {
            ["source.ip", "remote.ip"].contains(&key)
                || !key.starts_with("source.") && !key.starts_with("request.auth.")
        };
        let (key, atoms) = loop {
            let picked = random.pick(WHEN);
            if !custom || known(picked.0) {
                break picked;
            }
        };
        let mut condition = json!({"key": key});
        if !random.one_in(3) {
            condition["values"] = values(atoms, random);
        }
        if random.one_in(4) || condition.get("values").is_none() {
            condition["notValues"] = values(atoms, random);
        }
        rule["when"] = json!([condition]);
    }
    rule
}

pub(super) fn world(random: &mut Random) -> World {
    let domains = [vec!["td"], vec!["td", "old-td"], vec!["cluster.local"], vec!["td", "cluster.local"]];
    World {
        namespace: "shop".to_owned(),
        labels: [("app".to_owned(), "cart".to_owned())].into(),
        trust_domains: random.pick(&domains).iter().map(|domain| (*domain).to_owned()).collect(),
        normalization: random.text(&["NONE", "BASE", "MERGE_SLASHES", "DECODE_AND_MERGE_SLASHES"]),
        issuers: issuers(random),
    }
}

/// The action of a policy, and whether it is a dry run.
fn action(random: &mut Random) -> (&'static str, bool) {
    match random.below(20) {
        0 => ("CUSTOM", false),
        1 | 2 => ("AUDIT", false),
        3 => ("DENY", true),
        4 => ("ALLOW", true),
        5..15 => ("DENY", false),
        _ => ("ALLOW", false),
    }
}

pub(super) fn policies(random: &mut Random) -> Vec<Policy> {
    (0..1 + random.below(6))
        .map(|at| {
            let (action, dry_run) = action(random);
            let rules: Vec<Json> = (0..1 + random.below(3)).map(|_| rule(action == "CUSTOM", random)).collect();
            let mut spec = json!({"action": action, "rules": rules});
            if action == "CUSTOM" {
                spec["provider"] = json!({"name": random.pick(&PROVIDERS)});
            }
            if random.one_in(4) {
                let app = random.pick(&["cart", "cart", "other"]);
                spec["selector"] = json!({"matchLabels": {"app": app}});
            }
            let namespace = (*random.pick(&["shop", "shop", "shop", "istio-system", "other"])).to_owned();
            Policy { namespace, name: format!("p{at}"), dry_run, spec }
        })
        .collect()
}

/// The policy as a user writes it.
pub(super) fn resource(policy: &Policy) -> Json {
    let mut metadata = json!({"namespace": policy.namespace, "name": policy.name});
    if policy.dry_run {
        metadata["annotations"] = json!({"istio.io/dry-run": "true"});
    }
    json!({"kind": "AuthorizationPolicy", "metadata": metadata, "spec": policy.spec})
}

/// Three of ten.
fn is_absent(random: &mut Random) -> bool {
    random.below(10) < 3
}

/// An atom made concrete, or something close to it; perhaps absent.
fn near(atom: &str, fillings: &[&'static str], random: &mut Random) -> Option<String> {
    if is_absent(random) {
        return None;
    }
    let mut text = atom.replace("{**}", "*").replace("{*}", "*");
    while text.contains('*') {
        text = text.replacen('*', random.text(fillings), 1);
    }
    Some(match random.below(14) {
        0 => text.to_uppercase(),
        1 => text.to_lowercase(),
        2 => format!("{text}/"),
        3 => format!("{text}x"),
        4 => format!("x{text}"),
        5 => String::new(),
        6 => text.replacen('/', "//", 1),
        _ => text,
    })
}

fn address(random: &mut Random) -> String {
    let all = ["10.1.2.3", "10.1.2.2", "10.1.2.8", "10.9.9.9", "192.168.7.7", "11.0.0.1", "fd00::1", "fe80::1"];
    random.text(&all).to_owned()
}

/// What a filter of the proxy says: nothing in three of ten.
fn said(random: &mut Random) -> Json {
    let plain: &[&'static str] = &["clean", "bot", "*", "cl*"];
    let mark = near(random.text(plain), &["", "ean"], random);
    match (mark, random.below(8)) {
        (None, _) => Json::Null,
        (Some(_), 0) => json!({"envoy.filters.http.waf": {"mark": 5}}),
        (Some(mark), 1..4) => json!({"envoy.filters.http.waf": {"mark": ["other", mark]}}),
        (Some(mark), _) => json!({"envoy.filters.http.waf": {"mark": mark}}),
    }
}

pub(super) fn asked(atoms: &Atoms, tokens: &Tokens, random: &mut Random) -> Asked {
    let near = |fields: &[&str], all: &[&'static str], fillings: &[&'static str], random: &mut Random| {
        near(&atoms.pick(fields, all, random), fillings, random)
    };
    let principal = near(&["principals", "source.principal"], PRINCIPALS, &["", "td", "sa/a", "y"], random);
    let mut asked = Asked {
        principal: principal.filter(|name| !name.is_empty()),
        source_ip: (!is_absent(random)).then(|| address(random)),
        destination: (!is_absent(random)).then(|| (address(random), random.pick(PORTS).parse().unwrap())),
        sni: near(&["connection.sni"], NAMES, &["a", "op.com"], random).map(|name| name.to_lowercase()),
        metadata: said(random),
        ..Asked::default()
    };
    if random.one_in(3) {
        let parts = [*random.pick(&["td", "old-td", "other"]), *random.pick(&["x", "y", "xz", "x.y", "shop", "xay"])];
        let account = random.pick(&["a", "b", "a.b", "aXb", "a/z", "q/sa/a"]);
        asked.principal = Some(format!("{}/ns/{}/sa/{account}", parts[0], parts[1]));
    }
    if random.one_in(12) {
        return asked;
    }
    let method = near(&["methods"], METHODS, &["U", "OS", ""], random);
    asked.method = Some(method.filter(|text| !text.is_empty()).unwrap_or("GET".into()));
    let target = near(&["paths"], PATHS, &["b", "x", "", "a/b"], random).unwrap_or_default();
    let twisted = match random.below(8) {
        0 => format!("{target}?x=1"),
        1 => format!("/q/..{target}"),
        2 => format!("{target}#frag"),
        3 => target.replacen("/b", "%2fb", 1),
        4 => target.replacen('a', "%61", 1),
        5 => target.replacen("/", "\\", 2).replacen('\\', "/", 1),
        _ => target,
    };
    asked.target = if twisted.starts_with('/') { twisted } else { format!("/{twisted}") }.replace(' ', "%20");
    asked.host = near(&["hosts"], HOSTS, &["a", "com"], random);
    for _ in 0..random.below(3) {
        let role = near(&["request.headers[x-role]"], ROLES, &["", "min", "ad"], random).unwrap_or_default();
        asked.headers.push(("x-role".to_owned(), role));
    }
    if random.one_in(2) {
        let forwarded = if random.one_in(6) { "nonsense".to_owned() } else { address(random) };
        let line = if random.one_in(3) { format!("1.1.1.1, {forwarded}") } else { forwarded };
        asked.headers.push(("x-forwarded-for".to_owned(), line));
    }
    match random.below(12) {
        0 => asked.headers.push(("authorization".to_owned(), "Basic dTpw".to_owned())),
        1..8 => {
            let token = tokens.pick(random);
            asked.headers.push(("authorization".to_owned(), format!("Bearer {}", token.text)));
            asked.token = Some(token.clone());
        }
        _ => {}
    }
    if !random.one_in(3) {
        let willing = PROVIDERS.iter().filter(|_| !random.one_in(3)).copied().collect::<Vec<_>>();
        asked.headers.push(("x-ask".to_owned(), willing.join(" ")));
    }
    asked
}

/// The request as the sidecar tells it, its path normalized.
pub(super) fn told(asked: &Asked, world: &World) -> Request {
    let whole = |ip: &str, port: u16| if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") };
    let mut told = connection();
    let texts = [
        (slot::DESTINATION_ADDRESS, asked.destination.as_ref().map(|(ip, port)| whole(ip, *port))),
        (slot::SOURCE_PRINCIPAL, asked.principal.clone()),
        (slot::SOURCE_ADDRESS, asked.source_ip.as_deref().map(|ip| whole(ip, 40000))),
        (slot::CONNECTION_REQUESTED_SERVER_NAME, asked.sni.clone()),
        (slot::REQUEST_METHOD, asked.method.clone()),
        (slot::REQUEST_HOST, asked.host.clone()),
    ];
    for (slot, text) in texts {
        told = text.into_iter().fold(told, |told, text| told.text(slot, &text));
    }
    if asked.is_http() {
        let target = normalized(world.normalization, &asked.target);
        told = told.text(slot::REQUEST_PATH, &target);
        told = told.text(slot::REQUEST_URL_PATH, target.split('?').next().unwrap());
    }
    if !asked.metadata.is_null() {
        told = told.metadata(&asked.metadata);
    }
    asked.headers.iter().fold(told, |told, (name, value)| told.header(name, value))
}
