use super::*;

const TEXT: &str = "kind: X\nspec:\n  selectr: 1\n";

fn problem() -> Diagnostic {
    let at = TEXT.find("selectr").unwrap();
    Diagnostic::at("dir/a.yaml", TEXT, at..at + 7, "unknown field `selectr`")
        .help(Some("did you mean `selector`?".to_owned()))
}

#[test]
fn a_diagnostic_underlines_what_it_means() {
    insta::assert_snapshot!(Diagnostics::from(problem().about(Some("X a/b".to_owned()))), @r"
error: unknown field `selectr`
 --> dir/a.yaml:3:3
  |
3 |   selectr: 1
  |   ^^^^^^^
  |
  = note: in X a/b
  = help: did you mean `selector`?

1 error, 0 warnings
");
}

#[test]
fn one_line_has_place_message_and_fix() {
    assert_eq!(problem().to_string(), "dir/a.yaml:3:3: unknown field `selectr` (did you mean `selector`?)");
}

#[test]
fn json_has_line_column_and_counts() {
    let json = serde_json::to_value(Diagnostics::from(problem())).unwrap();
    assert_eq!(json["errors"], 1);
    let first = &json["diagnostics"][0];
    assert_eq!((&first["file"], &first["line"], &first["column"]), (&"dir/a.yaml".into(), &3.into(), &3.into()));
    assert_eq!(first["severity"], "error");
    assert_eq!(first["excerpt"]["text"], "  selectr: 1");
    assert_eq!((&first["excerpt"]["from"], &first["excerpt"]["to"]), (&2.into(), &9.into()));
}

#[test]
fn diagnostics_are_sorted_by_file_and_line_and_the_rest_is_counted() {
    let all =
        (0..50).rev().map(|n| Diagnostic::at(&format!("{:02}.yaml", n / 10), TEXT, n % 10..n % 10, format!("p{n}")));
    let all = Diagnostics::from_iter(all.map(|d| if d.message.ends_with('3') { d.warning() } else { d }));
    assert_eq!((all.errors(), all.warnings()), (45, 5));
    let order: Vec<_> = all.iter().map(|d| d.place.clone()).collect();
    assert!(order.is_sorted());
    let text = all.to_string();
    assert!(text.ends_with("... and 30 more\n45 errors, 5 warnings"), "{text}");
    assert_eq!(text.matches("-->").count(), MAX_PRINTED);
}

#[test]
fn errors_are_kept_before_warnings_when_there_are_too_many() {
    let warnings = (0..MAX_DIAGNOSTICS).map(|n| Diagnostic::whole(format!("w{n}"), "w").warning());
    let mut all = Diagnostics::from_iter(warnings);
    all.extend([Diagnostic::whole("e", "the reason")]);
    assert_eq!(all.iter().len(), MAX_DIAGNOSTICS);
    assert_eq!(all.first().unwrap().message, "the reason");
    assert_eq!((all.errors(), all.warnings()), (1, MAX_DIAGNOSTICS));
}

#[test]
fn a_config_file_cannot_steer_the_terminal() {
    let text = "a\u{1b}[31m: \u{202e}b\n";
    let all = Diagnostics::from(
        Diagnostic::at("x\u{7}.yaml", text, 1..2, "bad \u{1b}[2J key").help(Some("\u{9b}x".to_owned())),
    );
    let plain = all.to_string();
    assert!(!plain.chars().any(|c| c.is_control() && c != '\n'), "{plain:?}");
    assert!(all.render(true, 5).contains("\u{1b}["), "coloured output has escapes of its own");
}
