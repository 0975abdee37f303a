//! Requests to named upstreams.

use crate::contract::v1::weir::plugin::http_out::{self, Response};
use crate::contract::v1::weir::plugin::types::Refusal;
use crate::guest::Guest;
use crate::services::denied;

impl http_out::Host for Guest {
    async fn send(&mut self, request: http_out::Request) -> Result<Response, Refusal> {
        let upstream = request.upstream;
        Err(denied(format!("the upstream {upstream:?} was not granted; add it to spec.capabilities.httpOut")))
    }
}
