//! TEMPORARY stand-in for weir-cel's API until it lands.
use std::ops::Range;
use weir_attributes::{Slot, World};

pub(crate) trait Activation {}
impl Activation for World<'_> {}
#[derive(Debug, Default)]
pub(crate) struct Scratch;
#[derive(Debug, Clone)]
pub(crate) struct Program;
#[derive(Debug)]
pub(crate) struct EvalError;
pub(crate) struct Reference {
    pub slot: Slot,
    pub key: Option<String>,
}
pub(crate) struct Unguarded {
    pub span: Range<usize>,
    pub expression: String,
    pub guarded: String,
}
pub(crate) struct Error {
    pub span: Range<usize>,
    pub message: String,
    pub help: Option<String>,
}
#[derive(Debug, PartialEq)]
pub(crate) enum Type {
    Bool,
    String,
}
pub(crate) enum Value {
    String(String),
}
#[derive(Debug, Clone)]
pub(crate) struct Env;
impl Env {
    pub(crate) fn vocabulary() -> Env {
        Env
    }
    pub(crate) fn with_lazy(self, _: &str, _: &Program) -> Env {
        self
    }
    pub(crate) fn compile(&self, _: &str) -> Result<Program, Vec<Error>> {
        Ok(Program)
    }
}
impl Program {
    pub(crate) fn result_type(&self) -> Type {
        Type::Bool
    }
    pub(crate) fn references(&self) -> &[Reference] {
        &[]
    }
    pub(crate) fn unguarded(&self) -> Vec<Unguarded> {
        vec![]
    }
    pub(crate) fn evaluate_bool(&self, _: &dyn Activation, _: &mut Scratch) -> Result<bool, EvalError> {
        Ok(true)
    }
    pub(crate) fn evaluate(&self, _: &dyn Activation, _: &mut Scratch) -> Result<Value, EvalError> {
        Err(EvalError)
    }
}
