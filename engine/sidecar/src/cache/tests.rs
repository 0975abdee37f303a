#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
use weir_attributes::vocabulary;
use weir_proto::v1;

use super::*;

fn verdict(name: &str) -> Arc<Verdict> {
    let mut answer = v1::CheckResponse { decision: 1, decision_id: name.to_owned(), ..Default::default() };
    Arc::new(Verdict::read(&mut answer).unwrap())
}

fn referenced(attributes: &[&str], headers: &[&str]) -> Arc<Referenced> {
    let wire = |name: &&str| weir_attributes::lookup(name).unwrap().wire;
    let told = v1::ReferencedSet {
        attributes: attributes.iter().map(wire).collect(),
        headers: headers.iter().map(|name| (*name).to_owned()).collect(),
        all_headers: false,
    };
    Arc::new(Referenced::read(&told).unwrap())
}

const LEASE: Lease = Lease { ttl: Duration::from_secs(10), uses: 2 };

fn store(cache: &Cache, snapshot: &str, bag: &Bag, set: &Arc<Referenced>, lease: Lease, name: &str) {
    cache.store(&cache.generation(), "", bag, answer(snapshot, set, lease, name));
}

fn answer<'a>(snapshot: &'a str, set: &Arc<Referenced>, lease: Lease, name: &str) -> Answer<'a> {
    Answer { snapshot, referenced: Some(Arc::clone(set)), lease, verdict: verdict(name) }
}

fn find(cache: &Cache, bag: &Bag, now: Instant) -> Option<String> {
    cache.find(&cache.generation(), "", bag, now).map(|verdict| verdict.id.to_string())
}

fn get(method: &str) -> Bag {
    Bag::builder().text(weir_attributes::slot::REQUEST_METHOD, method).build()
}

#[test]
fn a_verdict_holds_for_its_ttl_and_its_uses() {
    let (cache, set, now) = (Cache::new(), referenced(&["request.method"], &[]), Instant::now());
    store(&cache, "1", &get("GET"), &set, LEASE, "a");
    assert_eq!(find(&cache, &get("POST"), now), None);
    assert_eq!(find(&cache, &get("GET"), now).as_deref(), Some("a"));
    assert_eq!(find(&cache, &get("GET"), now).as_deref(), Some("a"));
    assert_eq!(find(&cache, &get("GET"), now), None, "used up");
    store(&cache, "1", &get("GET"), &set, LEASE, "b");
    assert_eq!(find(&cache, &get("GET"), now + Duration::from_secs(11)), None, "too old");
    for none in [Lease { ttl: Duration::ZERO, ..LEASE }, Lease { uses: 0, ..LEASE }] {
        store(&cache, "1", &get("GET"), &set, none, "c");
        assert_eq!(find(&cache, &get("GET"), now), None, "not to be cached");
    }
}

#[test]
fn another_snapshot_forgets_everything() {
    let (cache, set, now) = (Cache::new(), referenced(&["request.method"], &[]), Instant::now());
    store(&cache, "1", &get("GET"), &set, LEASE, "a");
    cache.notice("1");
    assert!(find(&cache, &get("GET"), now).is_some(), "the same snapshot");
    cache.notice("2");
    assert_eq!(find(&cache, &get("GET"), now), None);
    store(&cache, "2", &get("GET"), &set, LEASE, "b");
    store(&cache, "3", &get("PUT"), &set, LEASE, "c");
    assert_eq!(find(&cache, &get("GET"), now), None, "an answer of snapshot 3 came");
    assert_eq!(find(&cache, &get("PUT"), now).as_deref(), Some("c"));
}

#[test]
fn a_late_answer_of_an_old_snapshot_is_never_found() {
    let (cache, set, now) = (Cache::new(), referenced(&["request.method"], &[]), Instant::now());
    store(&cache, "1", &get("PUT"), &set, LEASE, "a");
    let sent_before = cache.generation();
    cache.notice("2");
    cache.store(&sent_before, "", &get("GET"), answer("1", &set, LEASE, "late"));
    assert_eq!(find(&cache, &get("GET"), now), None);
    cache.flush();
    let sent_before = cache.generation();
    cache.notice("3");
    cache.store(&sent_before, "", &get("GET"), answer("1", &set, LEASE, "late"));
    assert_eq!(find(&cache, &get("GET"), now), None);
    assert_eq!(cache.status().snapshot.as_deref(), Some("3"));
}

#[test]
fn lines_and_absence_are_part_of_the_key() {
    let set = referenced(&["source.principal"], &["x-role", "x-team"]);
    let bags = [
        Bag::default(),
        Bag::builder().text(weir_attributes::slot::SOURCE_PRINCIPAL, "").build(),
        Bag::builder().header("x-role", "").build(),
        Bag::builder().header("x-team", "").build(),
        Bag::builder().header("x-role", "a").header("x-role", "b").build(),
        Bag::builder().header("x-role", "b").header("x-role", "a").build(),
        Bag::builder().header("x-role", "a,b").build(),
        Bag::builder().header("x-role", "a").header("x-team", "b").build(),
    ];
    let keys: std::collections::BTreeSet<_> = bags.iter().map(|bag| set.key("", bag).unwrap()).collect();
    assert_eq!(keys.len(), bags.len());
    assert_ne!(set.key("", &bags[0]), set.key("other workload", &bags[0]));
    let unread = Bag::builder().header("x-other", "1").text(weir_attributes::slot::REQUEST_METHOD, "GET").build();
    assert_eq!(set.key("", &unread), set.key("", &bags[0]), "what is not read does not matter");
}

#[test]
fn what_cannot_be_a_key_is_not_cached() {
    let told = |attributes: Vec<u32>| v1::ReferencedSet { attributes, ..Default::default() };
    assert!(Referenced::read(&told(vec![9_999])).is_none(), "an attribute of a newer version");
    let volatile = vocabulary().iter().filter(|attribute| attribute.volatile);
    assert!(volatile.clone().count() > 0);
    for attribute in volatile {
        assert!(Referenced::read(&told(vec![attribute.wire])).is_none(), "{}", attribute.name);
    }
    let long = Bag::builder().header("x", &"v".repeat(limits::CACHE_KEY_BYTES_MAX)).build();
    assert!(referenced(&[], &["x"]).key("", &long).is_none(), "a longer key than the limit");
}

/// The engine derives these from others that the sidecar sends; each must change the key when its origin changes.
#[test]
fn every_derived_attribute_is_keyed_by_its_origin_or_by_the_workload() {
    use weir_attributes::slot::*;
    let base = || Bag::builder().text(SOURCE_ADDRESS, "1.1.1.1:1").text(DESTINATION_ADDRESS, "2.2.2.2:2");
    let changed = |name: &str| match name {
        "request.url_path" | "request.query" => base().text(REQUEST_PATH, "/a?b").build(),
        "request.useragent" => base().header("user-agent", "x").build(),
        "request.referer" => base().header("referer", "x").build(),
        "context.protocol" => base().header("content-type", "application/grpc").build(),
        "source.ip" | "source.port" => base().text(SOURCE_ADDRESS, "1.1.1.2:1").build(),
        "source.namespace" | "source.service_account" => base().text(SOURCE_PRINCIPAL, "a/ns/b/sa/c").build(),
        "remote.ip" => base().header("x-forwarded-for", "3.3.3.3").build(),
        "destination.ip" | "destination.port" => base().text(DESTINATION_ADDRESS, "2.2.2.3:2").build(),
        other => panic!("{other} is derived: say in cache/key.rs from what"),
    };
    // Tokens: a ruleset that has rules about them reads the headers and targets where they are (policy's tests say so).
    let of_token = |name: &str| name.starts_with("request.auth.");
    let derived = vocabulary().iter().filter(|attribute| attribute.from.starts_with("derived"));
    for attribute in derived.filter(|attribute| !of_token(attribute.name)) {
        let set = referenced(&[attribute.name], &[]);
        if attribute.from.contains("workload") {
            assert_ne!(set.key("a", &base().build()), set.key("b", &base().build()), "{}", attribute.name);
        } else {
            assert_ne!(set.key("", &base().build()), set.key("", &changed(attribute.name)), "{}", attribute.name);
        }
    }
}

#[test]
fn the_cache_keeps_to_its_limit() {
    let (cache, set) = (Cache::new(), referenced(&["request.path"], &[]));
    for number in 0..limits::CACHE_ENTRIES_MAX + 10_000 {
        let bag = Bag::builder().text(weir_attributes::slot::REQUEST_PATH, &format!("/{number}")).build();
        store(&cache, "1", &bag, &set, LEASE, "a");
    }
    let entries = cache.status().entries;
    assert!((limits::CACHE_ENTRIES_MAX / 3..=limits::CACHE_ENTRIES_MAX).contains(&entries), "{entries}");
}

/// A ruleset in small: it reads a random set of attributes and headers and decides by a hash of what it reads.
#[test]
fn a_cached_verdict_equals_a_fresh_one() {
    use std::hash::{BuildHasher as _, Hash as _, Hasher as _};
    let names = ["request.method", "request.url_path", "request.query", "source.ip", "remote.ip", "source.namespace"];
    let headers = ["x-a", "x-b", "user-agent"];
    let mut seed = 0x1234_5678_9abc_def0_u64;
    let mut random = move |below: usize| {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        (seed % below as u64) as usize
    };
    let hasher = std::hash::RandomState::new();
    for _ in 0..200 {
        let read: Vec<_> = names.iter().copied().filter(|_| random(2) == 0).collect();
        let read_headers: Vec<_> = headers.iter().copied().filter(|_| random(2) == 0).collect();
        let fresh = |bag: &Bag| {
            let mut hash = hasher.build_hasher();
            for name in &read {
                derived(bag, name).hash(&mut hash);
            }
            for name in &read_headers {
                bag.headers().lines(name).collect::<Vec<_>>().hash(&mut hash);
            }
            hash.finish().to_string()
        };
        let (cache, set) = (Cache::new(), referenced(&read, &read_headers));
        let mut hits = 0;
        for _ in 0..100 {
            let bag = random_bag(&mut random);
            match find(&cache, &bag, Instant::now()) {
                Some(cached) => {
                    hits += 1;
                    assert_eq!(cached, fresh(&bag), "{read:?} {read_headers:?} {bag:?}");
                }
                None => {
                    store(&cache, "1", &bag, &set, Lease { uses: 1000, ..LEASE }, &fresh(&bag));
                    assert_eq!(find(&cache, &bag, Instant::now()), Some(fresh(&bag)));
                }
            }
        }
        assert!(hits > 0 || read.len() + read_headers.len() > 4, "{read:?} {read_headers:?}");
    }
}

fn random_bag(random: &mut impl FnMut(usize) -> usize) -> Bag {
    use weir_attributes::slot::*;
    let mut bag = Bag::default();
    bag.set_text(REQUEST_METHOD, ["GET", "POST"][random(2)]);
    bag.set_text(REQUEST_PATH, ["/a", "/a?b", "/a?", "/b?b"][random(4)]);
    bag.set_text(SOURCE_ADDRESS, &format!("1.1.1.{}:{}", random(2), random(1000)));
    if random(2) == 0 {
        bag.set_text(SOURCE_PRINCIPAL, ["td/ns/a/sa/x", "td/ns/b/sa/x"][random(2)]);
    }
    for name in ["x-a", "x-b", "user-agent", "x-forwarded-for", "x-unread"] {
        for _ in 0..random(3) {
            bag.add_header(name, ["", "1", "2,3"][random(3)]);
        }
    }
    bag
}

/// What the engine derives, in its plainest form.
fn derived(bag: &Bag, name: &str) -> Option<String> {
    use weir_attributes::{Spiffe, remote_ip, slot::*, split_address};
    let path = bag.str(REQUEST_PATH).unwrap();
    let ip = split_address(bag.str(SOURCE_ADDRESS).unwrap()).map(|(ip, _)| ip);
    match name {
        "request.method" => bag.str(REQUEST_METHOD).map(str::to_owned),
        "request.url_path" => path.split('?').next().map(str::to_owned),
        "request.query" => path.split_once('?').map(|(_, query)| query.to_owned()),
        "source.ip" => ip.map(|ip| ip.to_string()),
        "remote.ip" => remote_ip(bag.headers(), 1, ip).map(|ip| ip.to_string()),
        _ => bag.str(SOURCE_PRINCIPAL).and_then(Spiffe::parse).map(|id| id.namespace.to_owned()),
    }
}
