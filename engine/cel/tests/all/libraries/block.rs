use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering::Relaxed},
};

use weir_cel::{Env, EvalErrorKind, Overload, Scratch, Type, Value};

use super::{fails, holds, refuses, types};

#[test]
fn a_part_may_read_those_before_it() {
    holds(&[
        "cel.block([2, cel.index(0) * 3, cel.index(0) + cel.index(1)], cel.index(2) == 8 && cel.index(1) == 6)",
        "cel.block([n, cel.index(0) + 1], [cel.index(0), cel.index(1)] == [7, 8])",
        "cel.block([s.size(), cel.index(0) > 3], cel.index(1) ? cel.index(0) == 5 : false)",
        "cel.block([], n == 7)",
        "cel.block([{'a': {'b': n}}, cel.index(0).a.b], has(cel.index(0).a) && cel.index(1) == 7)",
    ]);
    types(&[
        ("cel.block([1, cel.index(0) + 1], [cel.index(1)])", "list(int)"),
        ("cel.block(['a'], cel.index(0))", "string"),
        ("cel.block([x], cel.index(0))", "dyn"),
    ]);
}

#[test]
fn a_part_that_nothing_reads_is_not_evaluated() {
    holds(&[
        "cel.block([1 / (n - 7), n], cel.index(1) == 7)",
        "cel.block([n == 7, 1 / (n - 7)], cel.index(0) || cel.index(1) > 0)",
        "cel.block([1 / (n - 7) > 0], cel.index(0) || true)",
    ]);
    fails(&[
        ("cel.block([1 / (n - 7)], cel.index(0))", EvalErrorKind::DivideByZero),
        ("cel.block([1 / (n - 7), cel.index(0)], [1].exists(i, cel.index(1) == i))", EvalErrorKind::DivideByZero),
    ]);
}

#[test]
fn a_part_is_evaluated_once() {
    let count = Arc::new(AtomicUsize::new(0));
    let counter = count.clone();
    let tick =
        Overload::global([], Type::Int).implemented(move |_| Ok(Value::Int(counter.fetch_add(1, Relaxed) as i64)));
    let env = Env::builder().function("tick", tick).build();
    for (source, ticks) in [
        ("cel.block([tick()], [cel.index(0), cel.index(0)].all(i, i == cel.index(0)))", 1),
        ("cel.block([tick(), cel.index(0) * 0], [1, 2, 3].all(i, cel.index(1) == 0 && cel.index(0) >= 0))", 1),
        ("cel.block([tick()], true || cel.index(0) > 0)", 0),
        // A part that fails is not tried again.
        ("cel.block([1 / (tick() * 0) > 0], cel.index(0) || cel.index(0) || 1 == tick() * 0 + 1)", 2),
        ("[1, 2].all(i, cel.block([tick()], cel.index(0) == cel.index(0)))", 2),
    ] {
        let program = env.compile(source).unwrap_or_else(|errors| panic!("{errors}"));
        let before = count.load(Relaxed);
        let none: [Value<'static>; 0] = [];
        assert!(program.evaluate_bool(&none, &mut Scratch::new()).unwrap(), "{source}");
        assert_eq!(count.load(Relaxed) - before, ticks, "{source}");
    }
}

#[test]
fn macros_have_names_that_tools_make() {
    holds(&[
        "[1, 2].map(cel.iterVar(0, 0), cel.iterVar(0, 0) + 1) == [2, 3]",
        "[1, 2].all(cel.iterVar(0,0), [3].all(cel.iterVar( 1 , 0 ), cel.iterVar(1,0) > cel.iterVar(0, 0)))",
        "{'a': 1}.all(cel.iterVar(0, 0), cel.iterVar(0, 1), cel.iterVar(0, 0) == 'a' && cel.iterVar(0, 1) == 1)",
        "cel.bind(cel.accuVar(0, 0), 5, cel.accuVar(0, 0) == 5)",
        // First read within macros: it does not see their variables, nor disturb them.
        "cel.block([[1, 2].map(i, i * n)], [5].map(i, [6].map(j, cel.index(0)[1] + i + j)) == [[25]])",
        "cel.block([[1, 2].map(i, i * n), cel.index(0).map(i, i + 1)], [5].all(i, cel.index(1) == [8, 15] && i == 5))",
    ]);
}

#[test]
fn blocks_may_stand_within_blocks() {
    holds(&[
        "cel.block([cel.block([n], cel.index(0) + 1), cel.index(0) + 1], cel.index(1) == 9)",
        "cel.block([n], cel.block([1], cel.index(0)) + cel.index(0) == 8)",
        "[1, 2].map(i, cel.block([i * 2, cel.index(0) + n], cel.index(1))) == [9, 11]",
        "cel.block([n, [1].map(i, cel.block([i], cel.index(0) + 1))], cel.index(1) == [2] && cel.index(0) == 7)",
    ]);
}

#[test]
fn blocks_that_are_wrong_are_refused() {
    refuses(&[
        ("cel.block(n, 1)", "n", "the parts of a block are a list"),
        ("cel.block([?optional.of(1)], 1)", "[?optional.of(1)]", "the parts of a block are a list"),
        ("cel.block([1], cel.index(1))", "cel.index(1)", "only 1 parts"),
        ("cel.block([cel.index(0)], 1)", "cel.index(0)", "only 0 parts"),
        ("cel.block([cel.index(1), 2], 1)", "cel.index(1)", "only 0 parts"),
        ("cel.index(0)", "cel.index(0)", "only 0 parts"),
        ("cel.block([1], 2) + cel.index(0)", "cel.index(0)", "only 0 parts"),
        ("cel.block([1], cel.index(n))", "n", "counted from 0"),
        ("cel.block([1], cel.index(-1))", "-1", "counted from 0"),
        ("cel.block([1], cel.index(0) == 'a')", "cel.index(0) == 'a'", "int"),
        ("[1].map(cel.iterVar(0), 1)", "cel.iterVar(0)", "takes two numbers"),
        ("cel.iterVar(0, 0)", "cel.iterVar(0, 0)", "not declared"),
    ]);
}

/// Each part reads the one before it: evaluating the last one goes through them all.
fn chain(parts: usize) -> String {
    let links: Vec<String> = (0..parts).map(|part| format!("cel.index({part}) + n")).collect();
    format!("cel.block([n, {}], cel.index({parts}))", links.join(", "))
}

#[test]
fn a_long_chain_of_parts_is_refused_before_it_takes_the_stack() {
    let env = Env::builder().variable("n", Type::Int).build();
    let error = env.compile(&chain(500)).unwrap_err();
    assert!(error.errors()[0].message.contains("levels deep"), "{error}");
    let deepest = env.compile(&chain(100)).unwrap();
    let outcome = std::thread::Builder::new()
        .stack_size(2 * 1024 * 1024)
        .spawn(move || deepest.evaluate(&[Value::Int(1)], &mut Scratch::new()).unwrap().as_int());
    assert_eq!(outcome.unwrap().join().unwrap(), Some(101));
}
