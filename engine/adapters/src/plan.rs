//! What one adapter shows its plugin: the manifest's inputs, with the operator's expressions in their places and behind them.

use std::borrow::Cow;
use std::sync::Arc;

use weir_attributes::{Bag, World as Reading, slot};
use weir_cel::{Env, Map as CelMap, Program, Reference, Scratch, Type as CelType, Value as CelValue};
use weir_manifest::{Type, World};

use crate::contract::v1::weir::plugin::types::Kind;
use crate::inputs::{Held, entry};
use crate::manifest::Source;
use crate::mask::{Mask, is_credential};
use crate::{Cause, Error, INPUTS_MAX, Input, Manifest};

/// One expression of the operator for one input.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Binding {
    /// The input: one of the manifest's, or another when the manifest has `"*"`.
    pub name: String,
    /// CEL.
    pub expression: String,
}

/// Inputs and condition of one adapter.
#[derive(Debug)]
pub(crate) struct Plan {
    /// The manifest's, and behind them those that only the operator binds.
    pub(crate) inputs: Vec<Input>,
    condition: Option<Program>,
    /// Everything of a request that its inputs, its bag, its bindings and the `match` can read.
    pub(crate) reads: Arc<[Reference]>,
    /// Whether what it reads depends on how a doubtful path, or doubtful header lines, are read.
    pub(crate) by_path: bool,
    pub(crate) by_line: bool,
}

impl Plan {
    pub(crate) fn new(
        adapter: &str,
        manifest: &Manifest,
        bindings: &[Binding],
        condition: Option<&str>,
    ) -> Result<Plan, Error> {
        let env = match manifest.world {
            World::Report => Env::vocabulary_all(),
            World::Check | World::Enrich => Env::vocabulary(),
        };
        let wrong = |field: String, message: String| Error::Expression { adapter: adapter.to_owned(), field, message };
        let mut inputs = manifest.inputs.clone();
        for Binding { name, expression } in bindings {
            let field = || format!("bindings.{name}");
            let input = inputs.iter_mut().find(|input| *input.name == **name);
            let wanted = input.as_ref().map_or(CelType::Dyn, |input| cel_type(input.ty));
            let compiled = match wanted {
                CelType::Dyn => env.compile(expression),
                wanted => env.compile_as(expression, &wanted),
            };
            let program = compiled.map_err(|e| wrong(field(), e.to_string()))?;
            match input {
                Some(input) => input.source = Source::expression(program),
                None if !manifest.more_inputs => {
                    let known = manifest.inputs.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
                    return Err(wrong(field(), format!("the plugin has no input of that name; it has {known}")));
                }
                None => {
                    let ty = type_of(program.result_type()).ok_or_else(|| {
                        let ty = program.result_type();
                        wrong(
                            field(),
                            format!("an input cannot be of type {ty}; convert it, with string() for instance"),
                        )
                    })?;
                    let source = Source::expression(program);
                    inputs.push(Input { name: name.as_str().into(), ty, optional: true, source });
                }
            }
        }
        if let Some(input) = inputs.iter().find(|input| matches!(input.source, Source::Unbound)) {
            return Err(Error::Unbound { adapter: adapter.to_owned(), input: input.to_string() });
        }
        if inputs.len() > INPUTS_MAX {
            let text = format!("{} inputs with the bindings, the limit is {INPUTS_MAX}", inputs.len());
            return Err(wrong("bindings".into(), text));
        }
        let condition = condition.map(|source| env.compile_as(source, &CelType::Bool)).transpose();
        let condition = condition.map_err(|e| wrong("match".into(), e.to_string()))?;
        Ok(Plan::reading(inputs, &manifest.attributes, condition))
    }

    /// `attributes` is what the bag shows beside the inputs.
    pub(crate) fn reading(inputs: Vec<Input>, attributes: &[Input], condition: Option<Program>) -> Plan {
        let programs = inputs.iter().filter_map(|input| match &input.source {
            Source::Expression { program, .. } => Some(program),
            _ => None,
        });
        let mut reads: Vec<_> = programs.chain(&condition).flat_map(Program::references).cloned().collect();
        // An expression sees the lines of one header too; a plugin is shown them joined, which no reading changes.
        let lines = |read: &Reference| read.slot == slot::REQUEST_HEADERS_ALL;
        let of_expressions = reads.iter().any(lines);
        let shown = inputs.iter().chain(attributes);
        reads.extend(
            shown.filter_map(|input| Some(Reference { slot: input.slot()?, key: input.key().map(Into::into) })),
        );
        let path = [slot::REQUEST_PATH, slot::REQUEST_URL_PATH];
        Plan {
            by_path: reads.iter().any(|read| path.contains(&read.slot)),
            by_line: of_expressions || reads.iter().any(|read| lines(read) && read.key.is_none()),
            reads: reads.into(),
            inputs,
            condition,
        }
    }

    /// Whether the operator's `match` holds for that request.
    pub(crate) fn covers(&self, reading: Reading<'_>) -> Result<bool, Cause> {
        let Some(condition) = &self.condition else { return Ok(true) };
        condition
            .evaluate_bool(&reading, &mut Scratch::new())
            .map_err(|e| Cause::Expression(format!("spec.match failed: {e}")))
    }

    /// The requests that `match` covers. One that it fails on is covered: nothing is lost in silence.
    pub(crate) fn covered<'b>(&self, bags: &'b [Bag]) -> impl Iterator<Item = &'b Bag> {
        bags.iter().filter(|bag| self.covers(bag.as_told()).unwrap_or(true))
    }
}

/// The value of an operator's expression; none when it fails, is null, or is of another type than the plugin was told.
/// `mask`: it reads a secret.
pub(crate) fn computed<'a>(program: &Program, ty: Type, reading: Reading<'a>, mask: Option<&Mask>) -> Option<Held<'a>> {
    let mut scratch = Scratch::new();
    let value = program.evaluate(&reading, &mut scratch).ok()?;
    let held = owned(&value).filter(|held| is_of(held, ty))?;
    Some(match mask {
        Some(mask) => hashed(held, mask),
        None => held,
    })
}

/// Whether what is read is a secret, or may be one: a header whose name is computed.
pub(crate) fn is_secret(read: &Reference) -> bool {
    let headers = [slot::REQUEST_HEADERS, slot::REQUEST_HEADERS_ALL, slot::RESPONSE_HEADERS].contains(&read.slot);
    read.slot.attribute().sensitive || (headers && read.key.as_deref().is_none_or(is_credential))
}

fn is_of(held: &Held<'_>, ty: Type) -> bool {
    match held {
        Held::Text(_) => ty == Type::String,
        Held::Int(_) => ty == Type::Int,
        Held::Double(_) => ty == Type::Double,
        Held::Bool(_) => ty == Type::Bool,
        Held::Bytes(_) => ty == Type::Bytes,
        Held::Timestamp(_) => ty == Type::Timestamp,
        Held::Duration(_) => ty == Type::Duration,
        Held::Pairs(_) => matches!(ty, Type::Map | Type::ListMap | Type::Struct),
        Held::Texts(_) => ty == Type::List,
    }
}

fn hashed<'a>(held: Held<'a>, mask: &Mask) -> Held<'a> {
    let hash = |text: Cow<'a, str>| Cow::Owned(mask.hash(&text));
    match held {
        Held::Text(text) => Held::Text(hash(text)),
        Held::Bytes(_) => Held::Bytes(Cow::Borrowed(b"")),
        Held::Pairs(pairs) => Held::Pairs(pairs.into_iter().map(|(name, value)| (name, hash(value))).collect()),
        Held::Texts(texts) => Held::Texts(texts.into_iter().map(hash).collect()),
        other => other,
    }
}

fn owned<'a>(value: &CelValue<'_>) -> Option<Held<'a>> {
    Some(match value {
        CelValue::Null => return None,
        CelValue::Optional(value) => return owned(value.as_deref()?),
        CelValue::Bool(flag) => Held::Bool(*flag),
        CelValue::Int(number) => Held::Int(*number),
        CelValue::Uint(number) => Held::Int(i64::try_from(*number).unwrap_or(i64::MAX)),
        CelValue::Double(number) => Held::Double(*number),
        CelValue::Bytes(bytes) => Held::Bytes(Cow::Owned(bytes.to_vec())),
        CelValue::Timestamp(time) => {
            let nanos = time.seconds().saturating_mul(1_000_000_000);
            Held::Timestamp(nanos.saturating_add(time.subsecond_nanoseconds().into()))
        }
        CelValue::Duration(nanos) => Held::Duration(*nanos),
        CelValue::List(list) => Held::Texts(list.iter().map(|item| Cow::Owned(text(item))).collect()),
        CelValue::Map(map) => Held::Pairs(pairs(map)),
        other => Held::Text(Cow::Owned(text(other))),
    })
}

fn pairs<'a>(map: &CelMap<'_>) -> Vec<(Cow<'a, str>, Cow<'a, str>)> {
    let pair = |key: &str, value: &str| (Cow::Owned(key.to_owned()), Cow::Owned(value.to_owned()));
    match map {
        CelMap::Entries(entries) => entries.pairs().iter().map(|(key, value)| pair(&text(key), &text(value))).collect(),
        CelMap::Attribute(map) => map.keys().filter_map(|key| Some(pair(key, &map.get(key)?))).collect(),
        CelMap::Lines(headers) => {
            headers.names().flat_map(|name| headers.lines(name).map(move |line| pair(name, line))).collect()
        }
        CelMap::Struct(map) => map.iter().map(|(key, value)| pair(key, &entry(value))).collect(),
    }
}

/// A text as it is, anything else as CEL prints it.
fn text(value: &CelValue<'_>) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

fn cel_type(ty: Type) -> CelType {
    match ty {
        Type::String => CelType::String,
        Type::Int => CelType::Int,
        Type::Double => CelType::Double,
        Type::Bool => CelType::Bool,
        Type::Bytes => CelType::Bytes,
        Type::Timestamp => CelType::Timestamp,
        Type::Duration => CelType::Duration,
        Type::Map | Type::ListMap | Type::Struct => CelType::map(CelType::String, CelType::Dyn),
        Type::List => CelType::list(CelType::Dyn),
    }
}

/// As what a result of that type reaches a plugin; none for what it cannot be shown.
fn type_of(ty: &CelType) -> Option<Type> {
    Some(match ty {
        CelType::Bool => Type::Bool,
        CelType::Int | CelType::Uint => Type::Int,
        CelType::Double => Type::Double,
        CelType::Bytes => Type::Bytes,
        CelType::Timestamp => Type::Timestamp,
        CelType::Duration => Type::Duration,
        CelType::List(_) => Type::List,
        CelType::Map(..) => Type::Map,
        CelType::Optional(inner) | CelType::Wrapper(inner) => type_of(inner)?,
        CelType::String | CelType::Ip | CelType::Cidr | CelType::Url | CelType::Semver => Type::String,
        _ => return None,
    })
}

/// The same in the contract's words.
pub(crate) fn kind(ty: Type) -> Kind {
    match ty {
        Type::String => Kind::Text,
        Type::Int => Kind::Int,
        Type::Double => Kind::Double,
        Type::Bool => Kind::Boolean,
        Type::Bytes => Kind::Bytes,
        Type::Timestamp => Kind::Timestamp,
        Type::Duration => Kind::Duration,
        Type::Map | Type::ListMap | Type::Struct => Kind::Pairs,
        Type::List => Kind::Texts,
    }
}
