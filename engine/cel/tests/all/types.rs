//! Types: their text, what the checker deduces, and what functions of the host's own say.

use weir_cel::{Env, Type};

fn read(text: &str) -> Type {
    text.parse().unwrap_or_else(|errors| panic!("{text}\n{errors}"))
}

/// Texts, and what they are shown as; nothing where that is the same.
const TEXTS: &[(&str, &str)] = &[
    ("dyn", ""),
    ("null", ""),
    ("bool", ""),
    ("int", ""),
    ("uint", ""),
    ("double", ""),
    ("string", ""),
    ("bytes", ""),
    ("timestamp", ""),
    ("duration", ""),
    ("type", ""),
    ("ip", ""),
    ("cidr", ""),
    ("list(int)", ""),
    ("map(string, list(int))", ""),
    ("optional(map(uint, dyn))", ""),
    ("wrapper(bool)", ""),
    ("tuple(int, tuple(string), list(dyn))", ""),
    ("acme.Token", ""),
    ("  map ( string,int ) ", "map(string, int)"),
    ("list", "list(dyn)"),
    ("map", "map(dyn, dyn)"),
    ("optional_type(int)", "optional(int)"),
    ("optional_type", "optional(dyn)"),
    ("null_type", "null"),
    ("type(int)", "type"),
    ("any", "dyn"),
    ("net.IP", "ip"),
    ("net.CIDR", "cidr"),
    ("google.protobuf.Timestamp", "timestamp"),
    ("google.protobuf.Duration", "duration"),
    ("google.protobuf.BoolValue", "wrapper(bool)"),
    ("google.protobuf.Int32Value", "wrapper(int)"),
    ("google.protobuf.UInt64Value", "wrapper(uint)"),
    ("google.protobuf.FloatValue", "wrapper(double)"),
    ("google.protobuf.StringValue", "wrapper(string)"),
    ("google.protobuf.BytesValue", "wrapper(bytes)"),
    ("google.protobuf.Struct", "map(string, dyn)"),
    ("google.protobuf.ListValue", "list(dyn)"),
    ("google.protobuf.Value", "dyn"),
    ("google.protobuf.Any", "dyn"),
];

#[test]
fn the_text_of_a_type_reads_back_as_that_type() {
    for (text, shown) in TEXTS {
        let ty = read(text);
        assert_eq!(ty.to_string(), if shown.is_empty() { text } else { *shown }, "{text}");
        assert_eq!(read(&ty.to_string()), ty, "{text}");
    }
}

/// Texts that are no types, with the place, the message and the help.
const NO_TYPES: &[(&str, usize, &str, &str)] = &[
    ("", 0, "a type is expected", "such as `string`, `list(int)` or `map(string, dyn)`"),
    ("list()", 5, "a type is expected", "such as `string`, `list(int)` or `map(string, dyn)`"),
    ("strng", 0, "there is no type `strng`", "did you mean `string`?"),
    ("lst(int)", 0, "there is no type `lst`", "did you mean `list`?"),
    ("list(Int)", 5, "there is no type `Int`", "did you mean `int`?"),
    ("list(int, int)", 0, "`list` does not take 2 parameters", "it takes one type: list(int)"),
    ("map(string)", 0, "`map` does not take 1 parameters", "it takes a key and a value: map(string, int)"),
    ("map(double, int)", 0, "a double cannot be the key of a map", "keys are string, int, uint or bool"),
    (
        "wrapper(list(int))",
        0,
        "there is no wrapper of list(int)",
        "wrappers are of bool, int, uint, double, string and bytes",
    ),
    ("int(string)", 0, "`int` has no parameters", ""),
    ("list(int", 8, "`,` or `)` is expected", ""),
    ("int int", 4, "nothing is expected after the type", ""),
    ("a..b", 0, "a type is expected", "such as `string`, `list(int)` or `map(string, dyn)`"),
];

#[test]
fn a_text_that_is_no_type_is_refused_with_its_place_and_a_way_out() {
    for (text, at, message, help) in NO_TYPES {
        let errors = text.parse::<Type>().expect_err(text);
        let error = &errors.errors()[0];
        assert_eq!((error.span.start, &*error.message), (*at, *message), "{text}");
        assert_eq!(error.help.as_deref().unwrap_or_default(), *help, "{text}");
    }
    let unknown = "token".parse::<Type>().unwrap_err();
    assert!(unknown.errors()[0].help.as_deref().unwrap().starts_with("one of dyn, null, bool"), "{unknown}");
}

#[test]
fn a_hostile_nest_of_types_is_refused_before_it_is_read() {
    for text in ["list(".repeat(100_000), format!("t({})", "int, ".repeat(100_000)), "(".repeat(100_000)] {
        assert!(text.parse::<Type>().is_err());
    }
    let deep = format!("{}int{}", "list(".repeat(255), ")".repeat(255));
    assert_eq!(read(&deep).to_string(), deep);
    assert!(format!("list({deep})").parse::<Type>().is_err());
}

/// Expressions, and the type that the checker finds for them.
const DEDUCED: &[(&str, &str)] = &[
    ("[1, 2]", "list(int)"),
    ("[1, 'a']", "list(dyn)"),
    ("[]", "list(dyn)"),
    ("{}", "map(dyn, dyn)"),
    ("[[], [1]]", "list(list(int))"),
    ("{'a': [], 'b': [b'']}", "map(string, list(bytes))"),
    ("[{}, {1: 2u}]", "list(map(int, uint))"),
    ("wi", "wrapper(int)"),
    ("[wi, 1]", "list(wrapper(int))"),
    ("[1, wi, null]", "list(wrapper(int))"),
    ("[wi, dyn(1)]", "list(dyn)"),
    ("[wi, 'a']", "list(dyn)"),
    ("true ? wi : 1", "wrapper(int)"),
    ("true ? null : wi", "wrapper(int)"),
    ("wi + 1", "int"),
    ("-wi", "int"),
    ("wi == null || wi < 2.0", "bool"),
    ("wb && !wb", "bool"),
    ("{wi: 1}[1]", "int"),
    ("[1, 2][wi]", "int"),
    ("ws.startsWith('a')", "bool"),
    ("ws + 'a'", "string"),
    ("[timestamp(0), null]", "list(timestamp)"),
    ("[null, duration('1s')]", "list(duration)"),
    ("[1, null]", "list(dyn)"),
    ("tok", "acme.Token"),
    ("[tok, null]", "list(acme.Token)"),
    ("[optional.none(), optional.of(1)]", "list(optional(int))"),
    ("[optional.of([]), optional.of([1])]", "list(optional(list(int)))"),
];

#[test]
fn the_checker_deduces_types() {
    let env = Env::builder()
        .variable("wi", read("wrapper(int)"))
        .variable("wb", read("wrapper(bool)"))
        .variable("ws", read("wrapper(string)"))
        .variable("tok", read("acme.Token"))
        .build();
    for (source, ty) in DEDUCED {
        let program = env.compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        assert_eq!(program.result_type().to_string(), *ty, "{source}");
    }
}
