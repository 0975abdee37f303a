//! Named ways out.

use crate::SINK_MESSAGE_MAX;
use crate::contract::v1::weir::plugin::sinks;
use crate::contract::v1::weir::plugin::types::Refusal;
use crate::guest::Guest;
use crate::services::{denied, limited};

impl sinks::Host for Guest {
    fn emit(&mut self, sink: String, payload: Vec<u8>) -> Result<(), Refusal> {
        let Some(to) = self.services.sinks.get(&*sink).cloned() else {
            return Err(denied(format!("the manifest does not list {sink:?} under [capabilities] sinks")));
        };
        if payload.len() > SINK_MESSAGE_MAX {
            return Err(limited(format!("{} bytes, a message has at most {SINK_MESSAGE_MAX}", payload.len())));
        }
        self.spend(payload.len())?;
        self.outgoing.push((to, payload));
        Ok(())
    }
}
