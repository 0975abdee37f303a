//! What tests are given: documents as users write them, and requests as doors tell them.

use serde::de::DeserializeOwned;
use serde_json::{Value as Json, json};
use weir_attributes::{Bag, Builder, Slot, Struct, slot};
use weir_policy::{
    Answer, Ask, Document, Documents, Evaluation, Keys, PolicySet, Problem, Step, Verdict, WorkloadIdentity,
    authenticated, compile, compile_after, document::AdapterBinding, prepare,
};

use crate::issuer::NOW;

/// Documents, collected.
#[derive(Clone, Debug, Default)]
pub(crate) struct Given {
    pub(crate) documents: Documents,
    count: usize,
}

/// A digest that differs where resources do: enough for tests.
fn digest(resource: &Json) -> [u8; 32] {
    use std::hash::{DefaultHasher, Hash as _, Hasher as _};
    let mut digest = [0; 32];
    for (at, part) in digest.chunks_mut(8).enumerate() {
        let mut hasher = DefaultHasher::new();
        (at, resource.to_string()).hash(&mut hasher);
        part.copy_from_slice(&hasher.finish().to_le_bytes());
    }
    digest
}

type Outcome = Result<(PolicySet, Vec<Problem>), Vec<Problem>>;

impl Given {
    fn document<T: DeserializeOwned>(&mut self, resource: &Json) -> Result<Document<T>, serde_json::Error> {
        let metadata = &resource["metadata"];
        let text = |value: &Json, default: &str| value.as_str().unwrap_or(default).to_owned();
        let spec = if resource["spec"].is_null() { json!({}) } else { resource["spec"].clone() };
        self.count += 1;
        Ok(Document {
            id: self.count - 1,
            name: text(&metadata["name"], "unnamed"),
            namespace: text(&metadata["namespace"], "default"),
            labels: serde_json::from_value(metadata["labels"].clone()).unwrap_or_default(),
            annotations: serde_json::from_value(metadata["annotations"].clone()).unwrap_or_default(),
            digest: Some(digest(resource)),
            created: text(&metadata["creationTimestamp"], ""),
            spec: serde_json::from_value(spec)?,
        })
    }

    /// Adds a resource of any kind.
    pub(crate) fn resource(mut self, resource: &Json) -> Result<Self, serde_json::Error> {
        match resource["kind"].as_str() {
            Some("AuthorizationPolicy") => {
                let document = self.document(resource)?;
                self.documents.authorization.push(document);
            }
            Some("PeerAuthentication") => {
                let document = self.document(resource)?;
                self.documents.peer.push(document);
            }
            Some("RequestAuthentication") => {
                let document = self.document(resource)?;
                self.documents.authentication.push(document);
            }
            Some("CelPolicy") => {
                let document = self.document(resource)?;
                self.documents.cel.push(document);
            }
            Some("Workload") => {
                let document = self.document(resource)?;
                self.documents.workloads.push(document);
            }
            kind => panic!("kind {kind:?}"),
        }
        Ok(self)
    }

    fn add(self, kind: &str, id: &str, spec: &Json) -> Self {
        let (namespace, name) = id.split_once('/').unwrap();
        let metadata = json!({"namespace": namespace, "name": name});
        self.resource(&json!({"kind": kind, "metadata": metadata, "spec": spec})).unwrap()
    }

    /// Adds an AuthorizationPolicy of that `NAMESPACE/NAME`.
    pub(crate) fn policy(self, id: &str, spec: Json) -> Self {
        self.add("AuthorizationPolicy", id, &spec)
    }

    /// Adds a RequestAuthentication of that `NAMESPACE/NAME`.
    pub(crate) fn authentication(self, id: &str, spec: Json) -> Self {
        self.add("RequestAuthentication", id, &spec)
    }

    /// Adds a CelPolicy of that `NAMESPACE/NAME`.
    pub(crate) fn cel(self, id: &str, spec: Json) -> Self {
        self.add("CelPolicy", id, &spec)
    }

    /// Adds a Workload of that `NAMESPACE/NAME`.
    pub(crate) fn workload(self, id: &str, spec: Json) -> Self {
        self.add("Workload", id, &spec)
    }

    /// Adds a check adapter for a whole namespace.
    pub(crate) fn adapter(mut self, id: &str) -> Self {
        let (namespace, _) = id.split_once('/').unwrap();
        let binding =
            AdapterBinding { id: self.count, name: id.to_owned(), namespace: namespace.to_owned(), selector: None };
        self.documents.check_adapters.push(binding);
        self.count += 1;
        self
    }

    /// Sets the mesh's settings.
    pub(crate) fn mesh(mut self, spec: &Json) -> Result<Self, serde_json::Error> {
        let resource = json!({"metadata": {"name": "mesh"}, "spec": spec});
        self.documents.mesh = Some(self.document(&resource)?);
        Ok(self)
    }

    pub(crate) fn compile(&self) -> Outcome {
        compile(&self.documents)
    }

    /// The compiled set that replaces another; the problems as a panic.
    pub(crate) fn set_after(&self, previous: &PolicySet) -> PolicySet {
        compile_after(&self.documents, Some(previous)).unwrap_or_else(|problems| panic!("{problems:#?}")).0
    }

    /// The compiled set; the problems as a panic.
    pub(crate) fn set(&self) -> PolicySet {
        self.compile().unwrap_or_else(|problems| panic!("{problems:#?}")).0
    }
}

/// A request as a door tells it.
#[derive(Clone, Debug, Default)]
pub(crate) struct Request(Builder, Option<Struct>);

/// A connection without HTTP.
pub(crate) fn connection() -> Request {
    Request::default()
}

/// `METHOD TARGET` to host `shop` on port 8080.
pub(crate) fn request(method: &str, target: &str) -> Request {
    connection()
        .text(slot::REQUEST_METHOD, method)
        .text(slot::REQUEST_PATH, target)
        .text(slot::REQUEST_HOST, "shop")
        .text(slot::SOURCE_ADDRESS, "10.0.0.7:40000")
        .text(slot::DESTINATION_ADDRESS, "10.0.0.1:8080")
}

impl Request {
    pub(crate) fn text(self, slot: Slot, text: &str) -> Self {
        Self(self.0.text(slot, text), self.1)
    }

    pub(crate) fn truth(self, slot: Slot, value: bool) -> Self {
        Self(self.0.bool(slot, value), self.1)
    }

    pub(crate) fn from(self, principal: &str) -> Self {
        self.text(slot::SOURCE_PRINCIPAL, principal)
    }

    pub(crate) fn header(self, name: &str, value: &str) -> Self {
        Self(self.0.header(name, value), self.1)
    }

    /// A token with these claims was validated.
    pub(crate) fn claims(self, claims: &Json) -> Self {
        Self(self.0, Some(Struct::parse(claims.to_string().as_bytes()).unwrap()))
    }

    /// The filters of the proxy said this: `{FILTER: {KEY: VALUE}}`.
    pub(crate) fn metadata(self, said: &Json) -> Self {
        let said = Struct::parse(said.to_string().as_bytes()).unwrap();
        Self(self.0.json(slot::METADATA, said.into()), self.1)
    }

    pub(crate) fn joined_by_proxy(self) -> Self {
        Self(self.0.joined_by_proxy(), self.1)
    }

    /// The prepared bag; a path that cannot be normalized is a panic.
    pub(crate) fn bag(self, set: &PolicySet, workload: &WorkloadIdentity) -> Bag {
        let mut bag = self.0.build();
        prepare(&mut bag, set.mesh(), workload).unwrap();
        if let Some(claims) = self.1 {
            authenticated(&mut bag, claims, &[]);
        }
        bag
    }

    /// The verdict when providers and adapters answer so; the bag as the workload sees it.
    pub(crate) fn answered(
        self,
        set: &PolicySet,
        workload: &WorkloadIdentity,
        mut answer: impl FnMut(&str, &Bag) -> Answer,
    ) -> (Verdict, Bag) {
        let (mut bag, keys) = (self.bag(set, workload), Keys::default());
        let mut step = Evaluation::start(&set.ruleset(workload), &mut bag, NOW * 1_000_000_000, &keys);
        loop {
            match step {
                Step::Done(verdict) => return (verdict, bag),
                Step::Ask(Ask::Provider { name, .. } | Ask::Adapter { name, .. }, evaluation) => {
                    step = evaluation.resume(answer(&name, &bag), &mut bag, &keys);
                }
            }
        }
    }

    /// The verdict of the pure phases.
    pub(crate) fn ask(self, set: &PolicySet, workload: &WorkloadIdentity) -> Verdict {
        self.ask_with(set, workload, &Keys::default()).0
    }

    /// The verdict of the pure phases with those keys, and the request as the workload sees it.
    pub(crate) fn ask_with(self, set: &PolicySet, workload: &WorkloadIdentity, keys: &Keys) -> (Verdict, Bag) {
        let mut bag = self.bag(set, workload);
        match Evaluation::start(&set.ruleset(workload), &mut bag, NOW * 1_000_000_000, keys) {
            Step::Done(verdict) => (verdict, bag),
            Step::Ask(ask, _) => panic!("asked {ask:?}"),
        }
    }
}

/// A workload of namespace `shop` with the label `app: cart`.
pub(crate) fn cart() -> WorkloadIdentity {
    let labels = [("app".to_owned(), "cart".to_owned())];
    WorkloadIdentity::new(Some("cart"), "shop", labels.into(), Some("cart"))
}
