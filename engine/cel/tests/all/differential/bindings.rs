//! The variables of the expressions, with the same values in both.

use std::{collections::HashMap, sync::Arc};

use super::generate::Random;
use weir_cel::{Env, Map, Type, Value};

pub(super) fn env() -> Env {
    Env::builder()
        .variable("i", Type::Int)
        .variable("j", Type::Int)
        .variable("u", Type::Uint)
        .variable("d", Type::Double)
        .variable("b", Type::Bool)
        .variable("c", Type::Bool)
        .variable("s", Type::String)
        .variable("t", Type::String)
        .variable("y", Type::Bytes)
        .variable("l", Type::list(Type::Int))
        .variable("ts", Type::list(Type::String))
        .variable("m", Type::map(Type::String, Type::Int))
        .variable("n", Type::map(Type::String, Type::map(Type::String, Type::Int)))
        // It never has a value.
        .variable("absent", Type::Int)
        .build()
}

pub(super) struct Bindings {
    pub(super) ours: Vec<Value<'static>>,
    pub(super) theirs: cel::Context<'static, 'static>,
}

pub(super) fn bindings(random: &mut Random, env: &Arc<cel::Env>) -> Bindings {
    let (i, j) = (*random.pick(&[0i64, 1, -5, 42, i64::MAX]), *random.pick(&[0i64, 2, 3, -1]));
    let u = *random.pick(&[0u64, 1, 9, u64::MAX]);
    let d = *random.pick(&[0.0f64, 1.0, -3.5, 1e18]);
    let (b, c) = (random.below(2) == 0, random.below(2) == 0);
    let (s, t) = (*random.pick(&["", "a", "b,c", "héllo wörld"]), *random.pick(&["a", "ABC", " x ", "42"]));
    let y = random.pick(&[&b""[..], b"abc", b"\xff"]).to_vec();
    let l = random.pick(&[&[][..], &[1i64, 2, 3], &[0], &[7, 7]]).to_vec();
    let ts: Vec<String> = random.pick(&[&[][..], &["a", "b"], &["x"]]).iter().map(ToString::to_string).collect();
    let m: Vec<(String, i64)> = random
        .pick(&[&[][..], &[("a", 1i64)], &[("a", 1), ("b", 2)]])
        .iter()
        .map(|(k, v)| (k.to_string(), *v))
        .collect();
    let names = *random.pick(&[&[][..], &["p"], &["p", "a"]]);
    let mut theirs = cel::Context::with_env(env.clone());
    for (name, value) in [("i", i), ("j", j)] {
        theirs.add_variable_from_value(name, value);
    }
    theirs.add_variable_from_value("u", u);
    theirs.add_variable_from_value("d", d);
    theirs.add_variable_from_value("b", b);
    theirs.add_variable_from_value("c", c);
    theirs.add_variable_from_value("s", s);
    theirs.add_variable_from_value("t", t);
    theirs.add_variable_from_value("y", cel::Value::Bytes(Arc::new(y.clone())));
    theirs.add_variable_from_value("l", l.clone());
    theirs.add_variable_from_value("ts", ts.clone());
    let their_map = m.iter().cloned().collect::<HashMap<_, _>>();
    theirs.add_variable_from_value(
        "n",
        names.iter().map(|name| ((*name).to_owned(), their_map.clone())).collect::<HashMap<_, _>>(),
    );
    theirs.add_variable_from_value("m", their_map);
    let map = Map::new(entries(m.into_iter().map(|(key, value)| (key, value.into()))));
    let nested = entries(names.iter().map(|name| ((*name).to_owned(), Value::Map(map.clone()))));
    let ours = vec![
        i.into(),
        j.into(),
        u.into(),
        d.into(),
        b.into(),
        c.into(),
        s.into(),
        t.into(),
        Value::Bytes(weir_cel::Bytes::Shared(y.into())),
        l.into_iter().map(Value::Int).collect::<Vec<_>>().into(),
        ts.into_iter().map(Value::from).collect::<Vec<_>>().into(),
        Value::Map(map),
        Value::Map(Map::new(nested)),
    ];
    Bindings { ours, theirs }
}

fn entries(pairs: impl Iterator<Item = (String, Value<'static>)>) -> weir_cel::Entries<'static> {
    let mut entries = weir_cel::Entries::default();
    pairs.for_each(|(key, value)| entries.push(Value::from(key), value).unwrap());
    entries
}

/// Their standard library and those of their extensions that weir-cel has too.
pub(super) fn their_env() -> Arc<cel::Env> {
    let mut env = cel::Env::stdlib();
    env.add_extension(cel::extensions::strings).unwrap();
    env.add_extension(cel::extensions::math).unwrap();
    env.add_extension(cel::extensions::lists).unwrap();
    env.add_extension(cel::extensions::encoders).unwrap();
    Arc::new(env)
}
