//! The text that Prometheus scrapes, judged by the rules of `promtool check metrics`.

use std::{collections::HashSet, time::Duration};

use weir_telemetry::{
    AdapterOutcome, CheckOutcome, DecisionLog, DecisionLogOptions, Declaration, Outcome, ReportOptions, Reports,
    SelfMetrics, SelfMetricsOptions, Sinks, Target,
    record::{Change, Emissions, Family, FamilyKind, Update},
    sinks::prometheus,
};

use super::{Arc, LONG, decision, redactor};

fn metrics() -> Arc<SelfMetrics> {
    SelfMetrics::new(SelfMetricsOptions {
        version: "0.1.0",
        part: "engine",
        reasons: vec!["allowed-by-rule", "denied-by-rule"],
        doors: vec!["ext_authz", "native"],
    })
}

fn family(name: &str, labels: &[&str], kind: FamilyKind) -> Family {
    let labels = labels.iter().map(|label| (*label).to_owned()).collect();
    Family { name: name.into(), help: "Requests \\ of\nall kinds.".into(), unit: String::new(), labels, kind }
}

/// Everything counted at least once.
fn busy() -> String {
    let metrics = metrics();
    metrics.check(CheckOutcome::Allow, 0, 0, Duration::from_micros(3));
    metrics.check(CheckOutcome::Deny, 1, 1, Duration::from_micros(30));
    metrics.check(CheckOutcome::Error, 99, 99, Duration::from_secs(3));
    metrics.rule_errors("shop/x", "rule \"1\"\n", 1);
    metrics.doubt("path", "envoy-1");
    metrics.config_loaded(Some(1_700_000_000.0));
    metrics.config_loaded(None);
    metrics.ready(true);
    let adapter = metrics.adapter("shop/deny-list", "check");
    adapter.call(AdapterOutcome::Trapped, Duration::from_millis(1));
    metrics.panicked();
    metrics.counters("weir_cache_lookups_total", "Lookups in the verdict cache.", &["outcome"]).cell(&["hit"]).add(2);
    metrics.gauges("weir_connections", "Open connections.", &[]).cell(&[]).set(3.0);
    let reports = Reports::new(&ReportOptions::default());
    reports.submit(vec![super::bag()]).expect("room");
    metrics.add(Arc::clone(reports.ledger()) as _);
    let log = Arc::new(DecisionLog::start(DecisionLogOptions::new(Target::Off, redactor())).expect("starts"));
    log.record(decision(Outcome::Deny, 1));
    assert!(log.flush(LONG));
    metrics.add(log);
    let families = Arc::default();
    let sinks = Sinks::new(Arc::clone(&families), redactor(), None, None);
    let declared = |family| Declaration { owner: "shop/request-metrics".into(), family };
    let ids = families
        .replace(&[
            declared(family("requests", &["code", "path"], FamilyKind::Counter)),
            declared(family("latency_seconds", &["code"], FamilyKind::Histogram { buckets: vec![0.1, 1.0] })),
        ])
        .expect("valid");
    let updates = vec![
        Update { family: ids[0], labels: vec!["200".into(), "a\"b\\c\nd".into()], change: Change::Add(7) },
        Update { family: ids[1], labels: vec!["200".into()], change: Change::Observe(vec![0.1, 0.5, 5.0]) },
        Update { family: ids[1], labels: vec![], change: Change::Observe(vec![0.1]) },
    ];
    sinks.accept(Emissions { updates, ..Emissions::default() });
    metrics.add(families);
    sinks.ledgers().into_iter().for_each(|ledger| metrics.add(ledger));
    prometheus::render(&metrics.gather())
}

#[test]
fn what_was_counted_is_in_the_text() {
    let text = busy();
    for line in [
        "weir_build_info{version=\"0.1.0\",part=\"engine\"} 1",
        "weir_checks_total{decision=\"allow\",reason=\"allowed-by-rule\",door=\"ext_authz\"} 1",
        "weir_checks_total{decision=\"deny\",reason=\"denied-by-rule\",door=\"native\"} 1",
        "weir_checks_total{decision=\"error\",reason=\"other\",door=\"other\"} 1",
        "weir_check_duration_seconds_bucket{le=\"0.000005\"} 1",
        "weir_check_duration_seconds_bucket{le=\"+Inf\"} 3",
        "weir_check_duration_seconds_count 3",
        "weir_rule_errors_total{policy=\"shop/x\",rule=\"rule \\\"1\\\"\\n\"} 1",
        "weir_doubt_total{kind=\"path\",proxy=\"envoy-1\"} 1",
        "weir_config_rejected 1",
        "weir_config_loads_total{result=\"accepted\"} 1",
        "weir_config_loaded_timestamp_seconds 1700000000",
        "weir_ready 1",
        "weir_plugin_calls_total{adapter=\"shop/deny-list\",phase=\"check\",outcome=\"trapped\"} 1",
        "weir_panics_total 1",
        "weir_cache_lookups_total{outcome=\"hit\"} 2",
        "weir_connections 3",
        "weir_report_observed_total 1",
        "weir_report_in_flight 1",
        "weir_report_lost_total{reason=\"queue_full\"} 0",
        "weir_decision_log_delivered_total 1",
        "weir_decision_log_lost_total{reason=\"queue_full\"} 0",
        "weir_sink_lost_total{sink=\"metrics\",reason=\"invalid\"} 1",
        "weir_sink_delivered_total{sink=\"metrics\"} 2",
        "requests_total{code=\"200\",path=\"a\\\"b\\\\c\\nd\"} 7",
        "latency_seconds_bucket{code=\"200\",le=\"0.1\"} 1",
        "latency_seconds_bucket{code=\"200\",le=\"1\"} 2",
        "latency_seconds_bucket{code=\"200\",le=\"+Inf\"} 3",
        "latency_seconds_sum{code=\"200\"} 5.6",
    ] {
        assert!(text.lines().any(|seen| seen == line), "{line}\nis not in\n{text}");
    }
    if cfg!(target_os = "linux") {
        assert!(text.contains("process_cpu_seconds_total "), "{text}");
    }
}

#[test]
fn every_family_has_one_help_and_one_type_and_keeps_the_linters_rules() {
    let text = busy();
    let mut families = HashSet::new();
    let mut kind = "";
    let mut current = String::new();
    let mut series = HashSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').expect("a help text");
            assert!(families.insert(name.to_owned()), "{name} is there twice");
            assert!(!help.is_empty());
            current = name.to_owned();
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            let (name, of) = rest.split_once(' ').expect("a type");
            assert_eq!(name, current, "no help text");
            kind = ["counter", "gauge", "histogram"].into_iter().find(|known| *known == of).expect("a known type");
            assert_eq!(kind == "counter", name.ends_with("_total"), "{name} is a {kind}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'), "{name}");
        } else {
            let name = line.split(['{', ' ']).next().expect("a name");
            let suffixes: &[&str] = if kind == "histogram" { &["_bucket", "_sum", "_count"] } else { &[""] };
            assert!(suffixes.iter().any(|suffix| format!("{current}{suffix}") == name), "{line} under {current}");
            let (key, value) = line.rsplit_once(' ').expect("a value");
            assert!(series.insert(key.to_owned()), "{key} is there twice");
            value.parse::<f64>().expect("a number");
        }
    }
    assert!(families.len() > 25, "{families:?}");
}

/// The judge itself, where it is installed (Debian `prometheus`).
#[test]
fn promtool_finds_nothing() {
    use std::{
        io::Write,
        process::{Command, Stdio},
    };
    let promtool =
        Command::new("promtool").args(["check", "metrics"]).stdin(Stdio::piped()).stderr(Stdio::piped()).spawn();
    let Ok(mut promtool) = promtool else {
        assert!(std::env::var_os("CI").is_none(), "install promtool (Debian: prometheus)");
        eprintln!("skipped: promtool is not installed");
        return;
    };
    promtool.stdin.take().expect("piped").write_all(busy().as_bytes()).expect("written");
    let output = promtool.wait_with_output().expect("runs");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn threads_count_without_losing_any() {
    let metrics = metrics();
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                (0..10_000).for_each(|n| metrics.check(CheckOutcome::Allow, n % 2, 0, Duration::from_micros(9)))
            });
        }
    });
    let text = prometheus::render(&metrics.gather());
    for reason in ["allowed-by-rule", "denied-by-rule"] {
        let line = format!("weir_checks_total{{decision=\"allow\",reason=\"{reason}\",door=\"ext_authz\"}} 20000");
        assert!(text.contains(&line), "{text}");
    }
    assert!(text.contains("weir_check_duration_seconds_count 40000"), "{text}");
}
