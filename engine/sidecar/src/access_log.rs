//! The access log: one line for each request, in Istio's default format or with Istio's JSON keys, written by a thread
//! of its own.
//!
//! The path stands without its query, which may hold secrets; no other part of a head that may hold one is written.

mod json;
mod text;

use std::{sync::Arc, time::Duration};

use http::{HeaderName, HeaderValue, header, request, uri::PathAndQuery};
use weir_telemetry::{Render, Weigh};

use crate::{
    connection::Connection,
    exchange::{Decided, Served},
    options::LogFormat,
    trace::Trace,
};

/// What one line tells.
#[derive(Debug)]
pub(crate) struct Line {
    pub(crate) time: i64,
    method: http::Method,
    target: Option<PathAndQuery>,
    pub(crate) protocol: &'static str,
    pub(crate) code: u16,
    pub(crate) flag: &'static str,
    pub(crate) details: &'static str,
    pub(crate) received: u64,
    pub(crate) sent: u64,
    pub(crate) took: Duration,
    pub(crate) served: Option<Served>,
    pub(crate) decided: Option<Decided>,
    pub(crate) trace: Option<Trace>,
    forwarded_for: Option<HeaderValue>,
    user_agent: Option<HeaderValue>,
    request_id: Option<HeaderValue>,
    authority: Option<HeaderValue>,
    connection: Arc<Connection>,
}

impl Line {
    /// What the head of a request tells. Header values are shared with it, not copied.
    pub(crate) fn read(head: &request::Parts, connection: Arc<Connection>) -> Self {
        let value = |name: &HeaderName| head.headers.get(name).cloned();
        Self {
            time: 0,
            method: head.method.clone(),
            target: head.uri.path_and_query().cloned(),
            protocol: "",
            code: 0,
            flag: "",
            details: "",
            received: 0,
            sent: 0,
            took: Duration::ZERO,
            served: None,
            decided: None,
            trace: None,
            forwarded_for: value(&HeaderName::from_static("x-forwarded-for")),
            user_agent: value(&header::USER_AGENT),
            request_id: value(&HeaderName::from_static("x-request-id")),
            authority: value(&header::HOST),
            connection,
        }
    }

    fn path(&self) -> &str {
        self.target.as_ref().map_or("", PathAndQuery::path)
    }

    fn start(&self) -> String {
        chrono::DateTime::from_timestamp_nanos(self.time).to_rfc3339_opts(chrono::SecondsFormat::Millis, true)
    }

    fn server_name(&self) -> Option<&str> {
        self.connection.tls.as_ref()?.sni.as_deref()
    }
}

/// A header value as text; what is not UTF-8 was refused before, unless the head was refused as a whole.
fn text_of(value: Option<&HeaderValue>) -> Option<std::borrow::Cow<'_, str>> {
    value.map(|value| String::from_utf8_lossy(value.as_bytes()))
}

impl Weigh for Box<Line> {
    fn weight(&self) -> usize {
        let values = [&self.forwarded_for, &self.user_agent, &self.request_id, &self.authority];
        let target = self.target.as_ref().map_or(0, |target| target.as_str().len());
        size_of::<Line>() + target + values.into_iter().flatten().map(HeaderValue::len).sum::<usize>()
    }
}

/// What a line looks like.
#[derive(Debug)]
pub(crate) struct Format {
    form: LogFormat,
    /// The upstream by Istio's name for it.
    cluster: String,
}

impl Format {
    pub(crate) fn new(form: LogFormat, upstream_port: u16) -> Self {
        Self { form, cluster: format!("inbound|{upstream_port}||") }
    }
}

impl Render<Box<Line>> for Format {
    fn render(&mut self, line: &Box<Line>, buffer: &mut Vec<u8>) {
        match self.form {
            LogFormat::Text => text::render(line, &self.cluster, buffer),
            LogFormat::Json => json::render(line, &self.cluster, buffer),
        }
    }
}

#[cfg(test)]
mod tests;
