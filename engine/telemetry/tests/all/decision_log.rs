use std::path::Path;

use serde_json::{Value, json};
use weir_attributes::{Bag, Json, Struct, slot};
use weir_telemetry::{
    Account, DecisionId, DecisionLog, DecisionLogOptions, DryRun, HEADER_LINES_MAX, Outcome, RECENT_MAX, Reads, Said,
    TEXT_BYTES_MAX, Target,
};

use super::{Arc, LONG, decision, redactor};

fn options(path: &Path) -> DecisionLogOptions {
    DecisionLogOptions::new(Target::File(path.into()), redactor())
}

fn lines(path: &Path) -> Vec<Value> {
    let text = std::fs::read_to_string(path).expect("read");
    text.lines().map(|line| serde_json::from_str(line).expect(line)).collect()
}

#[test]
fn a_line_has_every_field() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("decisions.jsonl");
    let log = DecisionLog::start(options(&path)).expect("starts");
    let mut full = decision(Outcome::Deny, 0xabc);
    full.message = Some("no admins".into());
    full.audit = vec!["shop/watch".into()];
    full.dry_run = vec![
        DryRun { side: "deny", outcome: Outcome::Deny, rule: Some("shop/trial#0".into()) },
        DryRun { side: "allow", outcome: Outcome::Allow, rule: None },
    ];
    let metadata = Struct::new(vec![("team".into(), Json::string("blue"))]).expect("small");
    full.adapters = vec![Said { plugin: "acme/geo".into(), reason: "sent Bearer s3cret-token".into(), metadata }];
    full.in_doubt = true;
    log.record(full);
    assert!(log.flush(LONG));
    let hash = |value: &str| redactor().hash(value).to_string();
    assert_eq!(
        lines(&path),
        [json!({
            "schema": 1,
            "id": "00000000000000000000000000000abc",
            "time": "2023-11-14T22:13:20.123456789Z",
            "duration_ns": 4321,
            "snapshot": "v7",
            "workload": "shop/orders",
            "door": "ext_authz",
            "decision": "deny",
            "status": 403,
            "reason": "denied-by-rule",
            "policy": "shop/no-admins",
            "rule": "roles",
            "message": "no admins",
            "audit": ["shop/watch"],
            "dry_run": {"deny": {"decision": "deny", "rule": "shop/trial#0"}, "allow": {"decision": "allow"}},
            "adapters": [{
                "plugin": "acme/geo",
                "reason": format!("sent {}", hash("Bearer s3cret-token")),
                "metadata": "{\"team\":\"blue\"}",
            }],
            "in_doubt": true,
            "method": "GET",
            "path": "/orders/1",
            "host": "shop.example",
            "peer": {"principal": "cluster.local/ns/web/sa/front", "ip": "10.0.0.7"},
            "values": {
                "request.method": "GET",
                "request.id": null,
                "destination.port": 8080,
                "connection.mtls": true,
                "request.headers": {
                    "authorization": [hash("Bearer s3cret-token")],
                    "x-absent": null,
                    "x-role": ["user", "admin"],
                },
            },
        })]
    );
    assert_eq!(DecisionId(0xabc).to_string(), lines(&path)[0]["id"]);
    assert_eq!(log.recent(), lines(&path));
}

#[test]
fn what_is_absent_is_left_out_and_never_breaks_a_line() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("decisions.jsonl");
    let log = DecisionLog::start(options(&path)).expect("starts");
    let mut bare = decision(Outcome::Allow, 1);
    bare.bag = Bag::default();
    (bare.workload, bare.policy, bare.rule) = (None, None, None);
    bare.reads = Arc::new(Reads::default());
    log.record(bare);
    let mut hostile = decision(Outcome::Allow, 2);
    hostile.bag.set_text(slot::REQUEST_METHOD, "G\"E\nT\u{0}\\");
    hostile.bag.set_text(slot::REQUEST_HOST, &"é".repeat(TEXT_BYTES_MAX));
    log.record(hostile);
    assert!(log.flush(LONG));
    let lines = lines(&path);
    assert_eq!(lines.len(), 2);
    assert_eq!(lines[0]["peer"], json!({}));
    assert_eq!(lines[0]["values"], json!({}));
    assert!(lines[0].get("status").is_none() && lines[0].get("policy").is_none());
    assert_eq!(lines[1]["method"], "G\"E\nT\u{0}\\");
    let host = lines[1]["host"].as_str().expect("text");
    assert!(host.ends_with('…') && host.len() <= TEXT_BYTES_MAX + '…'.len_utf8(), "{}", host.len());
}

#[test]
fn all_headers_are_written_when_a_policy_can_read_them_all_up_to_a_limit() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("decisions.jsonl");
    let log = DecisionLog::start(options(&path)).expect("starts");
    let mut everything = decision(Outcome::Allow, 1);
    everything.reads = Arc::new(Reads::new(vec![slot::REQUEST_HEADERS], vec![], true));
    log.record(everything);
    let mut many = decision(Outcome::Allow, 2);
    many.reads = Arc::new(Reads::new(vec![], vec![], true));
    many.bag = (0..500).fold(Bag::builder(), |bag, n| bag.header(&format!("x-{n}"), "v").header("x-0", "v")).build();
    log.record(many);
    assert!(log.flush(LONG));
    let lines = lines(&path);
    let headers = lines[0]["values"]["request.headers"].as_object().expect("a map");
    assert_eq!(headers.keys().collect::<Vec<_>>(), ["authorization", "x-role"]);
    let headers = lines[1]["values"]["request.headers"].as_object().expect("a map");
    assert_eq!(headers.values().map(|lines| lines.as_array().expect("a list").len()).sum::<usize>(), HEADER_LINES_MAX);
}

#[test]
fn every_decision_is_written_in_the_order_of_its_thread() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("decisions.jsonl");
    let mut options = options(&path);
    options.queue = 100_000;
    options.queue_bytes = 1 << 30;
    let log = DecisionLog::start(options).expect("starts");
    std::thread::scope(|scope| {
        for thread in 0..3u128 {
            let log = &log;
            scope.spawn(move || {
                for n in 0..2_000 {
                    log.record(decision(if n % 5 == 0 { Outcome::Deny } else { Outcome::Allow }, thread << 64 | n));
                }
            });
        }
    });
    assert!(log.flush(LONG));
    assert_eq!(log.account(), Account { observed: 6_000, delivered: 6_000, lost: 0, in_flight: 0 });
    let ids: Vec<String> = lines(&path).iter().map(|line| line["id"].as_str().expect("text").to_owned()).collect();
    for thread in 0..3 {
        let of_thread: Vec<_> = ids.iter().filter(|id| id[15..16] == thread.to_string()).collect();
        assert_eq!(of_thread.len(), 2_000);
        assert!(of_thread.is_sorted());
    }
}

#[test]
fn what_the_log_does_not_hold_is_counted_as_lost() {
    let folder = tempfile::tempdir().expect("folder");
    let path = folder.path().join("decisions.jsonl");
    let mut options = options(&path);
    options.queue = 8;
    let log = DecisionLog::start(options).expect("starts");
    for n in 0..20_000 {
        log.record(decision(Outcome::Deny, n));
    }
    assert!(log.flush(LONG));
    let account = log.account();
    assert!(account.lost > 0, "{account:?}");
    assert!(account.balances(), "{account:?}");
    assert_eq!(account.delivered, lines(&path).len() as u64);
}

#[test]
fn denials_and_audited_requests_are_never_sampled_out() {
    let folder = tempfile::tempdir().expect("folder");
    for (ratio, least, most) in [(0.0, 0, 0), (0.25, 150, 350), (1.0, 1000, 1000), (7.0, 1000, 1000), (-1.0, 0, 0)] {
        let path = folder.path().join(format!("{ratio}"));
        let mut options = options(&path);
        options.allow_ratio = ratio;
        let log = DecisionLog::start(options).expect("starts");
        for _ in 0..1000 {
            log.record(decision(Outcome::Allow, DecisionId::random().0));
        }
        for _ in 0..10 {
            log.record(decision(Outcome::Deny, DecisionId::random().0));
        }
        let mut audited = decision(Outcome::Allow, u128::MAX);
        audited.audit = vec!["shop/watch".into()];
        log.record(audited);
        assert!(log.flush(LONG));
        let lines = lines(&path);
        let count = |name: &str| lines.iter().filter(|line| line["decision"] == name).count();
        assert_eq!(count("deny"), 10);
        let allowed = count("allow") - 1;
        assert!((least..=most).contains(&allowed), "{ratio}: {allowed}");
    }
}

#[test]
fn a_log_that_is_off_still_has_the_last_denials() {
    let log = DecisionLog::start(DecisionLogOptions::new(Target::Off, redactor())).expect("starts");
    for n in 0..RECENT_MAX as u128 + 5 {
        log.record(decision(Outcome::Deny, n));
        log.record(decision(Outcome::Allow, n));
    }
    assert!(log.flush(LONG));
    let recent = log.recent();
    assert_eq!(recent.len(), RECENT_MAX);
    assert_eq!(recent[0]["id"], DecisionId(RECENT_MAX as u128 + 4).to_string());
    assert!(recent.iter().all(|line| line["decision"] == "deny"));
}

#[test]
fn a_rotated_file_is_followed_and_nothing_is_lost() {
    let folder = tempfile::tempdir().expect("folder");
    let (path, moved) = (folder.path().join("log"), folder.path().join("log.1"));
    let log = DecisionLog::start(options(&path)).expect("starts");
    log.record(decision(Outcome::Deny, 1));
    assert!(log.flush(LONG));
    std::fs::rename(&path, &moved).expect("moved");
    log.record(decision(Outcome::Deny, 2));
    assert!(log.flush(LONG));
    log.reopen();
    log.record(decision(Outcome::Deny, 3));
    assert!(log.flush(LONG));
    assert_eq!((lines(&moved).len(), lines(&path).len()), (2, 1));
}

#[test]
fn random_ids_are_all_different() {
    let mut ids: Vec<u128> = (0..2)
        .flat_map(|_| {
            std::thread::spawn(|| (0..50_000).map(|_| DecisionId::random().0).collect::<Vec<_>>())
                .join()
                .expect("no panic")
        })
        .collect();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), 100_000);
    let low = ids.iter().filter(|id| (**id as u64) < u64::MAX / 4).count();
    assert!((23_000..27_000).contains(&low), "sampling needs even low halves: {low}");
}
