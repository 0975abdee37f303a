use super::*;

fn shown(text: &str, needle: &str) -> (String, String) {
    let at = text.find(needle).unwrap();
    let excerpt = Excerpt::cut(text, at..at + needle.len());
    (excerpt.text().to_owned(), excerpt.text()[excerpt.marked()].to_owned())
}

#[test]
fn an_excerpt_is_the_line_and_marks_what_is_meant() {
    let text = "a: 1\r\nbé: [two, three]\nc: 3";
    assert_eq!(shown(text, "three"), ("bé: [two, three]".into(), "three".into()));
    assert_eq!(shown(text, "a"), ("a: 1".into(), "a".into()));
    assert_eq!(shown(text, "3"), ("c: 3".into(), "3".into()));
}

#[test]
fn a_range_over_several_lines_marks_the_first() {
    let text = "key: |\n  one\n  two\n";
    let excerpt = Excerpt::cut(text, 5..text.len());
    assert_eq!((excerpt.text(), excerpt.marked()), ("key: |", 5..6));
}

#[test]
fn offsets_that_do_not_exist_are_clamped() {
    for text in ["", "é", "a\n"] {
        for at in 0..6 {
            let excerpt = Excerpt::cut(text, at..at + 3);
            assert!(excerpt.marked().end <= excerpt.text().len());
            let (line, column) = position(text, at);
            assert!(line >= 1 && column >= 1);
        }
    }
}

#[test]
fn a_long_line_is_cropped_around_what_is_meant() {
    let text = format!("{}NEEDLE{}", "x".repeat(5000), "y".repeat(5000));
    let (line, marked) = shown(&text, "NEEDLE");
    assert!(line.chars().count() <= MAX_EXCERPT + 6, "{line}");
    assert!(line.starts_with("...x") && line.ends_with("y..."), "{line}");
    assert_eq!(marked, "NEEDLE");
}

#[test]
fn position_and_offset_are_inverse() {
    let text = "a: é\n\n  - ü: x\nlast";
    for (at, _) in text.char_indices() {
        let (line, column) = position(text, at);
        if text.as_bytes()[at] != b'\n' {
            assert_eq!(offset(text, line, column), at);
        }
    }
}

#[test]
fn values_under_config_and_credentials_are_masked() {
    for (text, needle, expected) in [
        ("spec:\n  config:\n    url: CANARY\n", "url", "    url:***"),
        ("spec:\n  config:\n    list:\n      - CANARY\n", "CANARY", "      ***"),
        ("spec:\n  config:\n    text: |\n      some\n      CANARY\n", "CANARY", "      ***"),
        ("spec:\n  config: {url: CANARY}\n", "url", "  config:***"),
        // Wrong indentation and tabs do not bring it out.
        ("spec:\n  config:\nurl: CANARY\n", "url", "url:***"),
        ("spec:\n  config:\n\turl: CANARY\n", "url", " url:***"),
        ("spec: {config: {\n  a: 1,\n url: CANARY}}\n", "url", " url:***"),
        ("apiKey: CANARY\n", "apiKey", "apiKey:***"),
        ("- clientSecret: CANARY\n", "clientSecret", "- clientSecret:***"),
        ("{\"spec\": {\"config\": {\"x\": \"CANARY\"}}}", "spec", "{\"spec\": {\"config\":***"),
        ("{\n  \"config\": {\n    \"x\": \"CANARY\"\n  }\n}", "x", "    \"x\":***"),
        ("a: {token: CANARY}", "a", "a: {token:***"),
    ] {
        let at = text.find(needle).unwrap();
        let excerpt = Excerpt::cut(text, at..text.len());
        assert_eq!(excerpt.text(), expected, "{text}");
        assert!(!format!("{excerpt:?}").contains("CANARY"));
    }
}

#[test]
fn what_is_no_secret_stays_readable() {
    for line in [
        "expression: request.headers['x-token'] == 'a'",
        "    request.headers[\"cookie\"] == 'b' ? 1 : 2",
        "kind: MeshConfig",
        "- key: request.headers[x-token]",
        "configs: here",
    ] {
        assert_eq!(Excerpt::cut(line, 0..1).text(), line);
    }
}

#[test]
fn what_follows_a_config_is_readable_again() {
    for text in [
        "spec:\n  config:\n    limits: x\n  limits: NEEDLE\n",
        "spec:\n  config: {}\nstatus: {}\nmetadata: NEEDLE\n",
        "spec:\n  config: {}\n---\nanything: NEEDLE\n",
    ] {
        let at = text.find("NEEDLE").unwrap();
        assert!(Excerpt::cut(text, at..at + 1).text().contains("NEEDLE"), "{text}");
    }
}
