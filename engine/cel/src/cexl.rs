//! The expression language of Istio's Mixer, known as CEXL: what `match`, instances and attribute bindings of its
//! configuration are written in. Facts: Istio 1.4, `mixer/pkg/lang`.
//!
//! ```
//! use weir_cel::{Scratch, cexl::{Env, Type, Values}};
//!
//! let env = Env::builder()
//!     .attribute("destination.service.host", Type::String)
//!     .attribute("source.namespace", Type::String)
//!     .build();
//! let program = env.compile(r#"match(destination.service.host, "ratings.*") && (source.namespace | "none") != "qa""#)?;
//! // This request has no `source.namespace`.
//! let request = Values::of(&env).with("destination.service.host", "ratings.prod.svc.cluster.local".into());
//! assert!(program.evaluate_bool(&request, &mut Scratch::new())?);
//!
//! let errors = env.compile(r#"destination.service.host == 8080"#).unwrap_err();
//! assert_eq!(errors.errors()[0].message, "this is INT64, but STRING is needed");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # The language
//! The grammar is that of Go's expressions. Every expression has one [`Type`], found before it runs, from the attributes
//! that the caller declares. There are `==`, `!=`, `<`, `<=`, `>`, `>=`, `&&`, `||`, `+` (texts, INT64, DOUBLE), `|`, and
//! `map["key"]`. Go's other operators are refused: nothing implements them, `!` neither (write `a == false`). A text that
//! reads as a duration (`"10ms"`) is a DURATION.
//!
//! `a | b` is `a`, or `b` where `a` is an attribute or a map's key that is absent; anything else is never absent. An
//! absent attribute without `|` is an error, a key that is absent outside of `|` is empty text. Operands of `&&` and
//! `||` are evaluated from the left, and unlike in CEL an error on the left stands.
//!
//! Functions: `match(text, pattern)` (`"exact"`, `"prefix*"`, `"*suffix"`), `"regex".matches(text)` (the receiver is the
//! pattern), `text.startsWith(text)`, `text.endsWith(text)`, `ip`, `timestamp` (RFC 3339), `dnsName`, `email`, `uri`,
//! `toLower`, `size` (bytes), `emptyStringMap()`, `conditional(bool, a, b)`, `conditionalString(bool, a, b)`, and those of
//! [`EnvBuilder::function`].
//!
//! Equality knows the types: an IPv4 address equals its IPv6-mapped form; DNS names are compared by IDNA, without case
//! and final dot; of an e-mail address only the domain is without case; of a URI the scheme is, and the host where it is
//! HTTP. Comparing what is no such name is an error.
//!
//! # What differs from Mixer
//! Too many arguments, and a pattern in the source that is no regular expression, are refused when they are compiled.
//! Mixer's compiler forgets the value of `(a == b) | c` and of sums and sizes before a `|`; here they are values like all
//! others. An error of a text that is converted does not show the text.

mod check;
mod dns;
mod email;
mod functions;
mod lex;
mod literal;
mod parse;
mod plan;
mod program;
mod types;
mod uri;
mod values;

use std::{collections::HashMap, sync::Arc};

pub use program::{Program, Reference};
pub use types::{Type, UnknownType};
pub use values::Values;

use crate::{
    declare::{Declared, Overload},
    error::Errors,
};

/// What is declared: attributes and functions. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Env(Arc<Names>);

#[derive(Clone, Debug, Default)]
struct Names {
    attributes: Vec<(Box<str>, Type)>,
    index: HashMap<Box<str>, u32>,
    /// Declared functions by their name, and whether they are methods.
    functions: HashMap<(Box<str>, bool), Arc<Declared>>,
    compatible: bool,
}

impl Env {
    /// An environment without any attribute yet.
    #[must_use]
    pub fn builder() -> EnvBuilder {
        EnvBuilder(Names::default())
    }

    /// The place of an attribute: what [`Activation::variable`](crate::Activation::variable) is asked for.
    #[must_use]
    pub fn index(&self, name: &str) -> Option<usize> {
        self.0.index.get(name).map(|index| *index as usize)
    }

    /// The attributes, each in its place.
    pub fn attributes(&self) -> impl Iterator<Item = (&str, Type)> {
        self.0.attributes.iter().map(|(name, ty)| (&**name, *ty))
    }

    /// Parses, checks and plans an expression.
    ///
    /// # Errors
    /// Everything that is wrong with it, each with its span and, where there is one, a way out.
    pub fn compile(&self, source: &str) -> Result<Program, Errors> {
        let source: Arc<str> = source.into();
        let ast = parse::parse(source.clone()).map_err(|error| Errors::new(source.clone(), vec![error]))?;
        let checked = check::check(ast, &self.0).map_err(|errors| Errors::new(source, errors))?;
        Ok(plan::plan(checked, self))
    }
}

/// Collects the names of an [`Env`].
#[derive(Clone, Debug)]
pub struct EnvBuilder(Names);

impl EnvBuilder {
    /// Adds an attribute, which may have dots in its name. [`Activation::variable`](crate::Activation::variable) is asked
    /// for it by its place: 0 for the first that was added. Its value must be the one that [`Type`] tells. Adding a name
    /// again changes its type.
    #[must_use]
    pub fn attribute(mut self, name: &str, ty: Type) -> Self {
        let next = self.0.attributes.len() as u32;
        let index = *self.0.index.entry(name.into()).or_insert(next);
        match self.0.attributes.get_mut(index as usize) {
            Some(place) => place.1 = ty,
            None => self.0.attributes.push((name.into(), ty)),
        }
        self
    }

    /// Adds a function of the host's own, or a form of one, which takes the place of the language's own function of that
    /// name. Its parameters and its result must be of types that [`Type`] has: a call of another one is refused.
    #[must_use]
    pub fn function(mut self, name: &str, overload: Overload) -> Self {
        let declared = self.0.functions.entry((name.into(), overload.is_method())).or_default();
        Arc::make_mut(declared).add(overload);
        self
    }

    /// Evaluates as Mixer does in its mode COMPAT, which is CEL with this syntax: an absent attribute is the zero value
    /// of its type (an absent IP address is empty bytes), an absent key outside of `|` is an error, `matches` is called
    /// on the text with the pattern as its argument, an error beside `&&` and `||` is absorbed when the other side
    /// decides, a sum that leaves its range is an error, `size` counts characters, and only names with a dot and keys
    /// have a default in `a | b`.
    #[must_use]
    pub fn compatible(mut self) -> Self {
        self.0.compatible = true;
        self
    }

    /// The environment.
    #[must_use]
    pub fn build(self) -> Env {
        Env(Arc::new(self.0))
    }
}
