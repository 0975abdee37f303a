//! Calls: which function, and whether it takes its arguments.

use std::sync::Arc;

use super::{super::functions::FUNCTIONS, Checker};
use crate::{
    ast::{Kind, NodeId},
    cexl::Type,
    check::{Meaning, bad_pattern, closest},
    error::Error,
    functions::Pattern,
    limits::REGEX_TOTAL_MAX,
};

impl Checker<'_> {
    pub(super) fn call(&mut self, id: NodeId) -> Option<Type> {
        let Kind::Call { function, target, args } = self.tree.ast.kind(id).clone() else { return None };
        let name = self.tree.ast.text(function).to_owned();
        let given: Vec<NodeId> = target.into_iter().chain(args.iter().copied()).collect();
        let method = target.is_some();
        if name == "|" {
            return self.same_types(&given);
        }
        if self.names.functions.contains_key(&(Box::from(&*name), method)) {
            return self.declared(id, &name, method, &given);
        }
        if name == "conditional" && !method {
            let [test, then, other] = *given else { return self.arity(id, &name, &given, 3) };
            let (test, ty) = (self.need(test, Type::Bool), self.same_types(&[then, other]));
            return test.and(ty);
        }
        let Some(function) = FUNCTIONS.iter().find(|function| function.name == name) else {
            let names = FUNCTIONS.iter().map(|function| function.name).chain(["conditional"]);
            let declared = self.names.functions.keys().map(|(name, _)| &**name);
            let near = closest(&name, names.chain(declared));
            let error = Error::new(self.span(id), format!("there is no function `{name}`"));
            return self.refuse(match near {
                Some(near) => error.help(format!("did you mean `{near}`?")),
                None => error,
            });
        };
        if function.method != method {
            let error = Error::new(self.span(id), format!("`{name}` is not called like this"));
            let how = if function.method { format!("value.{name}(...)") } else { format!("{name}(value)") };
            return self.refuse(error.help(format!("call it as {how}")));
        }
        if given.len() != function.params.len() {
            return self.arity(id, &name, &given, function.params.len());
        }
        let found: Vec<Option<()>> =
            given.iter().zip(function.params).map(|(arg, wanted)| self.need(*arg, *wanted)).collect();
        found.into_iter().collect::<Option<Vec<()>>>()?;
        if name == "matches" {
            self.pattern(id, if self.names.compatible { given.last() } else { given.first() }.copied()?)?;
        }
        Some(function.result)
    }

    fn arity(&mut self, id: NodeId, name: &str, given: &[NodeId], wanted: usize) -> Option<Type> {
        for arg in given {
            self.check(*arg);
        }
        let target = match self.tree.ast.kind(id) {
            Kind::Call { target: Some(_), .. } => 1,
            _ => 0,
        };
        let (given, wanted) = (given.len() - target, wanted - target);
        let message = format!("`{name}` takes {wanted} arguments, these are {given}");
        self.refuse(Error::new(self.span(id), message))
    }

    /// Operands that must all be of the type of the first.
    fn same_types(&mut self, operands: &[NodeId]) -> Option<Type> {
        let (first, others) = operands.split_first()?;
        let ty = self.check(*first);
        let mut fits = true;
        for other in others {
            fits &= match ty {
                Some(ty) => self.need(*other, ty).is_some(),
                None => self.check(*other).is_some(),
            };
        }
        ty.filter(|_| fits)
    }

    /// A call of a function of the host's own: the first form that takes these types.
    fn declared(&mut self, id: NodeId, name: &str, method: bool, given: &[NodeId]) -> Option<Type> {
        let function = self.names.functions.get(&(name.into(), method))?.clone();
        let types: Vec<Option<Type>> = given.iter().map(|arg| self.check(*arg)).collect();
        let types = types.into_iter().collect::<Option<Vec<Type>>>()?;
        let takes = |params: &[crate::Type]| {
            params.len() == types.len() && params.iter().zip(&types).all(|(param, ty)| Type::of(param) == Some(*ty))
        };
        let form = function.overloads.iter().find(|overload| takes(overload.params()));
        let Some(result) = form.and_then(|form| Type::of(form.result())) else {
            let given: Vec<&str> = types.iter().map(|ty| ty.name()).collect();
            let message = format!("`{name}` does not take ({})", given.join(", "));
            return self.refuse(Error::new(self.span(id), message));
        };
        let index = self.tree.functions.len() as u32;
        self.tree.functions.push((function, None));
        self.set_meaning(id, Meaning::Declared { index, qualified: false });
        Some(result)
    }

    /// Compiles the pattern of a `matches`, when it stands in the source.
    fn pattern(&mut self, call: NodeId, pattern: NodeId) -> Option<()> {
        let Some(text) = self.tree.ast.constant_text(pattern).cloned() else { return Some(()) };
        let before: usize = self.tree.patterns.values().map(|pattern| pattern.bytes()).sum();
        match Pattern::literal(&text) {
            Ok(compiled) if before + compiled.bytes() > REGEX_TOTAL_MAX => {
                let message = format!("all patterns together need more than {REGEX_TOTAL_MAX} bytes when compiled");
                self.refuse(Error::new(self.span(pattern), message))
            }
            Ok(compiled) => {
                self.tree.patterns.insert(call, Arc::new(compiled));
                Some(())
            }
            Err(error) => self.refuse(bad_pattern(&error, self.span(pattern))),
        }
    }
}
