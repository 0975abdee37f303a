//! A new configuration keeps the clients of providers that have not changed.

use std::sync::Arc;

use weir_policy::{Provider, Transport};
use weir_providers::Clients;

use crate::{endpoint, provider};

#[tokio::test]
async fn a_provider_that_has_not_changed_keeps_its_client() {
    let named = |name: &str, port| {
        let provider = Provider::clone(&provider(Transport::Grpc(endpoint(port))));
        Arc::new(Provider { name: name.into(), ..provider })
    };
    let adapter = provider(Transport::Adapter("shop/list".into()));
    let first = Clients::new(&[named("a", 1), named("b", 2), adapter], &Clients::default());
    let second = Clients::new(&[named("0", 9), named("a", 1), named("b", 3)], &first);
    assert!(first.get(2).is_none(), "an adapter is not asked over the network");
    assert!(Arc::ptr_eq(first.get(0).unwrap(), second.get(1).unwrap()));
    assert_eq!(second.get(2).unwrap().provider().transport, Transport::Grpc(endpoint(3)));
}
