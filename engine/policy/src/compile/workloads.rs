//! `Workload`s: names, principals and addresses must each lead to one workload.

use std::sync::Arc;

use weir_attributes::split_address;

use crate::{
    document::{Document, Workload},
    problem::{Problem, Problems},
    workload::{WorkloadIdentity, Workloads},
};

pub(super) fn workloads(documents: &[Document<Workload>], problems: &mut Vec<Problem>) -> Workloads {
    let mut workloads = Workloads::default();
    for document in documents {
        add(document, &mut workloads, &mut Problems::of(document.id, problems));
    }
    workloads
}

fn add(document: &Document<Workload>, workloads: &mut Workloads, problems: &mut Problems<'_>) {
    let spec = &document.spec;
    let identity = Arc::new(WorkloadIdentity::new(
        Some(&document.name),
        &document.namespace,
        spec.labels.clone(),
        spec.service_account.as_deref(),
    ));
    workloads.add(&document.name, &identity);
    if spec.service_account.as_ref().is_some_and(|account| account.is_empty() || account.contains('/')) {
        problems.error(
            "spec.serviceAccount",
            "not the name of a service account",
            "write the name alone: the namespace is the document's",
        );
    }
    for (index, principal) in spec.principals.iter().enumerate() {
        let path = format!("spec.principals[{index}]");
        if principal.is_empty() || principal.contains("://") || principal.contains('*') {
            problems.error(
                &path,
                format!("{principal:?} is not the principal of one workload"),
                "write it as `cluster.local/ns/NAMESPACE/sa/ACCOUNT`, without spiffe:// and wildcard",
            );
        } else if !workloads.add_principal(principal, &identity) {
            problems.error(
                &path,
                format!("principal {principal:?} belongs to another Workload too"),
                "keep it in one Workload; tell the others by address or by the context extension weir.workload",
            );
        }
    }
    for (index, address) in spec.addresses.iter().enumerate() {
        let path = format!("spec.addresses[{index}]");
        match split_address(address) {
            None => problems.error(
                &path,
                format!("{address:?} is not an address"),
                "write IP or IP:PORT, as 10.0.0.7:8080 or [2001:db8::7]:8080",
            ),
            Some((ip, port)) => {
                if !workloads.add_address((ip.to_canonical(), port), &identity) {
                    problems.error(
                        &path,
                        format!("address {address:?} belongs to another Workload too"),
                        "keep it in one Workload, or add the port to tell them apart",
                    );
                }
            }
        }
    }
}
