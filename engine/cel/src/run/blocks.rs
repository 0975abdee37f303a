//! Blocks: what is said several times is evaluated once, when it is first read.

use smallvec::SmallVec;

use super::{Cx, Local, Run, Watch};
use crate::{
    error::{EvalErrorKind, Fault},
    plan::BlockPlan,
    value::Value,
};

impl BlockPlan {
    #[inline(never)]
    pub(super) fn run<'a, W: Watch>(&'a self, cx: &mut Cx<'a, '_, W>) -> Run<Value<'a>> {
        let outer = cx.locals.len();
        cx.locals.extend(self.slots.iter().map(Local::Later));
        let outcome = self.body.run(cx);
        cx.locals.truncate(outer);
        outcome
    }
}

impl<'a, W: Watch> Cx<'a, '_, W> {
    /// The value of the slot at that place; `end` is where the slots of its block end.
    #[inline(never)]
    pub(super) fn slot(&mut self, place: u16, end: u16, at: u32) -> Run<Value<'a>> {
        let (place, end) = (usize::from(place), usize::from(end).min(self.locals.len()));
        let plan = match self.locals.get(place) {
            Some(Local::Later(plan)) => *plan,
            Some(Local::Failed(fault)) => return Err(*fault),
            Some(local) => return Ok(local.value().clone()),
            None => return Err(Fault::new(EvalErrorKind::Undeclared, at)),
        };
        // It sees what its block sees, not the macro variables of where it happens to be read first.
        let inner: SmallVec<[Local<'a>; 4]> = self.locals.drain(end..).collect();
        let outcome = plan.run(self);
        self.locals.truncate(end);
        self.locals.extend(inner);
        if let Some(slot) = self.locals.get_mut(place) {
            *slot = match &outcome {
                Ok(value) => Local::Own(value.clone()),
                Err(fault) => Local::Failed(*fault),
            };
        }
        outcome
    }
}
