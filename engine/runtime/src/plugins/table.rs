//! The table `workloads` for plugins: who is at an address.

use std::collections::HashMap;

use weir_adapters::{Row, Table, Value};
use weir_attributes::split_address;
use weir_policy::document::{Document, Workload};

/// The configuration's workloads by address: `IP` for who has the whole of it, or is alone with a port of it; `IP:PORT` for
/// who has that port.
pub(crate) fn workloads(documents: &[Document<Workload>]) -> Table {
    let (mut table, mut alone) = (Table::new(), HashMap::new());
    for document in documents {
        for (ip, port) in document.spec.addresses.iter().filter_map(|address| split_address(address)) {
            let ip = ip.to_canonical();
            match port {
                None => drop(table.insert(ip.to_string().into(), row(document))),
                Some(port) => {
                    table.insert(std::net::SocketAddr::new(ip, port).to_string().into(), row(document));
                    let who = alone.entry(ip).or_insert(Some(document));
                    *who = who.filter(|known| known.id == document.id);
                }
            }
        }
    }
    for (ip, document) in alone {
        if let Some(document) = document {
            table.entry(ip.to_string().into()).or_insert_with(|| row(document));
        }
    }
    table
}

fn row(document: &Document<Workload>) -> Row {
    let labels = document.spec.labels.iter().map(|(name, value)| (name.clone(), value.clone().into()));
    let labels = serde_json::Value::Object(labels.collect()).to_string();
    let mut row = vec![
        ("name".to_owned(), Value::Text(document.name.clone())),
        ("namespace".to_owned(), Value::Text(document.namespace.clone())),
        ("labels".to_owned(), Value::Text(labels)),
    ];
    if let Some(account) = &document.spec.service_account {
        row.push(("serviceAccount".to_owned(), Value::Text(account.clone())));
    }
    row
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::indexing_slicing)]

    use super::*;

    fn document(id: usize, name: &str, addresses: &[&str]) -> Document<Workload> {
        let spec = Workload {
            labels: [("app".to_owned(), name.to_owned())].into(),
            addresses: addresses.iter().map(ToString::to_string).collect(),
            ..Workload::default()
        };
        Document { id, name: name.into(), namespace: "shop".into(), spec, ..Document::default() }
    }

    #[test]
    fn an_address_is_found_by_ip_where_one_workload_has_it_and_by_port_where_several_do() {
        let table = workloads(&[
            document(0, "cart", &["10.0.0.1", "10.0.0.9:80"]),
            document(1, "orders", &["10.0.0.2:8080", "10.0.0.2:9090", "[2001:db8::1]:80"]),
            document(2, "stock", &["10.0.0.9:81"]),
        ]);
        let name = |key: &str| table.get(key).map(|row| row[0].1.clone());
        let text = |name: &str| Some(Value::Text(name.into()));
        assert_eq!(name("10.0.0.1"), text("cart"));
        assert_eq!((name("10.0.0.2"), name("10.0.0.2:8080")), (text("orders"), text("orders")));
        assert_eq!((name("2001:db8::1"), name("[2001:db8::1]:80")), (text("orders"), text("orders")));
        assert_eq!((name("10.0.0.9"), name("10.0.0.9:80"), name("10.0.0.9:81")), (None, text("cart"), text("stock")));
        assert_eq!(table["10.0.0.1"][2].1, Value::Text(r#"{"app":"cart"}"#.into()));
    }
}
