//! Types: their text, what the checker deduces, and what functions of the host's own say.

use weir_cel::{Env, EnvBuilder, EvalErrorKind, Overload, Scratch, Type, Value};

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
fn a_variable_of_a_type_without_end_is_dyn() {
    let huge = (0..100).fold(Type::Int, |ty, _| Type::opaque("pair", [ty.clone(), ty]));
    let env = Env::builder().variable("huge", huge).variable("deep", (0..200).fold(Type::Int, |ty, _| Type::list(ty)));
    let env = env.build();
    assert_eq!(*env.compile("huge").unwrap().result_type(), Type::Dyn);
    assert_eq!(env.compile("deep[0]").unwrap().result_type().to_string().matches("list").count(), 199);
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
    ("[1] + dyn(['a'])", "list(dyn)"),
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

#[test]
fn a_wrapper_may_be_null_when_the_expression_runs() {
    let env = Env::builder()
        .variable("wi", read("google.protobuf.Int64Value"))
        .variable("wb", read("wrapper(bool)"))
        .variable("ws", read("wrapper(string)"))
        .build();
    let set = [Value::Int(1), Value::Bool(true), Value::from("a")];
    let unset = [Value::Null, Value::Null, Value::Null];
    for source in
        ["wi == 1", "wi != null", "wb == true", "wb", "ws == 'a'", "ws in ['a']", "ws.startsWith('a')", "wi < 2"]
    {
        let program = env.compile(source).unwrap();
        assert!(program.evaluate_bool(&set, &mut Scratch::new()).unwrap(), "{source}");
        match program.evaluate_bool(&unset, &mut Scratch::new()) {
            Ok(value) => assert!(!value, "{source}"),
            Err(error) => assert_eq!(error.kind, EvalErrorKind::NoOverload, "{source}"),
        }
    }
    for source in ["wi == null && wb == null", "ws != 'a' && !(ws in ['a', 'b'])", "[wi, ws] == [null, null]"] {
        assert!(env.compile(source).unwrap().evaluate_bool(&unset, &mut Scratch::new()).unwrap(), "{source}");
    }
}

/// Functions of the host's own: `tuple`, `sort`, `first`, `shout`, `wrap` and `acme.token` have types only.
fn declared() -> EnvBuilder {
    let (t, u, v) = (|| Type::param("T"), || Type::param("U"), || Type::param("V"));
    Env::builder()
        .variable("wi", read("wrapper(int)"))
        .function("tuple", Overload::global([t(), u(), v()], Type::opaque("tuple", [t(), u(), v()])))
        .function(
            "sort",
            Overload::global([Type::opaque("tuple", [t(), t(), t()])], Type::opaque("tuple", [t(), t(), t()])),
        )
        .function("first", Overload::method(Type::list(t()), [], Type::optional(t())))
        .function("first", Overload::method(Type::map(t(), u()), [t()], u()))
        .function("pick", Overload::global([t(), t()], t()))
        .function("shout", Overload::method(Type::String, [], Type::String))
        .function("shout", Overload::method(Type::Int, [], Type::Int))
        .function("wrap", Overload::global([t()], Type::opaque("wrap", [t(), t()])))
        .function("acme.token", Overload::global([Type::String], Type::opaque("acme.Token", [])))
        .function("acme.fresh", Overload::global([Type::opaque("acme.Token", [])], Type::Bool))
        .function("later", Overload::global([Type::Timestamp], Type::Timestamp))
        .function("size", Overload::global([Type::opaque("acme.Token", [])], Type::Uint))
}

/// Calls of declared functions, and the type that the checker finds for them.
const CALLS: &[(&str, &str)] = &[
    ("tuple(1, 'a', [true])", "tuple(int, string, list(bool))"),
    ("[tuple(1, 2u, 3.0), tuple(dyn(1), 2u, dyn(3.0))]", "list(tuple(dyn, uint, dyn))"),
    ("[tuple(dyn(1), 2u, 3.0), tuple(1, 2u, 3.0)][1]", "tuple(dyn, uint, double)"),
    ("[tuple(1, 2u, 3.0), tuple('a', 2u, 3.0)]", "list(dyn)"),
    ("true ? tuple(1, [], {}) : tuple(1, [2], {3: 'a'})", "tuple(int, list(int), map(int, string))"),
    ("tuple(1, 2, 3) == tuple(dyn(1), 2, 3)", "bool"),
    ("sort(tuple(1, 2, 3))", "tuple(int, int, int)"),
    ("sort(tuple(1, dyn(2u), 3.0))", "tuple(dyn, dyn, dyn)"),
    ("sort(tuple([], [[1]], []))", "tuple(list(list(int)), list(list(int)), list(list(int)))"),
    ("sort(tuple(1, wi, 3))", "tuple(wrapper(int), wrapper(int), wrapper(int))"),
    ("sort(dyn(1))", "tuple(dyn, dyn, dyn)"),
    ("[1, 2].first()", "optional(int)"),
    ("[].first()", "optional(dyn)"),
    ("{'a': b''}.first('b')", "bytes"),
    ("dyn([1]).first()", "optional(dyn)"),
    ("pick([], [1])", "list(int)"),
    ("pick(null, wi)", "wrapper(int)"),
    ("pick(null, timestamp(0))", "timestamp"),
    ("pick(1, dyn('a'))", "dyn"),
    ("pick({}, {'a': 1})", "map(string, int)"),
    ("'a'.shout()", "string"),
    ("dyn('a').shout()", "dyn"),
    ("wi.shout()", "int"),
    ("acme.fresh(acme.token('x'))", "bool"),
    ("acme.fresh(null)", "bool"),
    ("later(null)", "timestamp"),
    ("size(acme.token('x'))", "uint"),
    ("size([1])", "int"),
    ("size(dyn([1]))", "dyn"),
];

#[test]
fn declared_functions_give_types_made_of_their_arguments() {
    let env = declared().build();
    for (source, ty) in CALLS {
        let program = env.compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        assert_eq!(program.result_type().to_string(), *ty, "{source}");
    }
}

/// Calls that no form takes, with the message and the help.
const NO_CALLS: &[(&str, &str, &str)] = &[
    ("tuple(1, 2)", "`tuple` does not take (int, int)", "it takes tuple(T, U, V)"),
    ("sort(tuple(1, 'a', 2))", "`sort` does not take (tuple(int, string, int))", "it takes sort(tuple(T, T, T))"),
    ("pick(1, 'a')", "`pick` does not take (int, string)", "it takes pick(T, T)"),
    ("pick([1], ['a'])", "`pick` does not take (list(int), list(string))", "it takes pick(T, T)"),
    ("pick(null, 1)", "`pick` does not take (null, int)", "it takes pick(T, T)"),
    ("1u.shout()", "`shout` does not take (uint)", "it takes string.shout() or int.shout()"),
    ("shout('a')", "`shout` is not called like this", "call it as value.shout(...)"),
    ("'a'.shut()", "there is no function `shut`", "did you mean `shout`?"),
    ("acme.tokn('x')", "there is no function `acme.tokn`", "did you mean `acme.token`?"),
    ("optinal.of('x')", "there is no function `optinal.of`", "did you mean `optional.of`?"),
    (
        "acme.fresh(tuple(1, 2, 3))",
        "`acme.fresh` does not take (tuple(int, int, int))",
        "it takes acme.fresh(acme.Token)",
    ),
];

#[test]
fn a_call_that_no_form_takes_is_refused_with_the_forms() {
    let env = declared().build();
    for (source, message, help) in NO_CALLS {
        let errors = env.compile(source).expect_err(source);
        let error = &errors.errors()[0];
        assert_eq!(error.message, *message, "{source}");
        if !help.is_empty() {
            assert_eq!(error.help.as_deref(), Some(*help), "{source}");
        }
    }
}

#[test]
fn a_function_is_found_inside_of_the_container() {
    let env = declared().container("acme.policy").build();
    for source in ["fresh(token('x'))", "acme.fresh(.acme.token('x'))", "policy.size('x') == 1 || true"] {
        let outcome = env.compile(source);
        assert_eq!(outcome.is_ok(), !source.starts_with("policy"), "{source}");
    }
}

#[test]
fn a_type_that_doubles_at_each_call_stays_small() {
    let mut source = "1".to_owned();
    for _ in 0..90 {
        source = format!("wrap({source})");
    }
    let program = declared().build().compile(&source).unwrap();
    assert!(program.result_type().to_string().len() < 4_000);
    let nested =
        format!("{}1{}", "cel.bind(x, wrap(", "), cel.bind(x, wrap(x), cel.bind(x, wrap(x), [x, x] == [x, x])))");
    assert_eq!(*declared().build().compile(&nested).unwrap().result_type(), Type::Bool);
}

/// Each form of `kind` says its own name; `size` has one more form.
fn implemented() -> Env {
    let says = |form: Overload, name: &'static str| form.implemented(move |_| Ok(Value::from(name)));
    let join = Overload::method(Type::list(Type::String), [Type::String], Type::String).implemented(|args| {
        let [Value::List(list), Value::String(mark)] = args else { return Err(EvalErrorKind::NoOverload) };
        let parts: Option<Vec<&str>> = list.iter().map(Value::as_str).collect();
        parts.map(|parts| parts.join(mark).into()).ok_or(EvalErrorKind::NoOverload)
    });
    Env::builder()
        .variable("x", Type::Dyn)
        .function("kind", says(Overload::global([Type::Int], Type::String), "int"))
        .function("kind", says(Overload::global([Type::wrapper(Type::String)], Type::String), "string"))
        .function("kind", says(Overload::global([Type::list(Type::Dyn)], Type::String), "list"))
        .function("kind", says(Overload::global([Type::Int, Type::param("T")], Type::String), "two"))
        .function("kind", Overload::global([Type::Bool], Type::String))
        .function("first", Overload::method(Type::list(Type::param("T")), [], Type::param("T")).implemented(first))
        .function("glue", join)
        .function("size", Overload::global([Type::Bool], Type::Int).implemented(|_| Ok(Value::Int(99))))
        .function("big", Overload::global([], Type::String).implemented(|_| Ok("x".repeat(5 << 20).into())))
        .build()
}

fn first<'a>(args: &[Value<'a>]) -> Result<Value<'a>, EvalErrorKind> {
    match args {
        [Value::List(list)] => list.first().cloned().ok_or(EvalErrorKind::OutOfRange),
        _ => Err(EvalErrorKind::NoOverload),
    }
}

#[test]
fn the_form_that_takes_the_values_is_called() {
    let holds = [
        "kind(1) == 'int'",
        "kind('a') == 'string' && kind(null) == 'string'",
        "kind(dyn([1])) == 'list' && kind(x) == 'int'",
        "kind(1, {}) == 'two' && kind(1, null) == 'two'",
        "['a', 'b'].first() == 'a' && [[1], [2]].first().first() == 1",
        "['a', 'b'].glue('-') == 'a-b'",
        "['a', 'b'].map(s, [s, s].glue('')).glue('+') == 'aa+bb'",
        "size(true) == 99 && size('abc') == 3 && size(dyn(true)) == 99 && size(dyn([1])) == 1",
    ];
    for source in holds {
        let program = implemented().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        assert!(program.evaluate_bool(&[Value::Int(1)], &mut Scratch::new()).unwrap(), "{source}");
    }
    let fails = [
        ("kind(dyn(1u))", EvalErrorKind::NoOverload),
        ("size(dyn(1))", EvalErrorKind::NoOverload),
        ("kind(true)", EvalErrorKind::Unimplemented),
        ("[].first()", EvalErrorKind::OutOfRange),
        ("big() == 'x'", EvalErrorKind::Budget),
    ];
    for (source, kind) in fails {
        let program = implemented().compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        assert_eq!(program.evaluate(&[Value::Int(1)], &mut Scratch::new()).unwrap_err().kind, kind, "{source}");
    }
    let error = implemented().compile("1 == 1 && kind(true) == ''").unwrap();
    let error = error.evaluate(&[Value::Int(1)], &mut Scratch::new()).unwrap_err();
    assert_eq!(error.to_string(), "`kind(true)`: the function is declared, but has no implementation");
}

#[test]
fn types_and_values_stay_small() {
    assert!(size_of::<Value<'_>>() <= 32, "{}", size_of::<Value<'_>>());
    assert!(size_of::<Type>() <= 24, "{}", size_of::<Type>());
}

#[test]
fn the_checker_takes_time_in_proportion_to_the_source() {
    let deep = format!("{}1{}", "[".repeat(40), "]".repeat(40));
    let wide = format!("[{}]", vec![deep; 90].join(", "));
    let chain = format!("[1]{}", ".map(v, [v])".repeat(80));
    let bound =
        (1..40).fold("v0".to_owned(), |body, n| format!("cel.bind(v{}, {{'a': v{n}, 'b': v{n}}}, {body})", n - 1));
    let bound = format!("cel.bind(v39, [1], {bound})");
    let joined = format!("[{}]", vec!["{'a': [[1, 'b'], []]}"; 300].join(", "));
    let start = std::time::Instant::now();
    for source in [wide, chain, bound, joined] {
        let compiled = Env::builder().build().compile(&source);
        assert!(compiled.is_ok(), "{}", compiled.unwrap_err().errors()[0].message);
    }
    assert!(start.elapsed() < std::time::Duration::from_secs(10), "{:?}", start.elapsed());
}
