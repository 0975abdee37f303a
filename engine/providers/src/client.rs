//! One provider, ready to be asked.

use std::sync::Arc;

use tokio::time::{Instant, timeout_at};
use weir_attributes::Bag;
use weir_policy::{Answer, Endpoint, Provider, Text, Transport};

use crate::{Failure, failure::chain, gate::Gate, grpc::Grpc, http::Http};

/// A provider and its connections. Nothing is connected before the first question.
#[derive(Debug)]
pub struct Client {
    provider: Arc<Provider>,
    gate: Gate,
    wire: Wire,
}

#[derive(Debug)]
enum Wire {
    Grpc(Box<Grpc>),
    Http(Box<Http>),
}

impl Client {
    /// A client for that provider; none for an adapter, which is not asked over the network. Must be called on a tokio
    /// runtime, which then carries the connections.
    ///
    /// # Errors
    /// When service and port make no address.
    pub fn new(provider: Arc<Provider>) -> Result<Option<Self>, Failure> {
        let wire = match &provider.transport {
            Transport::Grpc(endpoint) => {
                Wire::Grpc(Box::new(Grpc::new(endpoint).map_err(|error| Failure::Unreachable(chain(&error)))?))
            }
            Transport::Http(endpoint, exchange) => Wire::Http(Http::new(endpoint, exchange).into()),
            Transport::Adapter(_) => return Ok(None),
        };
        Ok(Some(Self { provider, gate: Gate::default(), wire }))
    }

    /// The provider.
    #[must_use]
    pub fn provider(&self) -> &Arc<Provider> {
        &self.provider
    }

    /// Asks about the request in `bag`, as it stands there: every header line is told. Ends at the latest at `deadline`,
    /// and sooner by the provider's own timeout.
    ///
    /// # Errors
    /// When there is no answer; whether the request may then pass is [`Provider::fail_open`].
    pub async fn ask(&self, bag: &Bag, deadline: Instant) -> Result<Answer, Failure> {
        let endpoint = self.endpoint();
        let until = endpoint.timeout.map_or(deadline, |timeout| deadline.min(Instant::now() + timeout));
        if let Some(refusal) = too_long(endpoint, bag) {
            return Ok(refusal);
        }
        let _place = self.gate.enter(until).await?;
        let answer = async {
            match &self.wire {
                Wire::Grpc(grpc) => grpc.ask(bag, endpoint, until).await,
                Wire::Http(http) => http.ask(bag, endpoint, until).await,
            }
        };
        timeout_at(until, answer).await.unwrap_or(Err(Failure::Late))
    }

    fn endpoint(&self) -> &Endpoint {
        match &self.wire {
            Wire::Grpc(grpc) => grpc.endpoint(),
            Wire::Http(http) => http.endpoint(),
        }
    }
}

/// The denial of a request whose body is longer than its provider may be sent: 413, as Envoy answers.
fn too_long(endpoint: &Endpoint, bag: &Bag) -> Option<Answer> {
    let limit = endpoint.body.filter(|limit| !limit.partial)?;
    let longer = bag.body().is_some_and(|body| body.len() > limit.max);
    let message = Some(Text::Static("payload too large"));
    longer.then(|| Answer::Deny { status: 413, message, ttl: None, max_uses: None, headers: Vec::new() })
}

/// What of the request's body is sent, and whether that is only its beginning; none when nothing is.
pub(crate) fn body<'b>(endpoint: &Endpoint, bag: &'b Bag) -> Option<(&'b [u8], bool)> {
    let limit = endpoint.body?;
    let body = bag.body()?;
    Some((body.get(..limit.max).unwrap_or(body), body.len() > limit.max))
}

/// The header by which Envoy says whether the body is only a beginning.
pub(crate) const PARTIAL_BODY: &str = "x-envoy-auth-partial-body";
