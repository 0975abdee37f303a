//! Generated expressions over attributes and variables of which some are not known, and every way they may turn out.

use weir_attributes::{Bag, Slot, slot};
use weir_cel::{Activation, Entries, Env, Map, Origin, Type, Value};

use crate::differential::generate::{ALL, Random, Wanted, expression};

/// What an expression of [`source`] may read, by the letter that the generator calls it.
const NAMES: [(&str, &str); 12] = [
    ("s", "request.method"),
    ("t", "request.headers['x-t']"),
    ("i", "request.size"),
    ("m", "m"),
    ("j", "j"),
    ("u", "u"),
    ("d", "d"),
    ("b", "b"),
    ("c", "c"),
    ("y", "y"),
    ("l", "l"),
    ("ts", "ts"),
];

pub(crate) fn env() -> Env {
    let env = Env::builder()
        .vocabulary()
        .variable("m", Type::map(Type::String, Type::Int))
        .variable("j", Type::Int)
        .variable("u", Type::Uint)
        .variable("d", Type::Double)
        .variable("b", Type::Bool)
        .variable("c", Type::Bool)
        .variable("y", Type::Bytes)
        .variable("l", Type::list(Type::Int))
        .variable("ts", Type::list(Type::String))
        .variable("x", Type::Dyn)
        .build();
    let sum = env.compile("request.size + j").unwrap();
    let either = env.compile("b || request.method == 'a'").unwrap();
    env.with_lazy("v.sum", &sum).unwrap().with_lazy("v.either", &either).unwrap()
}

/// How many expressions are tried: as many, or a twentieth of `WEIR_CEL_CASES` where that is more.
pub(crate) fn cases(least: u64) -> u64 {
    let wanted = std::env::var("WEIR_CEL_CASES").ok().and_then(|count| count.parse::<u64>().ok()).unwrap_or(0);
    least.max(wanted / 20)
}

/// What the crate `cel` does not have: `@B` and so on are holes.
const FORMS: [&str; 16] = [
    "cel.bind(z, @I, @B || z == @I)",
    "cel.bind(z, @M, has(z.a) ? z.a == @I : @B)",
    "cel.bind(z, @S, @B && cel.bind(w, z + @S, w == z || @B))",
    "@L.transformList(p, q, p + q + @I)",
    "@L.exists(p, q, p == q && @B)",
    "@L.exists(e, cel.bind(w, e + @I, w > @I && @B))",
    "optional.of(@I).optMap(q, q + @I).orValue(@I)",
    "@M[?@S].or(optional.of(@I)).value()",
    "(@B ? dyn(@I) : dyn(@S)) == x",
    "(x == @I || x == @S && @B)",
    "@T.exists(e, e in request.headers || @B)",
    "cel.block([@I, @B, cel.index(0) + 1], cel.index(1) ? cel.index(2) == @I : @B)",
    "@L.exists(e, cel.block([e + @I, @B], cel.index(1) && cel.index(0) > e))",
    "(v.sum == @I && @B) || v.either",
    "has(v.sum) && (@B ? v.sum : @I) == @I",
    "[@B && v.either, @B, x == (v.either ? @I : v.sum)]",
];

fn form(random: &mut Random, depth: usize) -> String {
    let mut parts = random.pick(&FORMS).split('@');
    let mut out = parts.next().unwrap().to_owned();
    for part in parts {
        let wanted = match &part[..1] {
            "B" => Wanted::Bool,
            "I" => Wanted::Int,
            "S" => Wanted::Text,
            "L" => Wanted::Ints,
            "T" => Wanted::Texts,
            _ => Wanted::Map,
        };
        out.push_str(&expression(wanted, random, depth - 1));
        out.push_str(&part[1..]);
    }
    out
}

/// An expression of that seed; now and then some of its variables are read through `dyn`.
pub(crate) fn source(random: &mut Random, depth: usize) -> String {
    let plain = if random.below(3) == 0 { form(random, depth) } else { expression(*random.pick(&ALL), random, depth) };
    let mut out = String::new();
    let mut quote = None;
    let mut chars = plain.char_indices().peekable();
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    while let Some((at, c)) = chars.next() {
        match quote {
            Some(open) => {
                if c == '\\' {
                    out.push(c);
                    out.extend(chars.next().map(|(_, c)| c));
                    continue;
                }
                quote = (c != open).then_some(open);
            }
            None if c == '\'' || c == '"' => quote = Some(c),
            None if word(c) => {
                let rest = &plain[at..];
                let name = &rest[..rest.find(|c| !word(c)).unwrap_or(rest.len())];
                for _ in 1..name.len() {
                    chars.next();
                }
                let field = plain[..at].ends_with(['.', '?']);
                let replaced = NAMES
                    .iter()
                    .find(|(letter, _)| *letter == name && !field && !rest[name.len()..].starts_with(['(', '\'']));
                match replaced {
                    Some((_, name)) if random.below(8) == 0 => out.push_str(&format!("dyn({name})")),
                    Some((_, name)) => out.push_str(name),
                    None => out.push_str(name),
                }
                continue;
            }
            None => {}
        }
        out.push(c);
    }
    out
}

/// Attributes and variables, each known or not, present or absent.
#[derive(Clone, Debug)]
pub(crate) struct World {
    bag: Bag,
    variables: Vec<Option<Value<'static>>>,
    unknown: Vec<(Origin, Option<&'static str>)>,
}

impl Activation for World {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.bag.get(slot)
    }

    fn text(&self, slot: Slot) -> Option<&str> {
        self.bag.str(slot)
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.variables[index].clone()
    }

    fn knows(&self, origin: Origin, key: Option<&str>) -> bool {
        !self
            .unknown
            .iter()
            .any(|(other, unknown)| *other == origin && (unknown.is_none() || key.is_none() || key == *unknown))
    }
}

/// Everything that can be unknown.
pub(crate) const UNKNOWNS: [(Origin, Option<&str>); 14] = [
    (Origin::Attribute(slot::REQUEST_METHOD), None),
    (Origin::Attribute(slot::REQUEST_HEADERS), Some("x-t")),
    (Origin::Attribute(slot::REQUEST_SIZE), None),
    (Origin::Variable(0), Some("a")),
    (Origin::Variable(0), None),
    (Origin::Variable(1), None),
    (Origin::Variable(2), None),
    (Origin::Variable(3), None),
    (Origin::Variable(4), None),
    (Origin::Variable(5), None),
    (Origin::Variable(6), None),
    (Origin::Variable(7), None),
    (Origin::Variable(8), None),
    (Origin::Variable(9), None),
];

/// Values for everything, everything known.
pub(crate) fn world(random: &mut Random) -> World {
    let mut bag = Bag::builder().header("x-other", "o");
    if random.below(8) != 0 {
        bag = bag.text(slot::REQUEST_METHOD, random.pick::<&str>(&["", "a", "b,c", "héllo wörld"]));
    }
    if random.below(8) != 0 {
        bag = bag.header("X-T", random.pick::<&str>(&["a", "ABC", " x ", "42"]));
    }
    if random.below(8) != 0 {
        bag = bag.int(slot::REQUEST_SIZE, *random.pick(&[0i64, 1, -5, 42, i64::MAX]));
    }
    let mut map = Entries::default();
    for (key, value) in *random.pick(&[&[][..], &[("a", 1i64)], &[("b", 2)], &[("a", 1), ("b", 2)]]) {
        map.push(Value::from(*key), Value::from(*value)).unwrap();
    }
    let texts: &[&str] = random.pick::<&[&str]>(&[&[][..], &["a", "b"], &["x"]]);
    let variables: Vec<Value<'static>> = vec![
        Value::Map(Map::new(map)),
        Value::Int(*random.pick(&[0i64, 2, 3, -1])),
        Value::Uint(*random.pick(&[0u64, 1, 9, u64::MAX])),
        Value::Double(*random.pick(&[0.0f64, 1.0, -3.5, 1e18, f64::NAN, f64::INFINITY])),
        Value::Bool(random.below(2) == 0),
        Value::Bool(random.below(2) == 0),
        Value::from(*random.pick(&[&b""[..], b"abc", b"\xff'\""])),
        random
            .pick(&[&[][..], &[1i64, 2, 3], &[0], &[7, 7]])
            .iter()
            .copied()
            .map(Value::Int)
            .collect::<Vec<_>>()
            .into(),
        texts.iter().copied().map(Value::text).collect::<Vec<_>>().into(),
        random.pick(&[Value::Null, Value::Int(1), Value::text("a"), Value::Double(1.0)]).clone(),
    ];
    let variables = variables.into_iter().map(|value| (random.below(16) != 0).then_some(value)).collect();
    World { bag: bag.build(), variables, unknown: Vec::new() }
}

impl World {
    /// The same, some of it not known.
    pub(crate) fn forget(mut self, random: &mut Random) -> Self {
        self.unknown = UNKNOWNS.into_iter().filter(|_| random.below(3) == 0).collect();
        self
    }

    /// The same with what is not known as another world has it, and everything known.
    pub(crate) fn completed(&self, other: &World) -> Self {
        let pick = |origin: Origin, key: Option<&str>| if self.knows(origin, key) { self } else { other };
        let mut bag = Bag::builder().header("x-other", "o");
        if let Some(method) = pick(UNKNOWNS[0].0, None).bag.str(slot::REQUEST_METHOD) {
            bag = bag.text(slot::REQUEST_METHOD, method);
        }
        if let Some(header) = pick(UNKNOWNS[1].0, Some("x-t")).bag.headers().joined("x-t") {
            bag = bag.header("x-t", &header);
        }
        if let Some(weir_attributes::Value::Int(size)) = pick(UNKNOWNS[2].0, None).bag.get(slot::REQUEST_SIZE) {
            bag = bag.int(slot::REQUEST_SIZE, size);
        }
        let mut variables: Vec<_> = (0..self.variables.len())
            .map(|index| pick(Origin::Variable(index), None).variables[index].clone())
            .collect();
        // Where one key of a map that is there is all that is not known of it, the rest of it stays.
        let map = Origin::Variable(0);
        if !self.knows(map, None)
            && self.knows(map, Some("b"))
            && let Some(Value::Map(Map::Entries(ours))) = &self.variables[0]
        {
            let is_a = |key: &Value<'_>| key.as_str() == Some("a");
            let mut entries = Entries::default();
            for (key, value) in ours.pairs().iter().filter(|(key, _)| !is_a(key)) {
                entries.push(key.clone(), value.clone()).unwrap();
            }
            if let Some(Value::Map(Map::Entries(theirs))) = &other.variables[0] {
                for (key, value) in theirs.pairs().iter().filter(|(key, _)| is_a(key)) {
                    entries.push(key.clone(), value.clone()).unwrap();
                }
            }
            variables[0] = Some(Value::Map(Map::new(entries)));
        }
        World { bag: bag.build(), variables, unknown: Vec::new() }
    }

    pub(crate) fn is_unknown(&self, origin: Origin) -> bool {
        self.unknown.iter().any(|(other, _)| *other == origin)
    }
}

/// Whether two outcomes are the same: the same value, or an error in both.
pub(crate) fn same<E>(one: &Result<Value<'static>, E>, other: &Result<Value<'static>, E>) -> bool {
    match (one, other) {
        (Ok(one), Ok(other)) => same_value(one, other),
        (Err(_), Err(_)) => true,
        _ => false,
    }
}

fn same_value(one: &Value<'_>, other: &Value<'_>) -> bool {
    match (one, other) {
        (Value::Double(one), Value::Double(other)) => {
            one.to_bits() == other.to_bits() || (one.is_nan() && other.is_nan())
        }
        (Value::List(one), Value::List(other)) => {
            one.len() == other.len() && one.iter().zip(other.iter()).all(|(one, other)| same_value(one, other))
        }
        (Value::Map(Map::Entries(one)), Value::Map(Map::Entries(other))) => {
            let has = |(key, value): &(Value<'_>, Value<'_>)| {
                other.pairs().iter().any(|(k, v)| same_value(key, k) && same_value(value, v))
            };
            one.pairs().len() == other.pairs().len() && one.pairs().iter().all(has)
        }
        // Everything else prints as what it is.
        (one, other) => format!("{one:?}") == format!("{other:?}"),
    }
}
