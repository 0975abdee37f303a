//! Named ways out.

use crate::contract::v1::weir::plugin::sinks;
use crate::contract::v1::weir::plugin::types::Refusal;
use crate::guest::Guest;
use crate::services::denied;

impl sinks::Host for Guest {
    fn emit(&mut self, sink: String, _: Vec<u8>) -> Result<(), Refusal> {
        Err(denied(format!("the sink {sink:?} was not granted; add it to spec.capabilities.sinks")))
    }
}
