//! What the checker says of an expression is true of its value, whatever the expression.

use weir_cel::{Env, EvalErrorKind, Map, Overload, Scratch, Type, Value};

use crate::differential::generate::Random;

const ATOMS: &[&str] = &[
    "1",
    "2u",
    "1.5",
    "'a'",
    "b'b'",
    "true",
    "null",
    "x",
    "y",
    "wi",
    "ws",
    "[]",
    "{}",
    "[1]",
    "['a', null]",
    "{'a': 1}",
    "{'a': x, 'b': [y]}",
    "optional.of(1)",
    "optional.none()",
    "timestamp(0)",
    "duration('1s')",
    "int",
    "google.protobuf.Int32Value{value: 1}",
    "google.protobuf.Value{}",
    "google.protobuf.ListValue{values: [1, 'a']}",
    "google.protobuf.Struct{fields: {'a': 1}}",
];

/// `_` is any expression; `v` and `k` are variables where a macro binds them.
const FORMS: &[&str] = &[
    "_ + _",
    "_ - _",
    "_ * _",
    "-_",
    "!_",
    "_ == _",
    "_ < _",
    "_ in _",
    "_ && _",
    "_ || _",
    "true ? _ : _",
    "false ? _ : _",
    "x == y ? _ : _",
    "[_, _]",
    "[_] + [_]",
    "[?_, _]",
    "{'a': _, 'b': _}",
    "{_: _}",
    "_[0]",
    "_['a']",
    "_[_]",
    "_.a",
    "_[?0]",
    "_.?a",
    "_.map(v, _)",
    "_.map(v, v)",
    "_.filter(v, _)",
    "_.exists(v, v == _)",
    "_.transformMap(k, v, _)",
    "_.transformMapEntry(k, v, {v: _})",
    "_.transformList(k, v, [k, v])",
    "size(_)",
    "math.greatest(_, _)",
    "math.least(_)",
    "math.abs(_)",
    "_.sort()",
    "_.sortBy(v, _)",
    "_.sum()",
    "_.min()",
    "_.last()",
    "_.flatten()",
    "_.reverse()",
    "_.distinct()",
    "'%s'.format([_])",
    "cel.block([_], [cel.index(0)])",
    "string(_)",
    "int(_)",
    "double(_)",
    "type(_)",
    "dyn(_)",
    "timestamp(_)",
    "optional.of(_)",
    "optional.ofNonZeroValue(_)",
    "_.orValue(_)",
    "_.or(_)",
    "_.value()",
    "_.optMap(v, _)",
    "_.unwrapOpt()",
    "cel.bind(v, _, [v, _])",
    "pick(_, _)",
    "_.first()",
    "google.protobuf.ListValue{values: [_, _]}",
    "google.protobuf.Value{struct_value: {'a': _}}",
];

fn expression(random: &mut Random, depth: usize) -> String {
    if depth == 0 || random.below(5) == 0 {
        return (*random.pick(ATOMS)).to_owned();
    }
    let mut out = String::new();
    for (index, piece) in random.pick(FORMS).split('_').enumerate() {
        if index > 0 {
            // Where a macro's variable is in sight it is read now and then; elsewhere the checker refuses it.
            let inner =
                if random.below(8) == 0 { "v".to_owned() } else { format!("({})", expression(random, depth - 1)) };
            out.push_str(&inner);
        }
        out.push_str(piece);
    }
    out
}

fn env() -> Env {
    let t = || Type::param("T");
    Env::builder()
        .variable("x", Type::Dyn)
        .variable("y", Type::Dyn)
        .variable("wi", Type::wrapper(Type::Int))
        .variable("ws", Type::wrapper(Type::String))
        .function("pick", Overload::global([t(), t()], t()).implemented(last))
        .function("first", Overload::method(Type::list(t()), [], Type::optional(t())).implemented(first_element))
        .build()
}

fn last<'a>(args: &[Value<'a>]) -> Result<Value<'a>, EvalErrorKind> {
    args.last().cloned().ok_or(EvalErrorKind::NoOverload)
}

fn first_element<'a>(args: &[Value<'a>]) -> Result<Value<'a>, EvalErrorKind> {
    match args {
        [Value::List(list)] => Ok(Value::Optional(list.first().cloned().map(std::sync::Arc::new))),
        _ => Err(EvalErrorKind::NoOverload),
    }
}

fn fits(ty: &Type, value: &Value<'_>) -> bool {
    match (ty, value) {
        (Type::Dyn, _) | (Type::Null, Value::Null) => true,
        (ty, Value::Null) => matches!(ty, Type::Timestamp | Type::Duration | Type::Optional(_) | Type::Wrapper(_)),
        (Type::Wrapper(inner), value) => fits(inner, value),
        (Type::Bool, Value::Bool(_))
        | (Type::Int, Value::Int(_))
        | (Type::Uint, Value::Uint(_))
        | (Type::Double, Value::Double(_))
        | (Type::String, Value::String(_))
        | (Type::Bytes, Value::Bytes(_))
        | (Type::Timestamp, Value::Timestamp(_))
        | (Type::Duration, Value::Duration(_))
        | (Type::Type, Value::Type(_))
        | (Type::Optional(_), Value::Optional(None)) => true,
        (Type::Optional(inner), Value::Optional(Some(value))) => fits(inner, value),
        (Type::List(element), Value::List(list)) => list.iter().all(|value| fits(element, value)),
        (Type::Map(key, inner), Value::Map(Map::Entries(entries))) => {
            entries.pairs().iter().all(|(k, value)| fits(key, k) && fits(inner, value))
        }
        _ => false,
    }
}

#[test]
fn a_value_is_of_the_type_that_was_deduced() {
    let values = [
        [Value::Int(1), Value::from("a"), Value::Int(3), Value::Null],
        [Value::Bool(true), Value::Double(0.5), Value::Null, Value::from("w")],
        [Value::from(vec![Value::Int(1), Value::from("a")]), Value::Uint(1), Value::Null, Value::Null],
    ];
    let env = env();
    let (mut compiled, mut evaluated, mut known) = (0, 0, 0);
    for seed in 0..60_000 {
        let source = expression(&mut Random::new(seed), 3);
        let Ok(program) = env.compile(&source) else { continue };
        compiled += 1;
        for values in &values {
            if let Ok(value) = program.evaluate(values, &mut Scratch::new()) {
                evaluated += 1;
                let ty = program.result_type();
                known += usize::from(*ty != Type::Dyn);
                assert!(fits(ty, &value), "{source}\nis said to be {ty}, but is {value:?}");
            }
        }
    }
    // Few are well-typed by chance; enough are.
    let counts = format!("{compiled} compiled, {evaluated} evaluated, {known} to a known type");
    assert!(compiled > 5_000 && known > 20_000, "{counts}");
}
