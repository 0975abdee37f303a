//! `weir.v1`: what the bundled sidecar speaks, and any other proxy may.
//!
//! An attribute is told by its number in the vocabulary. What the vocabulary calls derived is derived here and not taken
//! from the caller, but for `request.url_path`: a caller that sends it says that it forwards exactly that path. The
//! referenced set of an answer names attributes as policies know them; a caller derives those of its own request by the
//! same rules (engine/attributes/vocabulary.yaml), or does not cache.

mod read;
mod stream;
mod watch;

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    pin::Pin,
    sync::Arc,
};

use futures::Stream;
use tonic::{Request, Response, Status, Streaming};
use weir_policy::{Claim, HeaderOperation, Referenced, Side};
use weir_proto::v1::{
    self, CheckRequest, CheckResponse, ReportRequest, ReportResponse, StreamResponse, WatchRequest, WatchResponse,
    header_operation::Action, policy_server::Policy, snapshots_server::Snapshots, telemetry_server::Telemetry,
};
use weir_runtime::{Checked, Door, Runtime};

pub(crate) use stream::IN_FLIGHT_MAX;

/// How many requests one cached verdict may answer when no rule says less.
const USES: u32 = 10_000;
/// Bytes of a proxy's name.
const PROXY_MAX: usize = 256;
/// Entries of one report message.
pub(crate) const ENTRIES_MAX: usize = 10_000;

/// The door for `weir.v1`.
#[derive(Clone, Debug)]
pub(crate) struct Native {
    runtime: Arc<Runtime>,
}

impl Native {
    pub(crate) fn new(runtime: Arc<Runtime>) -> Self {
        Self { runtime }
    }

    /// Counts a frame of that door that cannot be read.
    pub(crate) fn refusing(&self, door: Door) -> impl Fn() + Send + Sync + 'static {
        let runtime = self.runtime.clone();
        move || runtime.count_frame_error(door)
    }

    /// Answers one check; an error is a message that cannot be read.
    async fn answer(&self, request: CheckRequest, door: Door) -> Result<CheckResponse, Status> {
        let proxy = proxy(&request.proxy);
        let attributes = request.attributes.unwrap_or_default();
        let unreadable = |fault: read::Fault| {
            self.runtime.count_frame_error(door);
            Status::invalid_argument(fault.to_string())
        };
        let (bag, refusal) = read::bag(&attributes, "attributes").map_err(unreadable)?;
        let checked = match refusal {
            Some(refusal) => self.runtime.refuse(bag, refusal.verdict(), door),
            None => {
                let told = Told::of(request.workload.as_ref());
                self.runtime.check(bag, &told.claim(), door, proxy).await
            }
        };
        Ok(response(request.id, &checked, &request.known_referenced))
    }
}

/// The workload as the caller told it.
struct Told<'a> {
    name: Option<&'a str>,
    namespace: Option<&'a str>,
    labels: Option<String>,
}

impl<'a> Told<'a> {
    fn of(workload: Option<&'a v1::Workload>) -> Self {
        let Some(workload) = workload else { return Self { name: None, namespace: None, labels: None } };
        // A separator inside a label would make one label look like two: such an entry is left without its value, which no
        // workload resolves.
        let entry = |(key, value): (&String, &String)| match key.contains(['=', ',']) || value.contains(',') {
            true => key.replace(['=', ','], " "),
            false => format!("{key}={value}"),
        };
        let mut labels = workload.labels.iter().map(entry).collect::<Vec<_>>();
        labels.sort_unstable();
        let some = |text: &'a str| (!text.is_empty()).then_some(text);
        Self {
            name: some(&workload.name),
            namespace: some(&workload.namespace),
            labels: (!labels.is_empty()).then(|| labels.join(",")),
        }
    }

    fn claim(&self) -> Claim<'_> {
        Claim { workload: self.name, namespace: self.namespace, labels: self.labels.as_deref(), ..Claim::default() }
    }
}

fn proxy(name: &str) -> &str {
    if name.len() <= PROXY_MAX { name } else { "" }
}

fn response(id: u64, checked: &Checked, known: &[u64]) -> CheckResponse {
    let verdict = &checked.verdict;
    let cacheable = checked.referenced.as_ref().zip(verdict.ttl);
    let of = |side| verdict.headers.iter().filter(|operation| operation.side() == side).map(header).collect();
    CheckResponse {
        id,
        decision: if verdict.is_allow() { v1::Decision::Allow } else { v1::Decision::Deny }.into(),
        status: verdict.status.into(),
        body: verdict.message.to_string(),
        decision_id: checked.id.to_string(),
        reason: verdict.reason.code.as_str().to_owned(),
        snapshot: checked.snapshot.to_string(),
        ttl_ms: cacheable.map_or(0, |(_, ttl)| ttl.as_millis().try_into().unwrap_or(u32::MAX)),
        max_uses: if cacheable.is_some() { verdict.max_uses.unwrap_or(USES) } else { 0 },
        referenced: cacheable.map(|(referenced, _)| referenced_set(referenced, known)),
        headers: of(if verdict.is_allow() { Side::Request } else { Side::Response }),
        response_headers: if verdict.is_allow() { of(Side::Response) } else { Vec::new() },
        remove_parameters: verdict.parameters.iter().map(ToString::to_string).collect(),
    }
}

/// The set by its number, and what is in it unless the caller knows. The number is a hash of the content: the same set has
/// the same number in every snapshot.
fn referenced_set(referenced: &Referenced, known: &[u64]) -> v1::Referenced {
    let mut hasher = DefaultHasher::new();
    (referenced.slots(), referenced.headers(), referenced.all_headers()).hash(&mut hasher);
    let number = hasher.finish();
    let set = (!known.contains(&number)).then(|| v1::ReferencedSet {
        attributes: referenced.slots().iter().map(|slot| slot.attribute().wire).collect(),
        headers: referenced.headers().iter().map(ToString::to_string).collect(),
        all_headers: referenced.all_headers(),
    });
    v1::Referenced { number, set }
}

fn header(operation: &HeaderOperation) -> v1::HeaderOperation {
    let (action, name, value) = match operation {
        HeaderOperation::Set(_, name, value) => (Action::Set, name, Some(value)),
        HeaderOperation::Append(_, name, value) => (Action::Append, name, Some(value)),
        HeaderOperation::Remove(_, name) => (Action::Remove, name, None),
    };
    v1::HeaderOperation {
        action: action.into(),
        name: name.to_string(),
        value: value.map(|value| value.as_str().as_bytes().to_vec()).unwrap_or_default(),
    }
}

#[tonic::async_trait]
impl Policy for Native {
    type CheckStreamStream = Pin<Box<dyn Stream<Item = Result<StreamResponse, Status>> + Send>>;

    async fn check(&self, request: Request<CheckRequest>) -> Result<Response<CheckResponse>, Status> {
        self.answer(request.into_inner(), Door::Native).await.map(Response::new)
    }

    async fn check_stream(
        &self,
        request: Request<Streaming<CheckRequest>>,
    ) -> Result<Response<Self::CheckStreamStream>, Status> {
        Ok(Response::new(Box::pin(stream::answers(self.clone(), request.into_inner()))))
    }
}

#[tonic::async_trait]
impl Snapshots for Native {
    type WatchStream = Pin<Box<dyn Stream<Item = Result<WatchResponse, Status>> + Send>>;

    async fn watch(&self, request: Request<Streaming<WatchRequest>>) -> Result<Response<Self::WatchStream>, Status> {
        Ok(Response::new(Box::pin(watch::answers(self.clone(), request.into_inner()))))
    }
}

#[tonic::async_trait]
impl Telemetry for Native {
    async fn report(&self, request: Request<Streaming<ReportRequest>>) -> Result<Response<ReportResponse>, Status> {
        let mut inbound = request.into_inner();
        let mut total = ReportResponse::default();
        while let Some(message) = inbound.message().await? {
            if message.entries.len() > ENTRIES_MAX {
                let count = message.entries.len();
                return Err(Status::invalid_argument(format!(
                    "entries: {count}; send at most {ENTRIES_MAX} in a message"
                )));
            }
            let bags = message.entries.iter().enumerate().map(|(index, entry)| {
                // A line that no header may have is left out by the reader; the entry is kept.
                read::bag(entry, &format!("entries[{index}]")).map(|(bag, _)| bag)
            });
            let bags =
                bags.collect::<Result<Vec<_>, _>>().map_err(|fault| Status::invalid_argument(fault.to_string()))?;
            let told = Told::of(message.workload.as_ref());
            let accepted = self.runtime.report(proxy(&message.proxy), &told.claim(), bags);
            total.accepted += accepted.accepted;
            total.lost += accepted.lost;
        }
        Ok(Response::new(total))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn a_referenced_set_is_left_out_only_for_a_caller_that_knows_its_number() {
        let set = Referenced::default();
        let first = referenced_set(&set, &[]);
        let again = referenced_set(&set, &[first.number]);
        assert_eq!(first.number, again.number);
        assert!(first.set.is_some());
        assert!(again.set.is_none());
        assert!(referenced_set(&set, &[first.number ^ 1]).set.is_some());
    }

    #[test]
    fn labels_become_the_claim_that_ext_authz_would_send() {
        let workload = v1::Workload {
            namespace: "shop".to_owned(),
            labels: [("b", "2"), ("a", "1")].map(|(key, value)| (key.to_owned(), value.to_owned())).into(),
            ..v1::Workload::default()
        };
        let told = Told::of(Some(&workload));
        assert_eq!((told.claim().workload, told.claim().namespace), (None, Some("shop")));
        assert_eq!(told.claim().labels, Some("a=1,b=2"));
        let forged = v1::Workload { labels: [("a".to_owned(), "1,app=admin".to_owned())].into(), ..workload };
        assert_eq!(Told::of(Some(&forged)).claim().labels, Some("a"), "no workload has an entry without a value");
    }
}
