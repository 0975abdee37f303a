//! Message literals.

use super::{Call, Plan, build::Planner};
use crate::{
    ast::{Kind, NodeId},
    error::EvalErrorKind,
    message::{self, Message},
    value::{Bytes, Value},
};

impl Planner<'_> {
    /// A call of [`message::build`], which is told by its first argument what the others are.
    pub(super) fn message(&mut self, id: NodeId, message: Message) -> Plan {
        let Kind::Struct { fields, .. } = self.checked.ast.kind(id) else {
            return Plan::Fail(EvalErrorKind::Undeclared, id.0);
        };
        let place = |places: Option<usize>| places.unwrap_or_default() as u8;
        let mut form = vec![place(Message::ALL.into_iter().position(|other| other == message))];
        let mut args = Vec::with_capacity(fields.len() + 1);
        for field in fields {
            let name = self.checked.ast.text(field.name);
            form.push(place(message.fields().iter().position(|declared| declared.name == name)));
            form.push(u8::from(field.optional));
            args.push(self.plan(field.value));
        }
        args.insert(0, Plan::Const(Value::Bytes(Bytes::Shared(form.into()))));
        let constant = args.iter().all(Plan::is_const);
        self.folded(Plan::Call(Box::new(Call { run: message::build, args: args.into(), at: id.0 })), constant)
    }
}
