//! Providers that speak `envoy.service.auth.v3.Authorization`.

mod answer;
mod question;

use envoy_types::pb::envoy::service::auth::v3::authorization_client::AuthorizationClient;
use tokio::time::Instant;
use tonic::{
    Code, Request, Status,
    transport::{Channel, Endpoint as Target, Error},
};
use weir_attributes::Bag;
use weir_policy::{Answer, Endpoint};

use crate::{
    Failure,
    failure::chain,
    limits::{ANSWER_MAX, CONNECT_TIME, IDLE_TIME},
};

/// One connection that all questions share; it is opened by the first, and again after it broke.
#[derive(Debug)]
pub(crate) struct Grpc {
    endpoint: Endpoint,
    client: AuthorizationClient<Channel>,
}

impl Grpc {
    pub(crate) fn new(endpoint: &Endpoint) -> Result<Self, Error> {
        let target = Target::from_shared(format!("http://{}:{}", endpoint.host, endpoint.port))?;
        let channel = target
            .connect_timeout(CONNECT_TIME)
            .tcp_nodelay(true)
            .http2_keep_alive_interval(IDLE_TIME / 2)
            .keep_alive_timeout(CONNECT_TIME)
            .connect_lazy();
        let client = AuthorizationClient::new(channel).max_decoding_message_size(ANSWER_MAX);
        Ok(Self { endpoint: endpoint.clone(), client })
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) async fn ask(&self, bag: &Bag, endpoint: &Endpoint, until: Instant) -> Result<Answer, Failure> {
        let mut question = Request::new(question::question(bag, endpoint));
        question.set_timeout(until.saturating_duration_since(Instant::now()));
        let answered = self.client.clone().check(question).await;
        answer::answer(answered.map_err(|status| failure(&status))?.into_inner(), bag)
    }
}

fn failure(status: &Status) -> Failure {
    match status.code() {
        Code::DeadlineExceeded | Code::Cancelled => Failure::Late,
        Code::Unavailable => Failure::Unreachable(chain(status)),
        code => Failure::Error(format!("{code:?}: {}", status.message())),
    }
}
