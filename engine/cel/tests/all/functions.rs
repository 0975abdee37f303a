//! The list of functions is that of the language.

use std::collections::HashSet;

use weir_cel::{Env, functions};

fn complaint(env: &Env, source: &str) -> String {
    env.compile(source).map_or_else(|errors| errors.to_string(), |_| String::new())
}

#[test]
fn every_listed_function_is_one() {
    let env = Env::builder().variable("x", weir_cel::Type::Dyn).build();
    let said = |name: &str, method: bool| {
        // With far too many arguments: the complaint is about them, not about the name.
        complaint(&env, &format!("{}{name}(x, x, x, x, x, x, x, x)", if method { "x." } else { "" }))
    };
    for method in [false, true] {
        assert!(said("nothing", method).contains("there is no"), "{}", said("nothing", method));
    }
    for form in functions().filter(|form| !form.is_macro()) {
        let said = said(form.name(), form.is_method());
        let any_number = functions().any(|other| other.name() == form.name() && other.to_string().contains("..."));
        assert!((any_number || !said.is_empty()) && !said.contains("there is no"), "{form}: {said}");
    }
    assert!(functions().any(|form| form.to_string() == "string.startsWith(string) -> bool"));
}

/// A call of each form of each macro.
const MACROS: &[&str] = &[
    "has({'a': 1}.a)",
    "[1].all(x, x > 0)",
    "{1: 2}.all(k, v, k < v)",
    "[1].exists(x, x > 0)",
    "{1: 2}.exists(k, v, k < v)",
    "[1].exists_one(x, x > 0)",
    "{1: 2}.exists_one(k, v, k < v)",
    "[1].existsOne(x, x > 0)",
    "{1: 2}.existsOne(k, v, k < v)",
    "[1].filter(x, x > 0)",
    "[1].map(x, x + 1)",
    "[1].map(x, x > 0, x + 1)",
    "[1].transformList(i, x, i + x)",
    "[1].transformList(i, x, i < x, i + x)",
    "{1: 2}.transformMap(k, v, k + v)",
    "{1: 2}.transformMap(k, v, k < v, k + v)",
    "{1: 2}.transformMapEntry(k, v, {v: k})",
    "{1: 2}.transformMapEntry(k, v, k < v, {v: k})",
    "optional.of(1).optMap(x, x + 1)",
    "optional.of(1).optFlatMap(x, optional.of(x))",
    "[1].sortBy(x, -x)",
    "cel.bind(x, 1, x + 1)",
    "cel.block([1], cel.index(0))",
];

#[test]
fn every_macro_is_listed_in_every_form() {
    let (env, plain) = (Env::builder().build(), Env::builder().without_macros().build());
    for source in MACROS {
        assert_eq!(complaint(&env, source), "", "{source}");
        assert_ne!(complaint(&plain, source), "", "{source} is no macro");
    }
    let called: HashSet<String> = MACROS.iter().map(|source| macro_of(source)).collect();
    let listed: HashSet<String> =
        functions().filter(weir_cel::Signature::is_macro).map(|form| macro_of(&form.to_string())).collect();
    assert_eq!(called, listed);
}

/// The macro that a call or signature is about, with its number of arguments.
fn macro_of(text: &str) -> String {
    let text = text.split(" -> ").next().unwrap();
    let open = matching_open(text);
    let (before, inside) = text.split_at(open);
    let name = before.rsplit('.').next().unwrap();
    let (mut depth, mut arguments) = (0, 1);
    for character in inside[1..inside.len() - 1].chars() {
        match character {
            '(' | '[' | '{' => depth += 1,
            ')' | ']' | '}' => depth -= 1,
            ',' if depth == 0 => arguments += 1,
            _ => {}
        }
    }
    format!("{name}/{arguments}")
}

/// Where the bracket stands that the last one closes.
fn matching_open(text: &str) -> usize {
    let mut depth = 0;
    for (at, character) in text.char_indices().rev() {
        match character {
            ')' | ']' | '}' => depth += 1,
            '(' | '[' | '{' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return at;
        }
    }
    panic!("{text}")
}

/// The list as a table, with the forms of a name together.
fn table() -> String {
    let mut rows: Vec<(&str, bool, Vec<String>, &str)> = Vec::new();
    for form in functions() {
        let text = form.to_string();
        match rows.last_mut() {
            Some((name, method, forms, _)) if *name == form.name() && *method == form.is_method() => forms.push(text),
            _ => rows.push((form.name(), form.is_method(), vec![text], form.doc())),
        }
    }
    let mut table = "| form | what it gives |\n|---|---|\n".to_owned();
    for (_, _, forms, doc) in rows {
        let forms: Vec<String> = forms.iter().map(|form| format!("`{form}`")).collect();
        table.push_str(&format!("| {} | {doc} |\n", forms.join("<br>")));
    }
    table
}

#[test]
fn every_function_says_what_it_does() {
    for form in functions() {
        assert!(form.doc().ends_with('.'), "{form}: {:?}", form.doc());
    }
}

/// Written anew with `WRITE=1 cargo test -p weir-cel the_table_of_functions`.
#[test]
fn the_table_of_functions_is_up_to_date() {
    let file = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("FUNCTIONS.md");
    if std::env::var_os("WRITE").is_some() {
        std::fs::write(&file, table()).unwrap();
    }
    assert!(std::fs::read_to_string(&file).unwrap() == table(), "FUNCTIONS.md is not what functions() says");
}
