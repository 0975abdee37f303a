use super::*;

fn at<'t>(text: &'t str, path: &str, span: Option<Range<usize>>) -> &'t str {
    &text[Fields::read(text, 0..text.len()).find(path, span)]
}

const DOCUMENT: &str = r#"
metadata:
  name: a
  labels: {app.kubernetes.io/name: x, app: y}
spec:
  rules:
  - from:
    - source: {principals: ["p", 'q']}
    when:
    - key: request.headers[x]
  - "two"
  empty:
"#;

#[test]
fn a_path_finds_the_scalar_or_the_key() {
    for (path, expected) in [
        ("metadata.name", "a"),
        ("metadata.labels", "labels"),
        ("metadata.labels.app.kubernetes.io/name", "x"),
        ("metadata.labels[\"app.kubernetes.io/name\"]", "x"),
        ("metadata.labels.app", "y"),
        ("spec", "spec"),
        ("spec.rules", "rules"),
        ("spec.rules[0].from[0].source.principals[1]", "'q'"),
        ("spec.rules[0].when[0].key", "request.headers[x]"),
        ("spec.rules[1]", "\"two\""),
        ("spec.empty", "empty"),
        // Missing fields: the nearest that exists.
        ("spec.rules[0].when[0].values", "key: request.headers[x]"),
        ("spec.rules[7]", "rules"),
        ("spec.nothing.at.all", "spec"),
        ("kind", "metadata:"),
        ("", "metadata:"),
    ] {
        assert_eq!(at(DOCUMENT, path, None), expected, "{path}");
    }
}

#[test]
fn a_span_inside_a_scalar_is_found_however_it_is_written() {
    for text in [
        "e: foo == 'bar' && baz\n",
        "e: foo == 'bar'\n   && baz\n",
        "e: 'foo == ''bar'' && baz'\n",
        "e: \"foo == 'bar' && baz\"\n",
        "e: \"foo == \\x27bar\\u0027 \\\n  && b\\U00000061z\"\n",
        "e: |\n  foo == 'bar' && baz\n",
        "e: |-\n    foo ==\n      'bar'\n\n    && baz\n",
        "e: >-\n  foo == 'bar'\n  && baz\n",
        "e: >2 # note\n    foo == 'bar' && baz\n",
        "{\"e\": \"foo == 'bar' && baz\"}",
        "e: !!str foo == 'bar' && baz\n",
    ] {
        let map: std::collections::BTreeMap<String, String> = read(text, 0..text.len()).unwrap();
        let value = &map["e"];
        for word in ["foo", "&&", "baz", "=="] {
            let start = value.find(word).unwrap();
            let found = at(text, "e", Some(start..start + word.len()));
            assert_eq!(found.replace("\\U00000061", "a"), word, "{text}");
        }
        let start = value.find("'bar'").unwrap();
        let found = at(text, "e", Some(start..start + 5));
        assert_eq!(found.replace("''", "'").replace("\\x27", "'").replace("\\u0027", "'"), "'bar'", "{text}");
    }
}

#[test]
fn a_span_past_the_end_points_at_the_end() {
    let text = "e: foo ==\nf: 1\n";
    assert_eq!(Fields::read(text, 0..text.len()).find("e", Some(6..6)), 9..9);
    assert_eq!(Fields::read(text, 0..text.len()).find("e", Some(60..90)), 9..9);
}

#[test]
fn documents_are_split_and_empty_ones_are_dropped() {
    let text = "# one\n\n  kind: A\n  apiVersion: v\n---\n# only a comment\n---\nnull\n--- {kind: B}\n...\n'text'\n---\n- list\n";
    let (parts, complaint) = split(text);
    assert_eq!(complaint, None);
    let seen: Vec<_> = parts
        .iter()
        .map(|p| {
            (
                p.kind.as_ref().map(|k| k.text.as_str()),
                p.api_version.as_ref().map(|v| &text[v.range.clone()]),
                p.is_mapping,
            )
        })
        .collect();
    assert_eq!(seen, [(Some("A"), Some("v"), true), (Some("B"), None, true), (None, None, false), (None, None, false)]);
    assert_eq!(&text[parts[0].range.clone()], "  kind: A\n  apiVersion: v\n");
    assert_eq!(&text[parts[0].start..][..5], "kind:");
}

#[test]
fn only_the_outermost_kind_counts() {
    let text = "spec:\n  kind: Inner\n  list: [kind, Inner]\n? [kind, x]\n: kind\nkind: Outer\n";
    let (parts, _) = split(text);
    assert_eq!(parts[0].kind.as_ref().unwrap().text, "Outer");
}

#[test]
fn documents_before_broken_syntax_are_still_seen() {
    let (parts, complaint) = split("kind: A\n---\nkind: [\n");
    assert_eq!(parts.len(), 1);
    assert!(complaint.is_some());
}

#[test]
fn nesting_is_bounded() {
    for text in [format!("a: {}", "[".repeat(1000)), "- ".repeat(1000), "a: ".to_owned() + &"{a: ".repeat(1000)] {
        let complaint = split(&text).1.unwrap();
        assert!(complaint.range.start < 300, "{complaint:?}");
    }
}

/// A tree as one line: what stands where is checked by cutting it out of the text again.
fn shape(text: &str, node: &Node) -> String {
    match node.yaml() {
        Yaml::Scalar { text, plain } => format!("{text}{}", if plain { "" } else { "'" }),
        Yaml::Sequence(items) => format!("[{}]", items.iter().map(|n| shape(text, n)).collect::<Vec<_>>().join(" ")),
        Yaml::Mapping(entries) => {
            let entry = |(key, range, value): &(String, Range<usize>, Node)| {
                assert_eq!(text[range.clone()].trim_matches(['"', '\'']), key);
                format!("{key}={}", shape(text, value))
            };
            format!("{{{}}}", entries.iter().map(entry).collect::<Vec<_>>().join(" "))
        }
    }
}

#[test]
fn documents_are_trees_with_positions() {
    let text = "# none\n---\na: {b: 1, \"c.d\": ['2', x]}\n--- # none\n---\n- e\n...\n";
    let nodes = documents("f.yaml", text).unwrap();
    let shapes: Vec<_> = nodes.iter().map(|node| shape(text, node)).collect();
    assert_eq!(shapes, ["{a={b=1 c.d=[2' x]}}", "[e]"]);
}

#[test]
fn a_tree_shows_what_each_value_is() {
    for (text, place, message) in [
        ("a: &x 1\nb: *x\n", "f.yaml:2:4", "aliases are not read here"),
        ("a: !!binary aGk=\n", "f.yaml:1:13", "tags are not read here"),
        ("? [a]\n: 1\n", "f.yaml:1:3", "a key must be a text"),
        ("a: 1\nb: {c: 1, c: 2}\n", "f.yaml:2:11", "a key appears twice in one mapping"),
        ("a: 1\n---\nb: [\n", "f.yaml:3:4", ""),
    ] {
        let refused = documents("f.yaml", text).unwrap_err();
        let refused = refused.first().unwrap();
        assert_eq!(refused.place.to_string(), place, "{text}{refused}");
        assert!(refused.message.contains(message), "{refused}");
        assert!(refused.help.is_some(), "{refused}");
    }
}
