//! Three values: a value, an error, and what is not known yet.

mod sets;

pub(crate) use sets::Sets;

use crate::{
    activation::{Activation, Origin},
    error::EvalError,
    program::Program,
    run::{Cx, Scratch},
    value::Value,
};

/// What an evaluation comes to when the activation does not know everything.
#[derive(Clone, Debug)]
pub enum Partial<'a> {
    /// The same value, whatever is not known turns out to be.
    Value(Value<'a>),
    /// An error, whatever is not known turns out to be; and a spent budget.
    Error(EvalError),
    /// It depends on these, sorted. There may be more that it depends on once these are known.
    Unknown(Vec<Unknown>),
}

/// Something that an activation does not know: an attribute or variable, or one key of it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unknown {
    /// The attribute or variable.
    pub origin: Origin,
    /// The key, header names in lower case; none for all of it.
    pub key: Option<Box<str>>,
}

impl Program {
    /// Evaluates it as far as what the activation knows decides it: [`Activation::knows`] is asked before anything is
    /// read.
    ///
    /// `false && unknown` is false and `true || unknown` is true, and so it is with `all` and `exists`. Where nothing
    /// decides, what is not known stands before errors, and the sets of several terms are united. A function, operator,
    /// list or map needs all its operands: an error in one stands, otherwise what is not known of any. A condition that
    /// is not known makes `? :` unknown whatever its sides are. This is as cel-go evaluates partial variables.
    ///
    /// ```
    /// use weir_attributes::{Bag, Slot, slot};
    /// use weir_cel::{Activation, Env, Origin, Partial, Scratch};
    ///
    /// /// A bag that has not been told yet who calls.
    /// struct Early(Bag);
    ///
    /// impl Activation for Early {
    ///     fn attribute(&self, slot: Slot) -> Option<weir_attributes::Value<'_>> {
    ///         self.0.get(slot)
    ///     }
    ///
    ///     fn knows(&self, origin: Origin, _: Option<&str>) -> bool {
    ///         origin != Origin::Attribute(slot::SOURCE_PRINCIPAL)
    ///     }
    /// }
    ///
    /// let program = Env::vocabulary().compile(r#"request.method == "GET" && source.principal == "spiffe://a/b""#)?;
    /// let put = Early(Bag::builder().text(slot::REQUEST_METHOD, "PUT").build());
    /// assert!(matches!(program.evaluate_partial(&put, &mut Scratch::new()), Partial::Value(value) if !value.as_bool().unwrap()));
    /// let get = Early(Bag::builder().text(slot::REQUEST_METHOD, "GET").build());
    /// let Partial::Unknown(needed) = program.evaluate_partial(&get, &mut Scratch::new()) else { panic!() };
    /// assert_eq!(needed[0].origin, Origin::Attribute(slot::SOURCE_PRINCIPAL));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn evaluate_partial<'a>(&'a self, activation: &'a dyn Activation, scratch: &mut Scratch) -> Partial<'a> {
        scratch.aside(|scratch| {
            let mut cx = Cx::watched(activation, self.lazies(), scratch, Sets::default());
            match self.plan().run(&mut cx) {
                Ok(value) => Partial::Value(value),
                Err(fault) if fault.is_unknown() => Partial::Unknown(cx.into_watch().listed(fault.node)),
                Err(fault) => Partial::Error(self.error(fault)),
            }
        })
    }
}
