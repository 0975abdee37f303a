//! One request and its response, from the head to the last byte. When it is dropped, however it ended, it is counted,
//! reported and logged: there is one entry for each request.

use std::{
    net::SocketAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use http::{HeaderMap, Method, Version, header, request, response};
use weir_attributes::{Bag, slot};

use crate::{
    access_log::Line, body::Flow, connection::Connection, facts, filters::Chain, refusal::Refusal, trace::Trace,
    upstream::Returning, worker::Worker,
};

/// The decision as reports and the access log tell it.
#[derive(Clone, Debug)]
pub(crate) struct Decided {
    pub(crate) decision: &'static str,
    pub(crate) id: Arc<str>,
    pub(crate) reason: Arc<str>,
    pub(crate) cached: bool,
}

/// Who served it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Served {
    pub(crate) peer: SocketAddr,
    pub(crate) local: SocketAddr,
    pub(crate) latency: Duration,
}

/// One request and its response.
#[derive(Debug)]
pub(crate) struct Exchange {
    worker: Arc<Worker>,
    connection: Arc<Connection>,
    began: Instant,
    /// When it began, in nanoseconds since 1970.
    pub(crate) time: i64,
    method: Method,
    version: Version,
    bag: Option<Bag>,
    line: Option<Box<Line>>,
    flow: Option<Arc<Flow>>,
    code: u16,
    flag: &'static str,
    details: &'static str,
    head_bytes: u64,
    body_bytes: u64,
    complete: bool,
    decided: Option<Decided>,
    trace: Option<Trace>,
    served: Option<Served>,
    grpc_status: Option<i64>,
    returning: Option<Returning>,
    chain: Option<Arc<Chain>>,
}

impl Exchange {
    /// A request's head is here.
    pub(crate) fn begin(worker: Arc<Worker>, connection: Arc<Connection>, method: Method, version: Version) -> Self {
        connection.pulse.begin();
        let time = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        Self {
            worker,
            connection,
            began: Instant::now(),
            time: i64::try_from(time.as_nanos()).unwrap_or(i64::MAX),
            method,
            version,
            bag: None,
            line: None,
            flow: None,
            code: 0,
            flag: "",
            details: "",
            head_bytes: 0,
            body_bytes: 0,
            complete: false,
            decided: None,
            trace: None,
            served: None,
            grpc_status: None,
            returning: None,
            chain: None,
        }
    }

    /// Takes from the head what the access log will want. A refused head is logged as it came.
    pub(crate) fn read_line(&mut self, head: &request::Parts) {
        if self.worker.logs_access() {
            self.line = Some(Box::new(Line::read(head, Arc::clone(&self.connection))));
        }
    }

    pub(crate) fn set_trace(&mut self, trace: Trace) {
        self.trace = Some(trace);
    }

    pub(crate) fn set_bag(&mut self, bag: Bag) {
        self.bag = Some(bag);
    }

    pub(crate) fn bag(&self) -> Option<&Bag> {
        self.bag.as_ref()
    }

    /// It goes through filters, which are told of its end.
    pub(crate) fn set_chain(&mut self, chain: Arc<Chain>) {
        self.chain = Some(chain);
    }

    /// A filter answers it.
    pub(crate) fn answered_by_filter(&mut self) {
        self.details = "filter_response";
    }

    pub(crate) fn set_flow(&mut self, flow: Option<Arc<Flow>>) {
        self.flow = flow;
    }

    pub(crate) fn set_decided(&mut self, decided: Decided) {
        self.decided = Some(decided);
    }

    /// The upstream's response is here; its connection goes back to the pool when the body is done.
    pub(crate) fn set_served(&mut self, served: Served, returning: Option<Returning>) {
        self.served = Some(served);
        self.returning = returning;
        self.details = "via_upstream";
    }

    /// The sidecar answers itself.
    pub(crate) fn refuse(&mut self, refusal: &Refusal) {
        self.worker.counters().refused(refusal);
        (self.flag, self.details) = (refusal.flag, refusal.reason);
    }

    /// The engine denied it.
    pub(crate) fn denied(&mut self) {
        (self.flag, self.details) = ("UAEX", "ext_authz_denied");
    }

    /// The head of the response to the client, as it will be sent.
    pub(crate) fn respond(&mut self, head: &response::Parts) {
        self.code = head.status.as_u16();
        self.head_bytes = head_bytes(&head.headers);
        self.grpc_status = grpc_status(&head.headers);
        self.complete = self.method == Method::HEAD;
        if let Some(bag) = &mut self.bag {
            for (name, value) in &head.headers {
                bag.add_response_header(name.as_str(), &String::from_utf8_lossy(value.as_bytes()));
            }
        }
    }

    pub(crate) fn sent(&mut self, bytes: usize) {
        self.body_bytes += bytes as u64;
    }

    pub(crate) fn saw_trailers(&mut self, trailers: &HeaderMap) {
        self.grpc_status = grpc_status(trailers).or(self.grpc_status);
    }

    pub(crate) fn all_sent(&mut self) {
        self.complete = true;
    }

    /// The upstream broke off in the middle of the body.
    pub(crate) fn upstream_broke(&mut self) {
        (self.flag, self.details) = ("UPE", "upstream_reset_after_response_started");
        self.returning = None;
    }

    fn report(&mut self, took: Duration) {
        let (Some(mut bag), Some(reports)) = (self.bag.take(), self.worker.reports()) else { return };
        self.complete(&mut bag, took);
        reports.push(bag);
    }

    /// Adds to a bag of the request what is known at its end.
    fn complete(&self, bag: &mut Bag, took: Duration) {
        let texts = [(slot::RESPONSE_FLAGS, self.flag), (slot::RESPONSE_CODE_DETAILS, self.details)];
        for (slot, text) in texts.into_iter().filter(|(_, text)| !text.is_empty()) {
            bag.set_static(slot, text);
        }
        let received = self.flow.as_ref().map_or(0, |flow| flow.bytes());
        let head: usize = bag.headers().iter().map(|(name, value)| name.len() + value.len() + 4).sum();
        if self.code > 0 {
            bag.set_int(slot::RESPONSE_CODE, self.code.into());
        }
        bag.set_int(slot::REQUEST_SIZE, signed(received));
        bag.set_int(slot::REQUEST_TOTAL_SIZE, signed(received + head as u64));
        bag.set_int(slot::REQUEST_DURATION, nanoseconds(took));
        bag.set_int(slot::RESPONSE_SIZE, signed(self.body_bytes));
        bag.set_int(slot::RESPONSE_TOTAL_SIZE, signed(self.body_bytes + self.head_bytes));
        if let Some(status) = self.grpc_status {
            bag.set_int(slot::RESPONSE_GRPC_STATUS, status);
        }
        if let Some(served) = &self.served {
            bag.set_int(slot::RESPONSE_BACKEND_LATENCY, nanoseconds(served.latency));
            bag.set_text(slot::UPSTREAM_ADDRESS, &served.peer.to_string());
        }
        bag.set_static(slot::CONTEXT_REPORTER, "destination");
        if let Some(decided) = &self.decided {
            bag.set_static(slot::CHECK_DECISION, decided.decision);
            bag.set_shared(slot::CHECK_ID, Arc::clone(&decided.id));
            bag.set_shared(slot::CHECK_REASON, Arc::clone(&decided.reason));
            bag.set_bool(slot::CHECK_CACHED, decided.cached);
        }
        if let Some(trace) = &self.trace {
            bag.set_text(slot::TRACE_ID, trace.id());
            bag.set_text(slot::TRACE_SPAN_ID, trace.span());
            if let Some(parent) = trace.parent() {
                bag.set_text(slot::TRACE_PARENT_ID, parent);
            }
        }
    }

    fn end_chain(&mut self, took: Duration) {
        let Some(chain) = self.chain.take() else { return };
        self.complete(&mut chain.scene().facts, took);
        chain.end();
    }

    fn log(&mut self, took: Duration) {
        let Some(mut line) = self.line.take() else { return };
        line.time = self.time;
        line.protocol = facts::protocol(self.version);
        (line.code, line.flag, line.details) = (self.code, self.flag, self.details);
        (line.received, line.sent) = (self.flow.as_ref().map_or(0, |flow| flow.bytes()), self.body_bytes);
        (line.took, line.served) = (took, self.served);
        line.decided = self.decided.take();
        line.trace = self.trace;
        self.worker.log_access(line);
    }
}

impl Drop for Exchange {
    fn drop(&mut self) {
        let took = self.began.elapsed();
        if !self.complete && self.flag.is_empty() {
            (self.flag, self.details) = ("DC", "downstream_remote_disconnect");
        }
        // A connection whose request or response did not end cannot carry another one.
        let whole = self.complete && self.flow.as_ref().is_none_or(|flow| flow.is_done());
        if let Some(returning) = self.returning.take().filter(|_| whole) {
            self.worker.upstream().put_back(returning);
        }
        self.worker.counters().request(self.code, took);
        self.end_chain(took);
        self.report(took);
        self.log(took);
        self.connection.pulse.end();
    }
}

fn head_bytes(headers: &HeaderMap) -> u64 {
    headers.iter().map(|(name, value)| name.as_str().len() + value.len() + 4).sum::<usize>() as u64
}

fn grpc_status(headers: &HeaderMap) -> Option<i64> {
    headers.get(header::HeaderName::from_static("grpc-status"))?.to_str().ok()?.parse().ok()
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn nanoseconds(duration: Duration) -> i64 {
    i64::try_from(duration.as_nanos()).unwrap_or(i64::MAX)
}
