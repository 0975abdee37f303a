//! The Common Expression Language: parse, check, plan, run.
//!
//! An [`Env`] says which names there are; it compiles a source into a [`Program`], or into [`Errors`] that point into the
//! source; the program is evaluated on an [`Activation`], such as a [`weir_attributes::Bag`], within a budget.
//!
//! ```
//! use weir_attributes::{Bag, slot};
//! use weir_cel::{Env, Scratch};
//!
//! let env = Env::vocabulary();
//! let program = env.compile(r#"request.method == "GET" && "x-role" in request.headers"#)?;
//! let bag = Bag::builder().text(slot::REQUEST_METHOD, "GET").header("X-Role", "admin").build();
//! assert!(program.evaluate_bool(&bag, &mut Scratch::new())?);
//!
//! let errors = env.compile(r#"request.methud == "GET""#).unwrap_err();
//! assert_eq!(errors.errors()[0].help.as_deref(), Some("did you mean `request.method`?"));
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```
//!
//! # Stages
//! `parse` makes a syntax tree by hand, without recursion on chains. `check` finds what names mean and which types
//! expressions have; what it does not know is `dyn`. `plan` replaces names by slots, folds constants, compiles patterns
//! and picks typed paths. `run` walks the plan. Every stage is bounded by [`limits`]: no source and no request overflows
//! the stack, loops or allocates without end.
//!
//! # Bounds
//! Each evaluation has a budget of steps and bytes, and stops when it is spent: [`Scratch::with_budget`]. What an
//! expression takes at most is known before it runs, [`Program::cost`], for values of the sizes that
//! [`EnvBuilder::size_hint`] or [`limits`] say; what may take more than [`EnvBuilder::cost_limit`] is refused, and the part
//! that takes most is underlined. [`Env::vocabulary`] has the default budget as its limit.
//!
//! # Absence
//! Reading an absent attribute or key is an error, which `false &&` and `true ||` absorb. `has(source.principal)`,
//! `"x" in request.headers` and `request.headers[?"x"]` ask without failing; [`Program::unguarded`] lists the reads that
//! nothing asks for first. Header names are looked up in lower case, however they are written.
//!
//! # More than a value
//! [`Program::evaluate_partial`] evaluates on an activation that does not know everything, [`Program::residual`] gives what
//! is then left of the expression, [`Program::evaluate_tracked`] tells what was really read, and [`Program::explain`] what
//! became of each part. The plain evaluation pays for none of them.
//!
//! # Which language
//! All of CEL's syntax, operators and standard functions, macros (those with two variables, `cel.bind` and `cel.block` too), optional
//! values, and the extensions strings, math, lists, sets, regex, encoders, network, url and semver; [`functions`] lists them all. The
//! messages of protobuf that are values (wrappers, `Struct`, `Any`, times) can be built, and read with
//! [`Value::from_message`]; no other messages.
//!
//! Mixer's expression language is in [`cexl`]: another syntax and checker, the same plans.
#![forbid(unsafe_code)]

mod activation;
mod ast;
pub mod cexl;
mod check;
mod conjuncts;
mod cost;
mod declare;
mod env;
mod error;
mod explain;
mod functions;
mod guard;
mod hash;
mod index;
pub mod limits;
mod message;
mod parse;
mod partial;
mod plan;
mod program;
mod residual;
mod run;
mod tracked;
mod types;
mod value;

pub use activation::{Activation, Origin};
pub use conjuncts::{Alternative, Atom, Conjunct};
pub use cost::{Cost, Size};
pub use declare::Overload;
pub use env::{Env, EnvBuilder};
pub use error::{Error, Errors, EvalError, EvalErrorKind};
pub use explain::{Explanation, Outcome, Part, Round, Sensitive, Shown};
pub use functions::{Signature, functions};
pub use guard::Unguarded;
pub use index::{Candidates, Index, Presence, Single, Subjects};
pub use message::MessageError;
pub use partial::{Partial, Unknown};
pub use program::{Program, Reference};
pub use residual::Residual;
pub use run::Scratch;
pub use tracked::{Read, Reads};
pub use types::{Opaque, Type};
pub use value::{Bytes, Entries, Held, List, Map, Semver, Text, Timestamp, TypeName, Url, Value};
