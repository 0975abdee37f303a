//! Requests to named upstreams.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use http_body_util::Full;
use tokio::time::{Instant, timeout_at};
use weir_attributes::is_framing;
use weir_wasm::Rate;

use crate::client::HttpClient;
use crate::contract::v1::weir::plugin::http_out::{self, Response};
use crate::contract::v1::weir::plugin::types::{Refusal, RefusalCode};
use crate::guest::Guest;
use crate::services::{denied, invalid, limited};
use crate::{HTTP_BODY_MAX, HTTP_HEADERS_MAX, Upstream as Granted};

/// An upstream that was asked for and granted.
#[derive(Debug)]
pub(crate) struct Upstream {
    granted: Granted,
    rate: Rate,
    client: HttpClient,
}

impl Upstream {
    pub(crate) fn new(granted: &Granted, client: &HttpClient) -> Upstream {
        Upstream { granted: granted.clone(), rate: Rate::new(granted.per_second), client: client.clone() }
    }

    fn request(&self, asked: http_out::Request) -> Result<http::Request<Full<Bytes>>, Refusal> {
        if asked.headers.len() > HTTP_HEADERS_MAX || asked.body.len() > HTTP_BODY_MAX {
            let text = format!("a request has at most {HTTP_HEADERS_MAX} headers and {HTTP_BODY_MAX} bytes of body");
            return Err(limited(text));
        }
        if !asked.path.starts_with('/') {
            return Err(invalid("the path must begin with /"));
        }
        let uri = format!("{}{}", self.granted.url.trim_end_matches('/'), asked.path);
        let mut request = http::Request::builder().method(asked.method.as_str()).uri(uri);
        for (name, value) in &asked.headers {
            let lower = name.to_ascii_lowercase();
            if is_framing(&lower) || lower == "host" {
                return Err(invalid(format!("the header {name} frames the message and cannot be set")));
            }
            request = request.header(name, value);
        }
        // The path begins with `/`, so it ends whatever host the URL names: a plugin cannot choose another.
        request.body(Full::new(Bytes::from(asked.body))).map_err(|e| invalid(e.to_string()))
    }

    async fn send(&self, asked: http_out::Request, deadline: Instant) -> Result<Response, Refusal> {
        let own = asked.timeout_ms.map_or(self.granted.timeout, |ms| Duration::from_millis(ms.into()));
        let until = deadline.min(Instant::now() + own.min(self.granted.timeout));
        let request = self.request(asked)?;
        if !self.rate.take() {
            return Err(limited(format!("more than {} requests in this second", self.granted.per_second)));
        }
        let failed = |code, message: String| Refusal { code, message };
        let answered = timeout_at(until, self.client.ask(request, HTTP_BODY_MAX)).await;
        let answered = answered.map_err(|_| failed(RefusalCode::Timeout, "no answer in time".into()))?;
        let answer = answered.map_err(|e| failed(RefusalCode::Unavailable, e.to_string()))?;
        let headers = answer.headers().iter().take(HTTP_HEADERS_MAX);
        let text = |value: &http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
        Ok(Response {
            status: answer.status().as_u16(),
            headers: headers.map(|(name, value)| (name.as_str().to_owned(), text(value))).collect(),
            body: answer.into_body().to_vec(),
        })
    }
}

impl http_out::Host for Guest {
    async fn send(&mut self, request: http_out::Request) -> Result<Response, Refusal> {
        let name = &request.upstream;
        let Some(upstream) = self.services.upstreams.get(&**name).map(Arc::clone) else {
            return Err(denied(format!("the manifest does not list {name:?} under [capabilities] http-out")));
        };
        upstream.send(request, self.deadline).await
    }
}
