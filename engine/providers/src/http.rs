//! Providers that answer HTTP requests: 200 allows.

mod answer;
mod question;

use bytes::Bytes;
use http_body_util::Full;
use hyper_util::{
    client::legacy::{Client, connect::HttpConnector},
    rt::{TokioExecutor, TokioTimer},
};
use tokio::time::Instant;
use weir_attributes::Bag;
use weir_policy::{Answer, Endpoint, HttpExchange};

use crate::{
    Failure,
    failure::chain,
    limits::{CONCURRENT_MAX, CONNECT_TIME, IDLE_TIME},
};

/// A pool of connections.
#[derive(Debug)]
pub(crate) struct Http {
    endpoint: Endpoint,
    exchange: HttpExchange,
    client: Client<HttpConnector, Full<Bytes>>,
}

impl Http {
    pub(crate) fn new(endpoint: &Endpoint, exchange: &HttpExchange) -> Self {
        let mut connector = HttpConnector::new();
        connector.set_nodelay(true);
        connector.set_connect_timeout(Some(CONNECT_TIME));
        let client = Client::builder(TokioExecutor::new())
            .pool_timer(TokioTimer::new())
            .pool_idle_timeout(IDLE_TIME)
            .pool_max_idle_per_host(CONCURRENT_MAX)
            .build(connector);
        Self { endpoint: endpoint.clone(), exchange: exchange.clone(), client }
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) async fn ask(&self, bag: &Bag, endpoint: &Endpoint, until: Instant) -> Result<Answer, Failure> {
        let question = question::question(bag, endpoint, &self.exchange)?;
        let answered = self.client.request(question).await;
        let response = answered.map_err(|error| Failure::Unreachable(chain(&error)))?;
        answer::answer(response, &self.exchange, until).await
    }
}
