//! What a metric family may be called, so that what we expose passes `promtool check metrics`.
//!
//! What Prometheus could not read is refused; what its linter only dislikes is repaired or told.

use crate::record::{Family, FamilyKind};

/// Most bytes of a metric or label name.
const NAME_BYTES_MAX: usize = 200;
/// Most label names of a family.
const LABELS_MAX: usize = 16;
/// Most buckets of a histogram.
const BUCKETS_MAX: usize = 64;
/// Most bytes of a help text.
const HELP_BYTES_MAX: usize = 1024;
/// Names that Weir keeps for itself.
const OWN_PREFIX: &str = "weir_";

/// Units that the linter wants in their base form, each with that form.
const UNITS: &[(&str, &str)] = &[
    ("milliseconds", "seconds"),
    ("microseconds", "seconds"),
    ("nanoseconds", "seconds"),
    ("minutes", "seconds"),
    ("hours", "seconds"),
    ("days", "seconds"),
    ("kilobytes", "bytes"),
    ("megabytes", "bytes"),
    ("gigabytes", "bytes"),
    ("kibibytes", "bytes"),
    ("mebibytes", "bytes"),
    ("ms", "seconds"),
    ("us", "seconds"),
    ("ns", "seconds"),
    ("sec", "seconds"),
    ("kb", "bytes"),
    ("mb", "bytes"),
];

/// The name under which it is exposed: a counter's ends in `_total`.
pub(super) fn exposed(family: &Family) -> String {
    match family.kind {
        FamilyKind::Counter if !family.name.ends_with("_total") => format!("{}_total", family.name),
        _ => family.name.clone(),
    }
}

/// Says why it cannot be exposed; else gives what the linter will dislike.
pub(super) fn check(family: &Family) -> Result<Vec<String>, String> {
    check_name(&family.name)?;
    if family.help.is_empty() {
        return Err("has no help text; say in one sentence what it counts and in which unit".into());
    }
    if family.help.len() > HELP_BYTES_MAX {
        return Err(format!("its help text is longer than {HELP_BYTES_MAX} bytes; shorten it"));
    }
    check_labels(&family.labels)?;
    if let FamilyKind::Histogram { buckets } = &family.kind {
        check_buckets(buckets)?;
    }
    Ok(lint(family))
}

fn check_name(name: &str) -> Result<(), String> {
    let mut characters = name.chars();
    let first = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_' || c == ':');
    if !first || !characters.all(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':') || name.len() > NAME_BYTES_MAX {
        return Err(format!("the name must match [a-zA-Z_:][a-zA-Z0-9_:]* and have at most {NAME_BYTES_MAX} bytes"));
    }
    if name.starts_with(OWN_PREFIX) {
        return Err(format!("names that start with `{OWN_PREFIX}` are Weir's own; choose another prefix"));
    }
    if let Some(suffix) = ["_bucket", "_sum", "_count"].iter().find(|suffix| name.ends_with(**suffix)) {
        return Err(format!("a name that ends in `{suffix}` is read as part of a histogram; choose another"));
    }
    Ok(())
}

fn check_labels(labels: &[String]) -> Result<(), String> {
    if labels.len() > LABELS_MAX {
        return Err(format!("has {} labels; {LABELS_MAX} are allowed", labels.len()));
    }
    for (index, label) in labels.iter().enumerate() {
        let mut characters = label.chars();
        let first = characters.next().is_some_and(|c| c.is_ascii_alphabetic() || c == '_');
        if !first || !characters.all(|c| c.is_ascii_alphanumeric() || c == '_') || label.len() > NAME_BYTES_MAX {
            return Err(format!("label `{label}` must match [a-zA-Z_][a-zA-Z0-9_]*"));
        }
        if label.starts_with("__") || label == "le" || label == "quantile" {
            return Err(format!("label `{label}` is Prometheus's own; choose another"));
        }
        if labels.iter().take(index).any(|earlier| earlier == label) {
            return Err(format!("label `{label}` is there twice"));
        }
    }
    Ok(())
}

fn check_buckets(buckets: &[f64]) -> Result<(), String> {
    if buckets.is_empty() || buckets.len() > BUCKETS_MAX {
        return Err(format!("has {} buckets; between 1 and {BUCKETS_MAX} are allowed", buckets.len()));
    }
    if buckets.iter().any(|bound| !bound.is_finite()) {
        return Err("a bucket's bound is not finite; infinity is added by itself".into());
    }
    if buckets.windows(2).any(|pair| matches!(pair, [a, b] if a >= b)) {
        return Err("the buckets' bounds must rise".into());
    }
    Ok(())
}

fn lint(family: &Family) -> Vec<String> {
    let mut dislikes = Vec::new();
    let name = &family.name;
    if name.contains(':') {
        dislikes.push("`:` is for recording rules".to_owned());
    }
    if name.chars().chain(family.labels.iter().flat_map(|label| label.chars())).any(|c| c.is_ascii_uppercase()) {
        dislikes.push("names and labels should be in snake_case".to_owned());
    }
    if !matches!(family.kind, FamilyKind::Counter) && name.ends_with("_total") {
        dislikes.push("only a counter's name should end in `_total`".to_owned());
    }
    let words: Vec<&str> = name.split('_').collect();
    for (unit, base) in UNITS {
        if words.contains(unit) {
            dislikes.push(format!("use {base} instead of `{unit}`"));
        }
    }
    for kind in ["counter", "gauge", "histogram", "summary"] {
        if words.contains(&kind) {
            dislikes.push(format!("the name should not hold the type `{kind}`"));
        }
    }
    dislikes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counter(name: &str, labels: &[&str]) -> Family {
        Family {
            name: name.into(),
            help: "Requests.".into(),
            unit: String::new(),
            labels: labels.iter().map(|label| (*label).to_owned()).collect(),
            kind: FamilyKind::Counter,
        }
    }

    fn histogram(name: &str, buckets: &[f64]) -> Family {
        Family { kind: FamilyKind::Histogram { buckets: buckets.into() }, ..counter(name, &[]) }
    }

    #[test]
    fn what_prometheus_cannot_read_is_refused() {
        let refused = [
            (counter("", &[]), "must match"),
            (counter("9lives", &[]), "must match"),
            (counter("a-b", &[]), "must match"),
            (counter("é", &[]), "must match"),
            (counter(&"x".repeat(NAME_BYTES_MAX + 1), &[]), "at most"),
            (counter("weir_checks_total", &[]), "Weir's own"),
            (counter("requests_count", &[]), "part of a histogram"),
            (counter("requests", &["le"]), "Prometheus's own"),
            (counter("requests", &["__name__"]), "Prometheus's own"),
            (counter("requests", &["a.b"]), "must match"),
            (counter("requests", &["a", "a"]), "twice"),
            (counter("requests", &["a"; LABELS_MAX + 1]), "are allowed"),
            (Family { help: String::new(), ..counter("requests", &[]) }, "no help text"),
            (histogram("latency_seconds", &[]), "buckets"),
            (histogram("latency_seconds", &[1.0, 1.0]), "must rise"),
            (histogram("latency_seconds", &[1.0, f64::INFINITY]), "not finite"),
        ];
        for (family, expected) in refused {
            let problem = check(&family).expect_err(&family.name);
            assert!(problem.contains(expected), "{}: {problem}", family.name);
        }
    }

    #[test]
    fn what_the_linter_dislikes_is_told_and_not_refused() {
        let disliked = [
            (counter("requests:rate", &[]), "recording rules"),
            (counter("requestCount", &[]), "snake_case"),
            (histogram("latency_ms", &[1.0]), "seconds"),
            (histogram("latency_total", &[1.0]), "only a counter"),
            (counter("request_counter", &[]), "the type"),
        ];
        for (family, expected) in disliked {
            let told = check(&family).expect(&family.name).join("; ");
            assert!(told.contains(expected), "{}: {told}", family.name);
        }
        assert!(check(&histogram("request_duration_seconds", &[0.1, 1.0])).expect("fine").is_empty());
    }

    #[test]
    fn a_counter_is_exposed_with_total() {
        assert_eq!(exposed(&counter("requests", &[])), "requests_total");
        assert_eq!(exposed(&counter("requests_total", &[])), "requests_total");
        assert_eq!(exposed(&histogram("latency_seconds", &[1.0])), "latency_seconds");
    }
}
