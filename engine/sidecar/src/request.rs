//! One request from its head to the head of its response.

use std::{sync::Arc, time::Instant};

use http::{HeaderValue, Method, Request, Response, Version, request::Parts};
use hyper::body::Incoming;

use crate::{
    body::{Content, RequestBody, ResponseBody},
    check_hook::{Checked, Trouble},
    connection::Connection,
    exchange::{Decided, Exchange},
    facts, forwarded,
    metrics::Source,
    refusal,
    refusal::Refusal,
    sanitize,
    trace::Trace,
    upstream::Responded,
    wire::Verdict,
    worker::Worker,
};

const DECISION_ID: &str = "x-weir-decision-id";

/// A filter broke the request off: the client gets no answer.
#[derive(Debug, thiserror::Error)]
#[error("a filter broke the request off")]
pub(crate) struct BrokenOff;

/// Answers one request; an exchange writes down how it ended, even when the client leaves while we wait.
pub(crate) async fn handle(
    worker: Arc<Worker>,
    connection: Arc<Connection>,
    request: Request<Incoming>,
) -> Result<Response<ResponseBody>, BrokenOff> {
    let (method, version) = (request.method().clone(), request.version());
    // HTTP/1.1 leaves the body of an answer to HEAD out by itself, HTTP/2 would send it.
    let headless = method == Method::HEAD && version == Version::HTTP_2;
    let mut exchange = Exchange::begin(Arc::clone(&worker), Arc::clone(&connection), method, version);
    let response = match serve(&worker, &connection, request, &mut exchange).await {
        Ok(response) => response,
        Err(refusal) => {
            exchange.refuse(&refusal);
            if refusal == refusal::FILTER_RESET {
                return Err(BrokenOff);
            }
            refusal.answer()
        }
    };
    let (mut head, mut content) = response.into_parts();
    if headless {
        content.omit(&mut head.headers);
    }
    exchange.respond(&head);
    Ok(Response::from_parts(head, ResponseBody::new(content, exchange)))
}

async fn serve(
    worker: &Worker,
    connection: &Connection,
    request: Request<Incoming>,
    exchange: &mut Exchange,
) -> Result<Response<Content>, Refusal> {
    let version = request.version();
    let (mut head, body) = request.into_parts();
    if let Err(refusal) = sanitize::sanitize(&mut head, worker.options().normalization) {
        exchange.read_line(&head);
        return Err(refusal);
    }
    forwarded::stamp(&mut head.headers, connection);
    exchange.set_trace(Trace::stamp(&mut head.headers));
    exchange.read_line(&head);
    if let Some(lane) = worker.lane() {
        return lane.serve(worker, connection, head, body, version, exchange).await;
    }
    let decided = match admit(worker, connection, version, &mut head, exchange).await? {
        Admission::Admitted(decided) => decided,
        Admission::Denied(response) => return Ok(response),
    };
    let (body, flow) = RequestBody::new(body);
    exchange.set_flow(flow);
    let responded = worker.upstream().send(head, body).await?;
    answered(responded, decided.as_deref(), exchange)
}

/// What the check makes of a request.
pub(crate) enum Admission {
    /// It goes on, its head as the verdict wants it; without a verdict nobody is asked, or nobody could say and that means
    /// yes.
    Admitted(Option<Arc<Verdict>>),
    /// This is the answer.
    Denied(Response<Content>),
}

/// Checks a request, where requests are checked.
pub(crate) async fn admit(
    worker: &Worker,
    connection: &Connection,
    version: Version,
    head: &mut Parts,
    exchange: &mut Exchange,
) -> Result<Admission, Refusal> {
    if !worker.is_checked() {
        return Ok(Admission::Admitted(None));
    }
    exchange.set_bag(facts::of_request(head, version, connection, exchange.time));
    let decided = check(worker, exchange).await?;
    match &decided {
        Some(verdict) if verdict.allow => verdict.admit(head).ok_or(refusal::ENGINE_ANSWER)?,
        Some(verdict) => {
            exchange.denied();
            return Ok(Admission::Denied(denied(verdict)));
        }
        None => {}
    }
    Ok(Admission::Admitted(decided))
}

/// The upstream's response as the client gets it.
pub(crate) fn answered(
    responded: Responded,
    decided: Option<&Verdict>,
    exchange: &mut Exchange,
) -> Result<Response<Content>, Refusal> {
    let Responded { response, served, returning } = responded;
    exchange.set_served(served, returning);
    let mut response = pass_on(response)?;
    if let Some(verdict) = decided {
        verdict.respond(response.headers_mut());
    }
    Ok(response)
}

/// Asks whether the request may pass; none when nobody could say and that means yes.
async fn check(worker: &Worker, exchange: &mut Exchange) -> Result<Option<Arc<Verdict>>, Refusal> {
    let began = Instant::now();
    let checked = match (worker.check(), exchange.bag()) {
        (Some(hook), Some(bag)) => hook.check(bag).await,
        _ => Checked::Undecided(Trouble::Unreachable),
    };
    let counters = worker.counters();
    match checked {
        Checked::Decided { verdict, cached } => {
            let (decision, source) = match (verdict.allow, cached) {
                (true, false) => ("allow", Source::AllowedByEngine),
                (true, true) => ("allow", Source::AllowedByCache),
                (false, false) => ("deny", Source::DeniedByEngine),
                (false, true) => ("deny", Source::DeniedByCache),
            };
            counters.checked(source, began.elapsed());
            let (id, reason) = (Arc::clone(&verdict.id), Arc::clone(&verdict.reason));
            exchange.set_decided(Decided { decision, id, reason, cached });
            Ok(Some(verdict))
        }
        Checked::Undecided(trouble) => {
            counters.trouble(trouble);
            let reason = trouble.as_str().into();
            exchange.set_decided(Decided { decision: "error", id: "".into(), reason, cached: false });
            if worker.options().fail_open {
                counters.checked(Source::FailedOpen, began.elapsed());
                return Ok(None);
            }
            counters.checked(Source::Failed, began.elapsed());
            Err(match trouble {
                Trouble::Unreadable => refusal::ENGINE_ANSWER,
                _ => refusal::ENGINE_UNAVAILABLE,
            })
        }
    }
}

/// The answer to a request that the engine denied: the engine's words, and the id to find its reasons by.
fn denied(verdict: &Verdict) -> Response<Content> {
    let mut response = refusal::text(verdict.status, verdict.body.clone());
    verdict.refuse(response.headers_mut());
    if let Ok(id) = HeaderValue::try_from(&*verdict.id) {
        response.headers_mut().insert(DECISION_ID, id);
    }
    response
}

/// The upstream's response, without what was for one hop.
fn pass_on(response: Response<Incoming>) -> Result<Response<Content>, Refusal> {
    let (mut head, body) = response.into_parts();
    // We asked for no upgrade, so there is nothing to switch to.
    if head.status.is_informational() {
        return Err(refusal::UPSTREAM_PROTOCOL);
    }
    sanitize::sanitize_response(&mut head.headers);
    head.version = http::Version::HTTP_11;
    Ok(Response::from_parts(head, Content::Upstream(body)))
}
