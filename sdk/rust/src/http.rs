//! Requests to the operator's upstreams. Needs `http-out = ["NAME"]` under `[capabilities]`.

use std::time::Duration;

use crate::Refusal;
use crate::bindings::life::weir::plugin::http_out as host;

/// An answer.
pub use crate::bindings::life::weir::plugin::http_out::Response;

/// A request on its way to an upstream.
#[derive(Clone, Debug)]
pub struct Request(host::Request);

impl Request {
    /// `path` begins with `/` and is appended to the path of the upstream's URL.
    pub fn new(method: &str, upstream: &str, path: impl Into<String>) -> Request {
        Request(host::Request {
            upstream: upstream.to_owned(),
            method: method.to_owned(),
            path: path.into(),
            headers: Vec::new(),
            body: Vec::new(),
            timeout_ms: None,
        })
    }

    /// A GET.
    pub fn get(upstream: &str, path: impl Into<String>) -> Request {
        Request::new("GET", upstream, path)
    }

    /// A POST with that body.
    pub fn post(upstream: &str, path: impl Into<String>, body: impl Into<Vec<u8>>) -> Request {
        let mut request = Request::new("POST", upstream, path);
        request.0.body = body.into();
        request
    }

    /// Adds a header.
    pub fn header(mut self, name: &str, value: &str) -> Request {
        self.0.headers.push((name.to_owned(), value.to_owned()));
        self
    }

    /// Ends it sooner than the upstream's own limit and the call's deadline.
    pub fn timeout(mut self, time: Duration) -> Request {
        self.0.timeout_ms = Some(crate::kv::millis(time));
        self
    }

    /// Sends it and waits for the answer, whatever its status.
    ///
    /// # Errors
    /// The upstream is not granted, does not answer, or not in time.
    pub fn send(self) -> Result<Response, Refusal> {
        host::send(&self.0)
    }
}

impl Response {
    /// The first header of that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| value.as_str())
    }

    /// The body as text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
}
