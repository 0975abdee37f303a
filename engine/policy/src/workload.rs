//! Which workload a check is about.

use std::{
    collections::{BTreeMap, HashMap},
    net::IpAddr,
    sync::{Arc, OnceLock, RwLock},
};

use weir_attributes::{Labels, split_address};

use crate::ruleset::Ruleset;

/// How many workloads that only a proxy described (namespace and labels) are remembered; further ones are made anew at
/// every check.
pub const DESCRIBED_MAX: usize = 4096;

/// How many labels a proxy may describe a workload with.
pub const LABELS_MAX: usize = 64;

/// A workload as policies see it.
#[derive(Debug)]
pub struct WorkloadIdentity {
    /// Its name, when it has one.
    pub name: Option<Arc<str>>,
    /// Its namespace.
    pub namespace: Arc<str>,
    /// As operators write it: `NAMESPACE/NAME`, or the namespace alone.
    pub id: Arc<str>,
    /// Its labels.
    pub labels: Labels,
    /// Its service account, when it declares one.
    pub service_account: Option<Arc<str>>,
    /// Its ruleset in the policy set of that token.
    pub(crate) ruleset: OnceLock<(Arc<()>, Arc<Ruleset>)>,
}

impl WorkloadIdentity {
    /// A workload of that description.
    #[must_use]
    pub fn new(
        name: Option<&str>,
        namespace: &str,
        labels: BTreeMap<String, String>,
        service_account: Option<&str>,
    ) -> Self {
        Self {
            name: name.map(Into::into),
            namespace: namespace.into(),
            id: name.map_or_else(|| namespace.into(), |name| format!("{namespace}/{name}").into()),
            labels: Arc::new(labels),
            service_account: service_account.map(Into::into),
            ruleset: OnceLock::new(),
        }
    }
}

/// What a check says about its workload. The first of these that is given decides: the name, the namespace with its
/// labels; else the principal or the address when a workload has it, else the default.
#[derive(Clone, Copy, Debug, Default)]
pub struct Claim<'a> {
    /// Context extension `weir.workload`: `NAME` or `NAMESPACE/NAME`.
    pub workload: Option<&'a str>,
    /// Context extension `weir.namespace`.
    pub namespace: Option<&'a str>,
    /// Context extension `weir.labels`: `k=v,k=v`.
    pub labels: Option<&'a str>,
    /// The destination's principal, with or without `spiffe://`.
    pub principal: Option<&'a str>,
    /// The destination's address, `IP` or `IP:PORT`.
    pub address: Option<&'a str>,
    /// The workload of proxies that do not say: `NAME` or `NAMESPACE/NAME`.
    pub default: Option<&'a str>,
}

/// Nobody knows the workload that a check is for. The text says what was received.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum UnknownWorkload {
    /// No workload of that name.
    #[error("no Workload is called {0:?}; add one, or correct {1}")]
    Name(String, &'static str),
    /// Workloads of several namespaces have that name.
    #[error("several Workloads are called {0:?}; write NAMESPACE/NAME in {1}")]
    Ambiguous(String, &'static str),
    /// Labels without a namespace.
    #[error("weir.labels came without weir.namespace; send both")]
    LabelsAlone,
    /// A namespace without a name.
    #[error("weir.namespace came empty; name the workload's namespace")]
    EmptyNamespace,
    /// Labels that are not `k=v,k=v`.
    #[error("weir.labels has the entry {0:?}; write at most {LABELS_MAX} of the form k=v, separated by commas")]
    BadLabels(String),
    /// Name and namespace.
    #[error("weir.workload and weir.namespace both came; send one of them")]
    Both,
    /// Nothing that came leads to a workload.
    #[error(
        "nothing says which workload this is for: destination principal {principal:?} and address {address:?} are in no \
         Workload; send the context extension weir.workload, add a Workload, or start with --default-workload"
    )]
    Nothing {
        /// The destination principal that came.
        principal: Option<String>,
        /// The destination address that came.
        address: Option<String>,
    },
}

/// The namespace and labels texts of workloads that only proxies described.
type Described = HashMap<Box<str>, HashMap<Box<str>, Arc<WorkloadIdentity>>>;

/// The workloads of a configuration, by name, principal and address.
#[derive(Debug, Default)]
pub struct Workloads {
    /// By `NAMESPACE/NAME`, and by `NAME` alone: none where several have it.
    names: HashMap<String, Option<Arc<WorkloadIdentity>>>,
    principals: HashMap<String, Arc<WorkloadIdentity>>,
    addresses: HashMap<(IpAddr, Option<u16>), Arc<WorkloadIdentity>>,
    described: RwLock<Described>,
}

impl Workloads {
    /// Adds a workload of the configuration under its names.
    pub(crate) fn add(&mut self, name: &str, workload: &Arc<WorkloadIdentity>) {
        self.names.insert(format!("{}/{name}", workload.namespace), Some(workload.clone()));
        self.names.entry(name.to_owned()).and_modify(|known| *known = None).or_insert_with(|| Some(workload.clone()));
    }

    /// Adds a principal of a workload; false when another has it.
    pub(crate) fn add_principal(&mut self, principal: &str, workload: &Arc<WorkloadIdentity>) -> bool {
        self.principals.insert(principal.to_owned(), workload.clone()).is_none()
    }

    /// Adds an address of a workload; false when another has it.
    pub(crate) fn add_address(&mut self, address: (IpAddr, Option<u16>), workload: &Arc<WorkloadIdentity>) -> bool {
        self.addresses.insert(address, workload.clone()).is_none()
    }

    /// Every workload of the configuration by `NAMESPACE/NAME`, in no order.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Arc<WorkloadIdentity>)> {
        let whole = self.names.iter().filter(|(name, _)| name.contains('/'));
        whole.filter_map(|(name, workload)| workload.as_ref().map(|workload| (name.as_str(), workload)))
    }

    /// The workload of the configuration that is called `NAMESPACE/NAME`.
    pub(crate) fn whole(&self, name: &str) -> Option<&WorkloadIdentity> {
        self.names.get(name)?.as_deref()
    }

    /// Knows the workloads that proxies described to others, as new ones; tells of each pair.
    pub(crate) fn describe_again(
        &self,
        others: &Workloads,
        mut tell: impl FnMut(&WorkloadIdentity, &WorkloadIdentity),
    ) {
        let others = others.described.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        let each = others.iter().flat_map(|(namespace, inside)| inside.iter().map(move |entry| (namespace, entry)));
        for (namespace, (labels, old)) in each {
            if let Ok(new) = self.described(namespace, labels) {
                tell(old, &new);
            }
        }
    }

    /// Finds the workload that a check is for.
    ///
    /// # Errors
    /// [`UnknownWorkload`] when the claim leads to none: the check must be denied.
    pub fn resolve(&self, claim: &Claim<'_>) -> Result<Arc<WorkloadIdentity>, UnknownWorkload> {
        match (claim.workload, claim.namespace, claim.labels) {
            (Some(_), Some(_), _) => return Err(UnknownWorkload::Both),
            (Some(name), None, _) => return self.named(name, "the context extension weir.workload"),
            (None, Some(""), _) => return Err(UnknownWorkload::EmptyNamespace),
            (None, Some(namespace), labels) => return self.described(namespace, labels.unwrap_or_default()),
            (None, None, Some(_)) => return Err(UnknownWorkload::LabelsAlone),
            (None, None, None) => {}
        }
        let principal = claim.principal.map(|principal| principal.strip_prefix("spiffe://").unwrap_or(principal));
        if let Some(workload) = principal.and_then(|principal| self.principals.get(principal)) {
            return Ok(workload.clone());
        }
        let address = claim.address.and_then(split_address).map(|(ip, port)| (ip.to_canonical(), port));
        let exact = address.and_then(|address| self.addresses.get(&address));
        if let Some(workload) = exact.or_else(|| self.addresses.get(&(address?.0, None))) {
            return Ok(workload.clone());
        }
        match claim.default {
            Some(name) => self.named(name, "--default-workload"),
            None => Err(UnknownWorkload::Nothing {
                principal: claim.principal.map(str::to_owned),
                address: claim.address.map(str::to_owned),
            }),
        }
    }

    fn named(&self, name: &str, place: &'static str) -> Result<Arc<WorkloadIdentity>, UnknownWorkload> {
        match self.names.get(name) {
            Some(Some(workload)) => Ok(workload.clone()),
            Some(None) => Err(UnknownWorkload::Ambiguous(name.to_owned(), place)),
            None => Err(UnknownWorkload::Name(name.to_owned(), place)),
        }
    }

    fn described(&self, namespace: &str, labels: &str) -> Result<Arc<WorkloadIdentity>, UnknownWorkload> {
        // A poisoned lock only means that a thread died between two lookups: the map is whole.
        let known = self.described.read().unwrap_or_else(std::sync::PoisonError::into_inner);
        if let Some(workload) = known.get(namespace).and_then(|inside| inside.get(labels)) {
            return Ok(workload.clone());
        }
        drop(known);
        let workload = Arc::new(WorkloadIdentity::new(None, namespace, parse_labels(labels)?, None));
        let mut known = self.described.write().unwrap_or_else(std::sync::PoisonError::into_inner);
        if known.values().map(HashMap::len).sum::<usize>() < DESCRIBED_MAX {
            known.entry(namespace.into()).or_default().insert(labels.into(), workload.clone());
        }
        Ok(workload)
    }
}

fn parse_labels(text: &str) -> Result<BTreeMap<String, String>, UnknownWorkload> {
    let mut labels = BTreeMap::new();
    for entry in text.split(',').map(str::trim).filter(|entry| !entry.is_empty()) {
        let pair = entry.split_once('=').filter(|(key, _)| !key.is_empty() && labels.len() < LABELS_MAX);
        let Some((key, value)) = pair else { return Err(UnknownWorkload::BadLabels(entry.to_owned())) };
        if labels.insert(key.trim().to_owned(), value.trim().to_owned()).is_some() {
            return Err(UnknownWorkload::BadLabels(entry.to_owned()));
        }
    }
    Ok(labels)
}
