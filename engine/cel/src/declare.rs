//! Functions that a host declares: forms with types, type parameters, and an implementation where there is one.

use std::{fmt, sync::Arc};

use crate::{
    error::EvalErrorKind,
    run::Budget,
    types::Type,
    value::{Bytes, List, Map, Text, Value},
};

/// What a declared function does.
type Implementation = dyn for<'a> Fn(&[Value<'a>]) -> Result<Value<'a>, EvalErrorKind> + Send + Sync;

/// One form of a function of the host's own: the types that it takes and gives, and what it does.
///
/// [`Type::param`] stands for one type throughout a call: the result is made of what the arguments were. A value of an
/// opaque type is represented by whatever value the implementations give.
///
/// ```
/// use weir_cel::{Env, Overload, Scratch, Type, Value};
///
/// let twice = Overload::method(Type::Int, [], Type::Int).implemented(|args| match args {
///     [Value::Int(n)] => n.checked_mul(2).map(Value::Int).ok_or(weir_cel::EvalErrorKind::Overflow),
///     _ => Err(weir_cel::EvalErrorKind::NoOverload),
/// });
/// let pair = Overload::global(
///     [Type::param("A"), Type::param("B")],
///     Type::opaque("pair", [Type::param("A"), Type::param("B")]),
/// );
/// let env = Env::builder().function("twice", twice).function("pair", pair).build();
/// let program = env.compile("21.twice()")?;
/// assert_eq!(program.evaluate(&[], &mut Scratch::new())?.as_int(), Some(42));
/// assert_eq!(env.compile("pair(1, 'a')")?.result_type().to_string(), "pair(int, string)");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone)]
pub struct Overload {
    method: bool,
    params: Box<[Type]>,
    result: Type,
    run: Option<Arc<Implementation>>,
}

impl Overload {
    /// A form that is called as `name(...)`.
    #[must_use]
    pub fn global(params: impl IntoIterator<Item = Type>, result: Type) -> Self {
        Self { method: false, params: params.into_iter().collect(), result, run: None }
    }

    /// A form that is called as `target.name(...)`.
    #[must_use]
    pub fn method(target: Type, params: impl IntoIterator<Item = Type>, result: Type) -> Self {
        let params = std::iter::once(target).chain(params).collect();
        Self { method: true, params, result, run: None }
    }

    /// The same form, doing that: `run` is given the arguments, the target first. Each of them is of the declared kind;
    /// what is inside of lists and maps is not looked at before. It should take time and space in proportion to its
    /// arguments: the evaluation's budget is charged for what it gives, after it gave it.
    ///
    /// A form without an implementation is known to the checker only: evaluating it is
    /// [`EvalErrorKind::Unimplemented`].
    #[must_use]
    pub fn implemented<F>(mut self, run: F) -> Self
    where
        F: for<'a> Fn(&[Value<'a>]) -> Result<Value<'a>, EvalErrorKind> + Send + Sync + 'static,
    {
        self.run = Some(Arc::new(run));
        self
    }

    /// The types that it takes, the target first.
    #[must_use]
    pub fn params(&self) -> &[Type] {
        &self.params
    }

    /// The type that it gives.
    #[must_use]
    pub fn result(&self) -> &Type {
        &self.result
    }

    /// Whether it is called as `target.name(...)`.
    #[must_use]
    pub fn is_method(&self) -> bool {
        self.method
    }

    /// The type that it gives for those arguments; none when it does not take them.
    pub(crate) fn applied(&self, args: &[Type]) -> Option<Type> {
        let mut bound = Bound::default();
        let takes = self.params.len() == args.len() && self.params.iter().zip(args).all(|(p, a)| bound.take(p, a));
        if !takes {
            return None;
        }
        Some(bound.put(&self.result).bounded())
    }
}

impl fmt::Debug for Overload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let params: Vec<String> = self.params.iter().map(Type::to_string).collect();
        match (self.method, params.split_first()) {
            (true, Some((target, rest))) => write!(f, "{target}.({}) -> {}", rest.join(", "), self.result),
            _ => write!(f, "({}) -> {}", params.join(", "), self.result),
        }
    }
}

/// What the type parameters of a form stand for in one call.
#[derive(Default)]
struct Bound(Vec<(Arc<str>, Type)>);

impl Bound {
    /// Whether a value of the type `actual` may be given where `param` is declared.
    fn take(&mut self, param: &Type, actual: &Type) -> bool {
        match (param, actual) {
            (Type::Param(name), _) => self.bind(name, actual),
            (_, Type::Never) => true,
            // What is inside of it is not known either.
            (Type::List(inner) | Type::Optional(inner), Type::Dyn) => self.take(inner, actual),
            (Type::Map(key, value), Type::Dyn) => self.take(key, actual) && self.take(value, actual),
            (Type::Opaque(opaque), Type::Dyn) => opaque.params.iter().all(|param| self.take(param, actual)),
            (_, Type::Dyn) => true,
            (Type::List(a), Type::List(b)) | (Type::Optional(a), Type::Optional(b)) => self.take(a, b),
            (Type::Map(key, value), Type::Map(k, v)) => self.take(key, k) && self.take(value, v),
            (Type::Opaque(a), Type::Opaque(b)) => {
                a.name == b.name
                    && a.params.len() == b.params.len()
                    && a.params.iter().zip(&b.params).all(|(a, b)| self.take(a, b))
            }
            _ => param.unite(actual).is_some(),
        }
    }

    /// One parameter takes types of which one fits where the other does.
    fn bind(&mut self, name: &Arc<str>, actual: &Type) -> bool {
        let Some((_, bound)) = self.0.iter_mut().find(|(other, _)| other == name) else {
            self.0.push((name.clone(), actual.clone()));
            return true;
        };
        match bound.unite(actual) {
            Some(united) => {
                *bound = united;
                true
            }
            None => false,
        }
    }

    /// A type with what its parameters stand for; those that nothing was given for are left open.
    fn put(&self, ty: &Type) -> Type {
        match ty {
            Type::Param(name) => {
                let bound = self.0.iter().find(|(other, _)| other == name);
                bound.map_or(Type::Never, |(_, ty)| ty.clone())
            }
            Type::List(inner) => Type::list(self.put(inner)),
            Type::Optional(inner) => Type::optional(self.put(inner)),
            Type::Map(key, value) => Type::map(self.put(key), self.put(value)),
            Type::Opaque(opaque) => Type::opaque(&opaque.name, opaque.params.iter().map(|param| self.put(param))),
            other => other.clone(),
        }
    }
}

/// All forms of one name and style.
#[derive(Clone, Debug, Default)]
pub(crate) struct Declared {
    pub(crate) overloads: Vec<Overload>,
}

impl Declared {
    /// Adds a form; one with the same parameters takes the place of the earlier one.
    pub(crate) fn add(&mut self, overload: Overload) {
        match self.overloads.iter_mut().find(|other| other.params == overload.params) {
            Some(place) => *place = overload,
            None => self.overloads.push(overload),
        }
    }

    /// Calls the first form that takes these values; none when no form does.
    pub(crate) fn run<'a>(&self, args: &[Value<'a>], budget: &mut Budget) -> Option<Result<Value<'a>, EvalErrorKind>> {
        let takes = |overload: &&Overload| {
            overload.params.len() == args.len() && overload.params.iter().zip(args).all(|(ty, arg)| fits(ty, arg))
        };
        let overload = self.overloads.iter().find(takes)?;
        let Some(run) = &overload.run else { return Some(Err(EvalErrorKind::Unimplemented)) };
        Some(budget.spend(1).and_then(|()| run(args)).and_then(|value| {
            charge(&value, budget)?;
            Ok(value)
        }))
    }
}

/// Whether a value is of that kind of type; what is inside of it is not looked at.
fn fits(ty: &Type, value: &Value<'_>) -> bool {
    match (ty, value) {
        (Type::Dyn | Type::Never | Type::Param(_) | Type::Opaque(_), _) | (Type::Wrapper(_), Value::Null) => true,
        (Type::Wrapper(inner), value) => fits(inner, value),
        (ty, Value::Null) => *ty == Type::Null,
        (ty, value) => matches!(
            (ty, value),
            (Type::Bool, Value::Bool(_))
                | (Type::Int, Value::Int(_))
                | (Type::Uint, Value::Uint(_))
                | (Type::Double, Value::Double(_))
                | (Type::String, Value::String(_))
                | (Type::Bytes, Value::Bytes(_))
                | (Type::Timestamp, Value::Timestamp(_))
                | (Type::Duration, Value::Duration(_))
                | (Type::Type, Value::Type(_))
                | (Type::Ip, Value::Ip(_))
                | (Type::Cidr, Value::Cidr(_))
                | (Type::Url, Value::Url(_))
                | (Type::Semver, Value::Semver(_))
                | (Type::List(_), Value::List(_))
                | (Type::Map(..), Value::Map(_))
                | (Type::Optional(_), Value::Optional(_))
        ),
    }
}

/// Takes the bytes of what was made; what is borrowed was there before.
fn charge(value: &Value<'_>, budget: &mut Budget) -> Result<(), EvalErrorKind> {
    match value {
        Value::String(Text::Shared(text)) => budget.grow(text.len()),
        Value::Bytes(Bytes::Shared(bytes)) => budget.grow(bytes.len()),
        Value::List(List::Shared(list)) => budget.grow(size_of_val(&**list)),
        Value::Map(Map::Entries(crate::value::Held::Shared(entries))) => {
            budget.grow(entries.pairs().len() * 2 * size_of::<Value<'_>>())
        }
        _ => Ok(()),
    }
}
