//! Message literals: the messages that are values, and their fields.

use super::{Checker, Meaning, suggest};
use crate::{
    ast::{Kind, NodeId},
    error::Error,
    message::Message,
    types::Type,
};

impl Checker<'_> {
    pub(super) fn message(&mut self, id: NodeId) -> Type {
        let Kind::Struct { name, fields } = self.ast.kind(id).clone() else { return Type::Dyn };
        let Some((whole, rooted)) = self.ast.dotted(name) else { return Type::Dyn };
        let message = self.names.message(&whole, rooted);
        let mut known = true;
        for (at, field) in fields.iter().enumerate() {
            let ty = self.check(field.value);
            let ty = if field.optional { self.unwrap(field.value, &ty) } else { ty };
            let Some(message) = message else { continue };
            let text = self.ast.text(field.name);
            if fields.iter().take(at).any(|other| self.ast.text(other.name) == text) {
                self.refuse(Error::new(field.name.range(), format!("the field `{text}` stands twice")));
                continue;
            }
            let Some(declared) = message.fields().iter().find(|declared| declared.name == text) else {
                let names: Vec<String> = message.fields().iter().map(|field| format!("`{}`", field.name)).collect();
                let error = Error::new(field.name.range(), format!("`{}` has no field `{text}`", message.name()));
                self.mismatch(error.help(format!("it has {}", names.join(", "))));
                known = false;
                continue;
            };
            if !declared.kind.takes(&ty) {
                let message = format!("the field `{text}` is {}, not {ty}", declared.kind.ty());
                self.mismatch(Error::new(self.span(field.value), message));
            }
        }
        match message {
            Some(message) => {
                self.set_meaning(id, if known { Meaning::Message(message) } else { Meaning::Undeclared });
                message.ty()
            }
            None => {
                let error = Error::new(self.span(id), "messages cannot be built here");
                let close = suggest::closest(&whole, Message::ALL.into_iter().map(Message::name));
                self.set_meaning(id, Meaning::Undeclared);
                self.mismatch(match close {
                    Some(close) => error.help(format!("did you mean `{close}`?")),
                    None => error.help("build a map: {\"field\": value}"),
                })
            }
        }
    }
}
