//! Random expressions, and activations whose values are as large as their hints allow, or smaller.

use weir_attributes::{Bag, Json, List, Slot, Struct, slot};
use weir_cel::{Activation, Entries, Env, EnvBuilder, Map, Size, Type, Value};

use crate::differential::generate::Random;

pub(super) const LINES: usize = 40;
const NAME: usize = 20;
const LINE: usize = 150;
const PATH: usize = 400;

pub(super) fn builder() -> EnvBuilder {
    let text = |bytes: usize| Size::text(bytes as u64);
    let lines = Size::map(LINES as u64, text(NAME), text(LINES * (LINE + 1)));
    let all = Size::map(LINES as u64, text(NAME), Size::list(LINES as u64, text(LINE)));
    Env::builder()
        .vocabulary()
        .size_hint("request.path", text(PATH))
        .size_hint("request.headers", lines)
        .size_hint("request.headers_all", all)
        .size_hint("request.auth.claims", Size::any(60, 900))
        .variable("b", Type::Bool)
        .variable("i", Type::Int)
        .variable("s", Type::String)
        .size_hint("s", text(300))
        .variable("l", Type::list(Type::Int))
        .size_hint("l", Size::list(9, text(0)))
        .variable("t", Type::list(Type::String))
        .size_hint("t", Size::list(7, text(90)))
        .variable("m", Type::map(Type::String, Type::Int))
        .size_hint("m", Size::map(11, text(70), text(0)))
        .variable("x", Type::Dyn)
        .size_hint("x", Size::any(30, 700))
}

/// One request and its variables.
pub(super) struct Facts {
    bag: Bag,
    variables: Vec<Value<'static>>,
}

impl Activation for Facts {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.bag.get(slot)
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.variables.get(index).cloned()
    }
}

/// A text of at most that many bytes, and often of as many.
fn text(random: &mut Random, most: usize) -> String {
    let length = if random.below(3) == 0 { random.below(most + 1) } else { most };
    let letters = ["/", "a", "b", ",", "A", "é", "1", " "];
    let mut text = String::new();
    while text.len() < length {
        let often = if random.below(4) == 0 { 8 } else { 3 };
        text.push_str(letters[random.below(often)]);
    }
    text.truncate((0..=most.min(text.len())).rev().find(|at| text.is_char_boundary(*at)).unwrap());
    text
}

/// Claims with fewer than 60 values and 900 bytes.
fn json(random: &mut Random) -> Struct {
    let list = |random: &mut Random, most: usize| {
        let items = (0..count(random, most)).map(|_| Json::String(text(random, 20).into())).collect();
        Json::List(List::new(items).unwrap())
    };
    let nested = Json::List(List::new(vec![list(random, 9), list(random, 9), Json::Int(3)]).unwrap());
    let inner = Struct::new(vec![("l".into(), nested), ("t".into(), Json::String(text(random, 90).into()))]).unwrap();
    Struct::new(vec![("g".into(), list(random, 14)), ("o".into(), Json::Map(inner)), ("z".into(), Json::Null)]).unwrap()
}

fn count(random: &mut Random, most: usize) -> usize {
    if random.below(3) == 0 { random.below(most + 1) } else { most }
}

pub(super) fn facts(random: &mut Random) -> Facts {
    let claims = json(random);
    let mut bag = Bag::builder()
        .json(slot::REQUEST_AUTH_CLAIMS, claims.into())
        .text(slot::REQUEST_PATH, &text(random, PATH))
        .text(slot::REQUEST_METHOD, "GET");
    for _ in 0..count(random, LINES) {
        let name = format!("h{}", random.below(LINES));
        let name = if random.below(4) == 0 { format!("{name:x<20}") } else { name };
        bag = bag.header(&name, text(random, LINE).trim());
    }
    let texts = (0..count(random, 7)).map(|_| Value::from(text(random, 90))).collect::<Vec<_>>();
    let mut map = Entries::default();
    for index in 0..count(random, 11) {
        map.push(Value::from(format!("{index:x<70}")), Value::Int(index as i64)).unwrap();
    }
    let any = match random.below(6) {
        0 => Value::Null,
        1 => Value::from(text(random, 700)),
        2 => Value::from((0..29).map(Value::Int).collect::<Vec<_>>()),
        3 => Value::from(
            (0..7).map(|_| Value::from(vec![Value::from(text(random, 45)), Value::Null])).collect::<Vec<_>>(),
        ),
        4 => {
            let mut map = Entries::default();
            for index in 0..14 {
                map.push(Value::from(format!("{index:y<20}")), Value::from(text(random, 20))).unwrap();
            }
            Value::Map(Map::new(map))
        }
        _ => Value::Int(3),
    };
    let variables = vec![
        Value::Bool(random.below(2) == 0),
        Value::Int(random.below(5) as i64 - 1),
        Value::from(text(random, 300)),
        Value::from((0..count(random, 9) as i64).map(Value::Int).collect::<Vec<_>>()),
        Value::from(texts),
        Value::Map(Map::new(map)),
        any,
    ];
    Facts { bag: bag.build(), variables }
}

// In each form `<K>` is a hole for an expression of that kind: bool, int, text, list of ints, texts, map, anything.

const BOOLS: &[&str] = &[
    "<S>.matches('(a|b){1,30}')",
    "<S>.findAll('[ab]').size() > 2",
    "math.greatest(<L>) > <I>",
    "<A>.includes(<A>)",
    "<T>.isSorted()",
    "regex.extract(<S>, 'a(b)').hasValue()",
    "request.auth.claims.g.exists(e, e == <S>)",
    "(request.auth.claims == <A>)",
    "cel.block([<S>, cel.index(0) + <S>], <T>.exists(e, e == cel.index(1) || cel.index(0) == e))",
    "b",
    "true",
    "(<S> == <S>)",
    "(<S> < <S>)",
    "(<T> == <T>)",
    "(<L> == <L>)",
    "(<M> == <M>)",
    "(<A> == <A>)",
    "(<A> == <T>)",
    "(<S> in <T>)",
    "(<I> in <L>)",
    "(<A> in <A>)",
    "(<S> in <M>)",
    "(<S> in request.headers)",
    "(request.headers == request.headers)",
    "(request.headers_all == request.headers_all)",
    "(<B> && <B>)",
    "(<B> || <B>)",
    "!<B>",
    "<S>.contains(<S>)",
    "<S>.startsWith(<S>)",
    "<S>.endsWith('a')",
    "<S>.matches('^[ab]+/')",
    "<S>.matches(<S>)",
    "<T>.all(e, e != <S>)",
    "<T>.exists(e, e.contains(<S>))",
    "<L>.exists_one(e, e == <I>)",
    "<T>.all(e, <T>.all(f, f != e || e == f))",
    "request.headers.exists(k, request.headers[k].contains(<S>))",
    "request.headers.all(k, v, v != k)",
    "request.headers_all.all(k, v, v.size() > 0 || k in v)",
    "<M>.all(k, v, v >= 0 && k != <S>)",
    "<A>.exists(e, e == <A>)",
    "has(request.headers.h1)",
    "('h2' in request.headers)",
    "sets.contains(<T>, <T>)",
    "isURL(<S>)",
    "isSemver(<S>, true)",
    "semver('1.2.3-' + <S>).isLessThan(semver('1.2.3'))",
    "url(<S>) == url(<S>)",
    "sets.intersects(<L>, <L>)",
    "(<B> ? <B> : <B>)",
    "<S>.split('/').exists(p, p == 'a')",
    "(<S> in ['a', 'b', 'abab'])",
    "(dyn(request.headers) == <A>)",
    "request.headers[?<S>].hasValue()",
];

const INTS: &[&str] = &[
    "<L>.sum()",
    "<T>.indexOf(<S>)",
    "<L>.max()",
    "<T>.lastIndexOf(<S>)",
    "math.least(<I>, <I>, 7)",
    "i",
    "1",
    "size(<S>)",
    "size(<T>)",
    "size(<M>)",
    "request.headers.size()",
    "(<I> + <I>)",
    "<L>[<I>]",
    "<M>[<S>]",
    "int(<S>)",
    "<S>.indexOf(<S>)",
    "<S>.lastIndexOf(<S>)",
    "(<B> ? <I> : <I>)",
    "<M>[?<S>].orValue(<I>)",
    "size(<A>)",
    "<L>.map(e, e * 2).size()",
    "size(<S>.split(''))",
];

const TEXTS: &[&str] = &[
    "<S>.find('a+/')",
    "<S>.find(<S>)",
    "regex.replace(<S>, 'a', <S>)",
    "regex.replace(<S>, '(a|b)+', 'x\\\\1\\\\0')",
    "'%s-%s'.format([<S>, <I>])",
    "'%s %s'.format([<T>, <M>])",
    "'%.3f %x %s'.format([1.5, <S>, <A>])",
    "<S>.format([<A>, <S>])",
    "base64.encode(bytes(<S>))",
    "string(base64.decode(<S>))",
    "string(base64.decode(base64.encode(bytes(<S>))))",
    "string(url(<S>))",
    "url('http://a/' + <S>).getEscapedPath()",
    "dyn(url('/?q=' + <S>).getQuery()).q[0]",
    "url('/?' + <S>).getQuery().map(k, k).join()",
    "'%s'.format([bytes(<S>)])",
    "cel.block([<S>], cel.index(0) + cel.index(0))",
    "<T>.sort().join('')",
    "s",
    "'a'",
    "''",
    "'ab/é'",
    "request.path",
    "request.headers['h1']",
    "request.headers[<S>]",
    "(<S> + <S>)",
    "<T>[<I>]",
    "<T>.join(<S>)",
    "<S>.replace(<S>, <S>)",
    "<S>.replace('a', <S>)",
    "<S>.lowerAscii()",
    "<S>.upperAscii()",
    "<S>.trim()",
    "<S>.reverse()",
    "<S>.substring(<I>)",
    "<S>.charAt(<I>)",
    "string(<I>)",
    "string(bytes(<S>))",
    "strings.quote(<S>)",
    "(<B> ? <S> : <S>)",
    "cel.bind(v, <S>, v + v)",
    "optional.of(<S>).optMap(v, v + <S>).orValue(<S>)",
    "request.headers[?'h3'].orValue(<S>)",
    "<T>.map(e, e.upperAscii()).join('')",
];

const LISTS: &[&str] = &[
    "lists.range(size(<S>))",
    "lists.range(<I>)",
    "lists.range(size(<L>) + 3)",
    "<L>.sort()",
    "<L>.distinct()",
    "<L>.reverse()",
    "<L>.slice(0, 2)",
    "[<L>, <L>].flatten()",
    "<L>.sortBy(e, -e)",
    "l",
    "[]",
    "[1, 2, 3]",
    "(<L> + <L>)",
    "[<I>, <I>]",
    "<L>.map(e, e + <I>)",
    "<L>.filter(e, e > <I>)",
    "<T>.map(e, size(e))",
    "<L>.map(e, <L>.map(f, e * f)).map(e, size(e))",
    "<M>.map(k, k.size())",
    "<M>.transformList(k, v, v + k.size())",
];

const LISTS_OF_TEXTS: &[&str] = &[
    "<T>.sort()",
    "<T>.distinct()",
    "<T>.reverse()",
    "<S>.findAll('[a/]+')",
    "<S>.findAll(<S>)",
    "regex.extractAll(<S>, 'a(.)')",
    "<T>.sortBy(e, e.size())",
    "<T>.sortBy(e, e)",
    "[<T>, <T>].flatten()",
    "<T>.slice(1, <I>)",
    "t",
    "['a', 'bb']",
    "(<T> + <T>)",
    "[<S>, <S>]",
    "<T>.map(e, e + <S>)",
    "<T>.filter(e, e.contains(<S>))",
    "<S>.split(<S>)",
    "<S>.split('/')",
    "<S>.split('')",
    "<S>.split('/').map(p, p.lowerAscii() + <S>)",
    "<M>.map(k, k)",
    "request.headers.map(k, k)",
    "request.headers.map(k, request.headers[k])",
    "request.headers_all['h1']",
    "<L>.map(e, <S>)",
    "[?optional.of(<S>), <S>]",
    "optional.unwrap([optional.of(<S>), optional.none()])",
    "<S>.split('a').filter(p, p != <S>)",
];

const MAPS: &[&str] = &[
    "m",
    "{}",
    "{<S>: <I>}",
    "{'a': <I>, 'b': <I>, <S>: 3}",
    "<T>.transformMap(j, e, size(e)).transformMapEntry(k, v, {string(k): v})",
    "<M>.transformMap(k, v, v + size(k))",
    "<T>.transformMapEntry(j, e, {e: j})",
    "(<B> ? <M> : <M>)",
];

const ANY: &[&str] = &[
    "request.auth.claims",
    "request.auth.claims.g",
    "request.auth.claims[<S>]",
    "[<A>, [<A>]].flatten(5)",
    "<T>.first()",
    "dyn(<T>).sort()",
    "request.auth.claims.o.l",
    "x",
    "dyn(<S>)",
    "dyn(<T>)",
    "dyn(<M>)",
    "[<A>, <A>]",
    "{'k': <A>}",
    "x.k",
    "x[<I>]",
    "dyn(request.headers)",
    "(<B> ? dyn(<S>) : dyn(<T>))",
    "<A>.map(e, [e])",
    "optional.of(<A>)",
    "google.protobuf.Value{list_value: <A>}",
    "google.protobuf.ListValue{values: <T>}",
    "google.protobuf.Struct{fields: <M>}",
    "[x].map(e, {'y': e})",
    "(<B> ? request.headers : {'q': <S>})",
];

fn choices(kind: u8) -> &'static [&'static str] {
    match kind {
        b'B' => BOOLS,
        b'I' => INTS,
        b'S' => TEXTS,
        b'L' => LISTS,
        b'T' => LISTS_OF_TEXTS,
        b'M' => MAPS,
        _ => ANY,
    }
}

pub(super) fn expression(random: &mut Random, kind: u8, depth: usize) -> String {
    let all = choices(kind);
    let form = if depth == 0 || random.below(6) == 0 {
        let leaves: Vec<&str> = all.iter().copied().filter(|form| !form.contains('<')).collect();
        leaves[random.below(leaves.len())]
    } else {
        all[random.below(all.len())]
    };
    let mut pieces = form.split('<');
    let mut out = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        match piece.as_bytes() {
            [hole @ b'A'..=b'Z', b'>', ..] => {
                out.push_str(&expression(random, *hole, depth - 1));
                out.push_str(&piece[2..]);
            }
            _ => {
                out.push('<');
                out.push_str(piece);
            }
        }
    }
    out
}
