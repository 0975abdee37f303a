//! Every way to evaluate: within its budget, and all of them of one mind.
#![no_main]

use libfuzzer_sys::fuzz_target;
use weir_attributes::{Bag, Slot};
use weir_cel::{Activation, EvalErrorKind, Origin, Partial, Reads, Scratch, Sensitive, Value};
use weir_cel_fuzz::{bag, env, on_a_small_stack, variables};

const STEPS: u64 = 20_000;
const BYTES: u64 = 256 * 1024;
/// What an evaluation may hold beyond its budget: a pattern that is being compiled, the text of an error.
const SLACK: u64 = 4 * 1024 * 1024;

/// The bag and the variables; half of the attributes may be not known yet.
struct Request {
    bag: Bag,
    variables: Vec<Value<'static>>,
    partial: bool,
}

impl Activation for Request {
    fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
        self.bag.attribute(slot)
    }

    fn variable(&self, index: usize) -> Option<Value<'_>> {
        self.variables.get(index).cloned()
    }

    fn knows(&self, origin: Origin, _: Option<&str>) -> bool {
        match origin {
            Origin::Attribute(slot) => !self.partial || slot.index() % 2 == 0,
            Origin::Variable(index) => !self.partial || index % 2 == 0,
        }
    }
}

/// A value, or why there is none, as text: what does not change from one way to the next.
fn outcome(outcome: Result<Value<'_>, EvalErrorKind>) -> Result<String, EvalErrorKind> {
    outcome.map(|value| value.to_string())
}

fn run(source: &str) {
    let env = env();
    let Ok(program) = env.compile(source) else { return };
    let mut request = Request { bag: bag(), variables: variables(), partial: false };
    let scratch = || Scratch::with_budget(STEPS, BYTES);
    let mut plain = Err(EvalErrorKind::Budget);
    let held = allocation_counter::measure(|| {
        let mut scratch = scratch();
        plain = program.evaluate(&request, &mut scratch).map(Value::into_static).map_err(|error| error.kind);
        assert!(scratch.steps() <= STEPS && scratch.bytes() <= BYTES);
    });
    assert!(held.bytes_max <= BYTES + SLACK, "{} bytes were held", held.bytes_max);
    if let Err(error) = program.evaluate(&request, &mut scratch()) {
        assert!(!error.to_string().is_empty());
        assert!(source.get(error.span.clone()).is_some(), "{error:?}");
    }
    let spent = |kind: &Result<Value<'_>, EvalErrorKind>| matches!(kind, Err(EvalErrorKind::Budget));
    let tracked = program.evaluate_tracked(&request, &mut scratch(), &mut Reads::new()).map_err(|error| error.kind);
    if !spent(&plain) && !spent(&tracked) {
        assert_eq!(outcome(plain.clone()), outcome(tracked), "tracked");
    }
    for sensitive in [Sensitive::Mask, Sensitive::Show] {
        assert!(!program.explain(&request, &mut scratch(), sensitive).to_string().is_empty());
    }
    request.partial = true;
    if let Partial::Value(value) = program.evaluate_partial(&request, &mut scratch())
        && !spent(&plain)
    {
        assert_eq!(outcome(plain.clone()), Ok(value.to_string()), "what is known is enough");
    }
    let residual = program.residual(&request, &mut scratch());
    request.partial = false;
    match env.compile(residual.program.source()) {
        Ok(again) => {
            let kept = again.evaluate(&request, &mut scratch()).map_err(|error| error.kind);
            if let (Ok(plain), Ok(kept)) = (&plain, &kept) {
                assert_eq!(plain.to_string(), kept.to_string(), "{}", residual.program.source());
            }
        }
        Err(errors) => panic!("the residual does not compile: {errors}"),
    }
}

fuzz_target!(|source: &str| on_a_small_stack(|| run(source)));
