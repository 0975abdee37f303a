//! Finds out whose pod a request comes from and goes to.

use std::collections::BTreeMap;

use weir::{Failure, Fields, Pairs, Refusal, lookup};

/// The host's table of the workloads that it knows, by address.
const TABLE: &str = "workloads";

/// A workload, as far as it is known.
#[derive(Default)]
struct Pod {
    name: Option<String>,
    namespace: Option<String>,
    account: Option<String>,
    labels: Option<Pairs>,
}

impl Pod {
    /// Who is at that address; who is at that port of it goes first.
    fn at(ip: Option<&str>, port: Option<i64>) -> Result<Pod, Failure> {
        let Some(ip) = ip else { return Ok(Pod::default()) };
        let with_port =
            port.map(|port| if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") });
        let exact = with_port.map(|key| lookup(TABLE, &key)).transpose()?.flatten();
        Ok(match exact.map_or_else(|| lookup(TABLE, ip), |row| Ok::<_, Refusal>(Some(row)))? {
            Some(row) => Pod::of(&row)?,
            None => Pod::default(),
        })
    }

    fn of(row: &Fields) -> Result<Pod, Failure> {
        let text = |name: &str| row.get(name).and_then(|value| value.as_text()).map(str::to_owned);
        let labels = text("labels").map(|json| serde_json::from_str::<BTreeMap<String, String>>(&json)).transpose();
        let labels = labels.map_err(|error| Failure::Internal(format!("labels in the table {TABLE}: {error}")))?;
        Ok(Pod {
            name: text("name"),
            namespace: text("namespace"),
            account: text("serviceAccount"),
            labels: labels.map(|labels| Pairs(labels.into_iter().collect())),
        })
    }
}

#[weir::enrich]
fn enrich(inputs: Inputs) -> Result<Outputs, Failure> {
    // A client's port is its connection's, no workload's.
    let source = Pod::at(inputs.source_ip.as_deref(), None)?;
    let destination = Pod::at(inputs.destination_ip.as_deref(), inputs.destination_port)?;
    Ok(Outputs {
        metadata_source_workload: source.name,
        metadata_source_namespace: source.namespace,
        metadata_source_service_account: source.account,
        metadata_source_labels: source.labels,
        metadata_destination_workload: destination.name,
        metadata_destination_namespace: destination.namespace,
        metadata_destination_service_account: destination.account,
        metadata_destination_labels: destination.labels,
    })
}
