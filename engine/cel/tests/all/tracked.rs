//! What an evaluation really read.

use weir_attributes::{Bag, slot};
use weir_cel::{Entries, Env, Map, Origin, Reads, Scratch, Type, Value};

use crate::{
    differential::generate::Random,
    worlds::{cases, env, same, source, world},
};

fn shown(reads: &Reads) -> String {
    let read = |read: &weir_cel::Read| {
        let origin = match read.origin {
            Origin::Attribute(slot) => slot.attribute().name.to_owned(),
            Origin::Variable(index) => format!("variable {index}"),
        };
        let key = read.key.as_ref().map_or(String::new(), |key| format!("[{key}]"));
        format!("{}{origin}{key}", if read.present { "" } else { "-" })
    };
    reads.as_slice().iter().map(read).collect::<Vec<_>>().join(" ")
}

#[test]
fn reads_are_told_with_their_keys_and_whether_they_were_there() {
    let base = Env::builder()
        .vocabulary()
        .variable("m", Type::map(Type::String, Type::String))
        .variable("d", Type::Dyn)
        .build();
    let role = base.compile("request.headers['x-role']").unwrap();
    let env = base.with_lazy("v.role", &role).unwrap();
    let bag =
        Bag::builder().text(slot::REQUEST_METHOD, "GET").header("x-role", "admin").header("x-role", "user").build();
    let mut entries = Entries::default();
    entries.push("a".into(), "b".into()).unwrap();
    struct Both(Bag, Vec<Value<'static>>);
    impl weir_cel::Activation for Both {
        fn attribute(&self, slot: weir_attributes::Slot) -> Option<weir_attributes::Value<'_>> {
            self.0.get(slot)
        }
        fn variable(&self, index: usize) -> Option<Value<'_>> {
            self.1.get(index).cloned()
        }
    }
    let both = Both(bag, vec![Value::Map(Map::new(entries))]);
    for (source, reads) in [
        ("request.method == 'GET'", "request.method"),
        ("request.method == 'PUT' && request.host == 'h'", "request.method"),
        ("request.method == 'GET' && request.host == 'h'", "request.method -request.host"),
        ("request.method == 'GET' || request.host == 'h'", "request.method"),
        ("request.host == 'h' && request.method == 'PUT'", "-request.host request.method"),
        ("request.method == 'GET' ? request.host : request.path", "request.method -request.host"),
        ("request.method == request.method", "request.method"),
        ("request.method.startsWith('G') && request.method.matches('E')", "request.method"),
        ("request.method in ['GET', 'PUT'] && request.size < 3", "request.method -request.size"),
        ("has(source.principal) && source.principal == 'a'", "-source.principal"),
        ("request.headers['X-Role'] == 'admin'", "request.headers[x-role]"),
        ("request.headers['x-none'] == 'admin'", "-request.headers[x-none]"),
        (
            "'X-None' in request.headers || has(request.headers.other)",
            "-request.headers[x-none] -request.headers[other]",
        ),
        ("request.headers[?'x-none'].orValue(request.method) == ''", "-request.headers[x-none] request.method"),
        ("request.headers['x-' + 'role'] == 'admin'", "request.headers[x-role]"),
        ("request.headers['x-' + request.method] == 'admin'", "request.method -request.headers[x-get]"),
        ("request.headers_all['x-role'].size() == 2", "request.headers_all[x-role]"),
        ("request.headers.size() == 1", "request.headers"),
        ("request.headers.exists(name, name == 'a')", "request.headers"),
        ("destination.labels['app'] == 'a'", "-destination.labels"),
        ("'app' in destination.labels", "-destination.labels"),
        ("m.a == 'b' && m['c'] == 'd'", "variable 0[a] -variable 0[c]"),
        ("has(m.a) && 'c' in m", "variable 0[a] -variable 0[c]"),
        ("m.size() == 1 && m.a == 'b'", "variable 0 variable 0[a]"),
        ("d.a == 1", "-variable 1"),
        ("['GET', 'PUT'].exists(verb, verb == request.method || request.host == 'h')", "request.method"),
        ("v.role == 'a' || v.role == 'b'", "request.headers[x-role]"),
        ("cel.bind(h, request.headers, h['x-role'])", "request.headers"),
        ("false && request.method == 'GET'", ""),
    ] {
        let program = env.compile(source).unwrap_or_else(|errors| panic!("{source}\n{errors}"));
        let mut tracked = Reads::new();
        let outcome = program.evaluate_tracked(&both, &mut Scratch::new(), &mut tracked).map(Value::into_static);
        assert_eq!(shown(&tracked), reads, "{source}");
        assert!(same(&outcome, &program.evaluate(&both, &mut Scratch::new()).map(Value::into_static)), "{source}");
    }
}

#[test]
fn reads_of_several_evaluations_add_up() {
    let env = Env::vocabulary();
    let mut reads = Reads::new();
    let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").build();
    for source in ["request.method == 'GET'", "request.path == ''", "request.method == 'PUT'"] {
        let _ = env.compile(source).unwrap().evaluate_tracked(&bag, &mut Scratch::new(), &mut reads);
    }
    assert_eq!(shown(&reads), "request.method -request.path");
    reads.clear();
    assert!(reads.as_slice().is_empty());
}

#[test]
fn many_keys_are_told_once_each() {
    let env = Env::builder().vocabulary().variable("l", Type::list(Type::Int)).build();
    let program = env.compile("l.exists(e, l.exists(f, string(e) in request.headers && e < 0))").unwrap();
    struct Numbers(Bag, Vec<Value<'static>>);
    impl weir_cel::Activation for Numbers {
        fn attribute(&self, slot: weir_attributes::Slot) -> Option<weir_attributes::Value<'_>> {
            self.0.get(slot)
        }
        fn variable(&self, _: usize) -> Option<Value<'_>> {
            Some(Value::list(&self.1))
        }
    }
    let numbers = Numbers(Bag::builder().header("a", "b").build(), (0..50).map(Value::Int).collect());
    let mut reads = Reads::new();
    program.evaluate_tracked(&numbers, &mut Scratch::new(), &mut reads).unwrap();
    assert_eq!(reads.as_slice().len(), 51, "the list and fifty keys");
    assert_eq!(reads.as_slice().iter().filter(|read| read.key.as_deref() == Some("49") && !read.present).count(), 1);
}

#[test]
fn whatever_is_read_is_a_reference() {
    let env = env();
    let mut keys = 0;
    for seed in 0..cases(4_000) {
        let mut random = Random::new(seed);
        let source = source(&mut random, 4);
        let Ok(program) = env.compile(&source) else { continue };
        let world = world(&mut random);
        let mut reads = Reads::new();
        let tracked = program.evaluate_tracked(&world, &mut Scratch::new(), &mut reads).map(Value::into_static);
        assert!(same(&tracked, &program.evaluate(&world, &mut Scratch::new()).map(Value::into_static)), "{source}");
        for read in reads.as_slice() {
            let Origin::Attribute(slot) = read.origin else { continue };
            keys += usize::from(read.key.is_some());
            let covered = program.references().iter().any(|reference| {
                reference.slot == slot && (reference.key.is_none() || reference.key == read.key || !read.present)
            });
            assert!(covered, "seed {seed}: {source}: {read:?} {:?}", program.references());
        }
    }
    assert!(keys > 200, "{keys}");
}

#[test]
fn references_have_what_can_be_read_and_nothing_else() {
    let env = Env::vocabulary();
    for (source, references) in [
        ("request.method == 'a' && request.headers['X-A'] == 'b'", "request.method request.headers[x-a]"),
        (
            "request.headers['b'] == request.headers['a'] && has(request.headers.c)",
            "request.headers[a] request.headers[b] request.headers[c]",
        ),
        ("request.headers['a'] == 'b' && request.headers.size() == 1", "request.headers"),
        ("request.headers[request.method] == 'b' && request.headers['a'] == 'b'", "request.method request.headers"),
        ("false && request.method == 'a'", ""),
        ("request.method == 'a' && (request.path == 'a' || true)", "request.method"),
        (
            "(request.method == 'a' || true) && request.path == 'a' || request.method == 'b'",
            "request.method request.path",
        ),
        ("'a' == 'a' ? request.method : request.path", "request.method"),
        (
            "request.method == 'a' ? has(destination.labels.app) : 'b' in destination.labels",
            "request.method destination.labels[app] destination.labels[b]",
        ),
    ] {
        let shown = |reference: &weir_cel::Reference| {
            let key = reference.key.as_ref().map_or(String::new(), |key| format!("[{key}]"));
            format!("{}{key}", reference.slot.attribute().name)
        };
        let program = env.compile(source).unwrap();
        assert_eq!(program.references().iter().map(shown).collect::<Vec<_>>().join(" "), references, "{source}");
    }
}
