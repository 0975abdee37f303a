//! The filter lane: proxy-wasm filters that requests go through, as they would in Envoy.
//!
//! Istio's phases: `AUTHN` and `AUTHZ` come before the check, which is authentication and authorization at once and sees what
//! they have made of the request; `STATS` and the unspecified phase come after it. Bodies go through all of them once the
//! request may pass. Responses, also our own, go back through every filter that has seen the request.

mod calls;
mod chain;
mod config;
mod convert;
mod limits;
mod metrics;
mod pump;

use std::{collections::HashMap, sync::Arc};

use http::{Method, Response, Version, request::Parts};
use hyper::body::Incoming;
use weir_attributes::slot;
use weir_listen::Workers;
use weir_proxy_wasm::{Calls, Direction, Filter, Host, Scene, Transaction, Vm};

pub(crate) use chain::Chain;
pub(crate) use limits::limits;
pub(crate) use metrics::gather;
pub(crate) use pump::Frames;

use crate::{
    Error, Options,
    body::{Content, Flow, RequestBody},
    connection::Connection,
    exchange::Exchange,
    facts,
    metrics::Counters,
    refusal,
    refusal::Refusal,
    request::{self, Admission},
    sanitize,
    upstream::{Upstream, is_grpc},
    worker::Worker,
};
use chain::Ended;
use pump::Pump;

/// The filters of one worker.
#[derive(Debug)]
pub(crate) struct Lane {
    worker: usize,
    vms: Vec<Arc<Vm>>,
    /// How many of them come before the check.
    before: usize,
    upstreams: HashMap<String, Upstream>,
    calls: Vec<(Arc<Vm>, Calls)>,
}

/// Loads and starts the filters: their shared halves, and a lane for each worker, none without filters.
pub(crate) async fn start(
    options: &Options,
    port: u16,
    workers: usize,
    counters: &Arc<Counters>,
) -> Result<(Vec<Arc<Filter>>, Vec<Lane>), Error> {
    let Some(path) = &options.filters else { return Ok((Vec::new(), Vec::new())) };
    let plan = config::read(path, port)?;
    let host = Host::new()?;
    let mut filters = Vec::new();
    for spec in plan.filters {
        let (host, name) = (host.clone(), spec.name.clone());
        let loaded = tokio::task::spawn_blocking(move || host.load(spec)).await;
        let failed =
            |error: tokio::task::JoinError| weir_proxy_wasm::Error::Compile { name, message: error.to_string() };
        filters.push(loaded.map_err(failed)??);
    }
    let mut lanes = Vec::new();
    for worker in 0..if filters.is_empty() { 0 } else { workers } {
        let (mut vms, mut calls) = (Vec::new(), Vec::new());
        for filter in &filters {
            let (vm, wanted) = Vm::start(Arc::clone(filter)).await?;
            calls.push((Arc::clone(&vm), wanted));
            vms.push(vm);
        }
        let upstream = |target: &crate::upstream::Target| Upstream::new(target.clone(), options, Arc::clone(counters));
        let upstreams = plan.upstreams.iter().map(|(name, target)| (name.clone(), upstream(target))).collect();
        lanes.push(Lane { worker, vms, before: plan.before, upstreams, calls });
    }
    Ok((filters, lanes))
}

impl Lane {
    /// Lets its filters tick and call, on the worker that it is for.
    pub(crate) fn run(mut self, workers: &Workers) -> Arc<Self> {
        let (worker, calls) = (self.worker, std::mem::take(&mut self.calls));
        let lane = Arc::new(self);
        for (vm, wanted) in calls {
            let lane = Arc::clone(&lane);
            workers.spawn(worker, move || async move {
                tokio::spawn(Arc::clone(&vm).run());
                calls::carry(lane, vm, wanted).await;
            });
        }
        lane
    }

    /// One request, sanitized and stamped, from its head to the head of its response.
    ///
    /// # Errors
    /// The refusal to answer with when no filter is to see the answer.
    pub(crate) async fn serve(
        &self,
        worker: &Worker,
        connection: &Connection,
        head: Parts,
        body: Incoming,
        version: Version,
        exchange: &mut Exchange,
    ) -> Result<Response<Content>, Refusal> {
        let grpc = is_grpc(&head);
        let facts = facts::of_request(&head, version, connection, exchange.time);
        let scene = Scene::new(convert::of_request(&head, version, connection.scheme()), facts);
        let transaction = Transaction::new(scene);
        let streams = self.vms.iter().map(|vm| vm.stream(&transaction)).collect();
        let chain = Arc::new(Chain::new(transaction, streams));
        exchange.set_chain(Arc::clone(&chain));
        let headless = head.method == Method::HEAD;
        let way = Way { lane: self, worker, connection, version, chain: &chain, grpc, headless };
        let response = match way.forth(head, body, exchange).await {
            Ok(response) => response,
            Err(Stop::Refused(refusal)) => {
                exchange.refuse(&refusal);
                refusal.answer()
            }
            Err(Stop::Ended(Ended::Respond(answer))) => {
                exchange.answered_by_filter();
                convert::local(&answer, grpc)
            }
            Err(Stop::Ended(Ended::Reset)) => return Err(refusal::FILTER_RESET),
        };
        way.back(response, exchange).await
    }
}

/// Why a request does not go on to the upstream.
enum Stop {
    Refused(Refusal),
    Ended(Ended),
}

impl From<Refusal> for Stop {
    fn from(refusal: Refusal) -> Self {
        Stop::Refused(refusal)
    }
}

impl From<Ended> for Stop {
    fn from(ended: Ended) -> Self {
        Stop::Ended(ended)
    }
}

/// One request on its way.
struct Way<'a> {
    lane: &'a Lane,
    worker: &'a Worker,
    connection: &'a Connection,
    version: Version,
    chain: &'a Arc<Chain>,
    grpc: bool,
    /// The client asked for no body.
    headless: bool,
}

impl Way<'_> {
    async fn forth(&self, mut head: Parts, body: Incoming, exchange: &mut Exchange) -> Result<Response<Content>, Stop> {
        let (before, all) = (self.lane.before, self.chain.streams.len());
        let end = http_body::Body::is_end_stream(&body);
        self.chain.request_headers(0..before, end).await?;
        self.take_over(&mut head)?;
        let admission = request::admit(self.worker, self.connection, self.version, &mut head, exchange);
        let decided = match admission.await? {
            Admission::Admitted(decided) => decided,
            Admission::Denied(response) => return Ok(response),
        };
        if decided.is_some() {
            self.chain.scene().request_headers = convert::of_request(&head, self.version, self.connection.scheme());
        }
        self.chain.request_headers(before..all, end).await?;
        self.take_over(&mut head)?;
        let body = self.body(body, exchange);
        let sent = tokio::select! {
            biased;
            ended = self.chain.interrupted() => return Err(ended.into()),
            sent = self.worker.upstream().send(head, body) => sent,
        };
        let responded = match sent {
            Ok(responded) => responded,
            // A filter that cuts the body breaks the upstream's request too: what it wanted comes first.
            Err(refusal) => match tokio::time::timeout(std::time::Duration::ZERO, self.chain.interrupted()).await {
                Ok(ended) => return Err(ended.into()),
                Err(_) => return Err(refusal.into()),
            },
        };
        {
            let facts = &mut self.chain.scene().facts;
            facts.set_text(slot::UPSTREAM_ADDRESS, &responded.served.peer.to_string());
        }
        Ok(request::answered(responded, decided.as_deref(), exchange)?)
    }

    /// Makes the head what filters have made of it, again in its one form.
    fn take_over(&self, head: &mut Parts) -> Result<(), Stop> {
        let mut scene = self.chain.scene();
        if !scene.request_headers.take_changed() {
            return Ok(());
        }
        convert::to_request(&scene.request_headers, head)?;
        drop(scene);
        sanitize::sanitize(head, self.worker.options().normalization)?;
        self.chain.scene().request_headers = convert::of_request(head, self.version, self.connection.scheme());
        Ok(())
    }

    fn body(&self, body: Incoming, exchange: &mut Exchange) -> RequestBody {
        if http_body::Body::is_end_stream(&body) || !self.chain.reads(Direction::Request) {
            let (body, flow) = RequestBody::new(body);
            exchange.set_flow(flow);
            return body;
        }
        let flow = Arc::new(Flow::default());
        exchange.set_flow(Some(Arc::clone(&flow)));
        let (pump, frames) = Pump::new(self.chain, Direction::Request, self.version != Version::HTTP_2);
        tokio::spawn(pump.run(body, Some(flow)));
        RequestBody::Filtered(frames)
    }

    async fn back(&self, response: Response<Content>, exchange: &mut Exchange) -> Result<Response<Content>, Refusal> {
        let (mut head, content) = response.into_parts();
        {
            let mut scene = self.chain.scene();
            scene.response_headers = convert::of_response(&head);
            scene.facts.set_int(slot::RESPONSE_CODE, head.status.as_u16().into());
        }
        let end = self.headless || http_body::Body::is_end_stream(&content);
        match self.chain.response_headers(end).await {
            Ok(()) => {}
            Err(Ended::Reset) => return Err(refusal::FILTER_RESET),
            // As Envoy: an answer on the way back goes to the client at once, past the other filters.
            Err(Ended::Respond(answer)) => {
                exchange.answered_by_filter();
                return Ok(convert::local(&answer, self.grpc));
            }
        }
        {
            let mut scene = self.chain.scene();
            if scene.response_headers.take_changed() {
                convert::to_response(&scene.response_headers, &mut head)?;
            }
        }
        if end || !self.chain.reads(Direction::Response) {
            return Ok(Response::from_parts(head, content));
        }
        let (pump, frames) = Pump::new(self.chain, Direction::Response, true);
        tokio::spawn(pump.run(content, None));
        Ok(Response::from_parts(head, Content::Filtered(frames)))
    }
}
