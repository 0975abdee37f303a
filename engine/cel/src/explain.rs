//! What became of each part of an expression: for people who ask why.

mod decide;
mod print;
mod record;
mod sensitive;
mod tree;

use std::{ops::Range, sync::Arc};

pub(crate) use sensitive::Sensitivity;

use crate::{
    activation::Activation,
    check::Meaning,
    env::Lazy,
    error::EvalError,
    partial::Unknown,
    plan::{Plan, Probes, probed},
    program::Program,
    run::{Cx, Scratch},
};

/// What an explanation does with values that the vocabulary calls sensitive, and with headers that carry credentials.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Sensitive {
    /// Texts, numbers, lists and maps that come from them are not shown; whether something is true always is.
    #[default]
    Mask,
    /// They are shown: for the eyes of those who sent them.
    Show,
}

/// An evaluated expression, part by part. It displays as a tree.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// The whole expression.
    pub root: Part,
    /// Whether there was more to tell than [`crate::limits::EXPLAIN_PARTS_MAX`] parts.
    pub cut: bool,
}

/// A part of an expression as it is written, and what became of it.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Part {
    /// Where it stands, in bytes of the source: of [`Part::variable`]'s source when there is one.
    pub span: Range<usize>,
    /// What stands there, shortened, on one line.
    pub source: String,
    /// The variable in whose expression it stands, when it is the whole of one.
    pub variable: Option<Arc<str>>,
    /// What became of it.
    pub outcome: Outcome,
    /// Whether it made the whole expression true, false or an error.
    pub decides: bool,
    /// What it is made of, in the order of the source: literals and names of macro variables are left out. Of a variable
    /// that is evaluated when it is first read it is the variable's own expression, where it was evaluated.
    pub parts: Vec<Part>,
    /// The rounds of a macro: the first [`crate::limits::EXPLAIN_ROUNDS_MAX`] and the last one.
    pub rounds: Vec<Round>,
    /// How many rounds there were.
    pub rounds_total: usize,
    shape: decide::Shape,
}

/// One round of a macro.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Round {
    /// Which one, from 0.
    pub index: usize,
    /// The macro's variables and their values.
    pub variables: Vec<(String, Shown)>,
    /// The filter, where there is one, and the body.
    pub parts: Vec<Part>,
}

/// What became of a part.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum Outcome {
    /// A value.
    Value(Shown),
    /// An error; its text has no value in it.
    Error(EvalError),
    /// Not known, because these are not.
    Unknown(Vec<Unknown>),
    /// Nothing: what stands around it was decided without it.
    NotEvaluated,
    /// Not recorded: there was too much to tell.
    Cut,
}

/// A value as it is shown.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Shown {
    /// True or false.
    Truth(bool),
    /// A literal, shortened.
    Text(String),
    /// Sensitive.
    Masked,
}

impl Program {
    /// Evaluates it and tells what became of each part. This plans the expression again, without what makes it fast: it
    /// is for people, not for requests. What the activation does not know is told as such.
    ///
    /// ```
    /// use weir_attributes::{Bag, slot};
    /// use weir_cel::{Env, Scratch, Sensitive};
    ///
    /// let program = Env::vocabulary().compile(r#"request.method == "GET" && request.host.endsWith(".example")"#)?;
    /// let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").text(slot::REQUEST_HOST, "a.test").build();
    /// let explanation = program.explain(&bag, &mut Scratch::new(), Sensitive::Mask);
    /// let expected = r#"
    /// request.method == "GET" && request.host.endsWith(".example")   false
    /// ├─ request.method == "GET"                                     true
    /// │  └─ request.method                                           "GET"
    /// └─ request.host.endsWith(".example")                           false  ◀
    ///    └─ request.host                                             "a.test"
    /// "#;
    /// assert_eq!(explanation.to_string(), expected.trim_start());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn explain(&self, activation: &dyn Activation, scratch: &mut Scratch, sensitive: Sensitive) -> Explanation {
        let trees = Trees::of(self, sensitive);
        scratch.aside(|scratch| {
            let recorder = record::Recorder::default();
            let mut cx = Cx::watched(activation, &trees.lazies, scratch, recorder);
            let outcome = trees.plan.run(&mut cx).map(|value| record::shown(&value));
            tree::explanation(&trees, outcome, cx.into_watch())
        })
    }
}

/// The expression and the variables that it reads, planned so that each part tells its outcome.
pub(crate) struct Trees<'p> {
    program: &'p Program,
    plan: Plan,
    probes: Probes,
    sensitivity: Sensitivity,
    /// The same variables as the expression's, their programs with probes where it reads them.
    lazies: Vec<Lazy>,
    /// What was probed in each of these.
    variables: Vec<Option<(Probes, Sensitivity)>>,
}

impl<'p> Trees<'p> {
    fn of(program: &'p Program, sensitive: Sensitive) -> Self {
        let mut lazies = program.lazies().to_vec();
        let mut variables: Vec<Option<(Probes, Sensitivity)>> = lazies.iter().map(|_| None).collect();
        let mut wanted = read_by(program);
        while let Some(index) = wanted.pop() {
            let (Some(lazy), Some(place)) = (lazies.get_mut(index), variables.get_mut(index)) else { continue };
            if place.is_none() {
                wanted.extend(read_by(&lazy.program));
                let sensitivity = Sensitivity::of(&lazy.program, sensitive);
                let (plan, probes) = probed(lazy.program.checked(), lazy.program.lazies());
                lazy.program = lazy.program.with_plan(plan);
                *place = Some((probes, sensitivity));
            }
        }
        let (plan, probes) = probed(program.checked(), program.lazies());
        Self { program, plan, probes, sensitivity: Sensitivity::of(program, sensitive), lazies, variables }
    }
}

/// The variables that an expression names.
fn read_by(program: &Program) -> Vec<usize> {
    let lazy = |meaning: &Meaning| match meaning {
        Meaning::Lazy(index) => Some(usize::from(*index)),
        _ => None,
    };
    program.checked().meanings.iter().filter_map(lazy).collect()
}
