//! The request that every contract is measured with: 28 of thirty attributes, as many as one usually has.

use weir_attributes::{Bag, Slot, slot};

/// All that it has.
pub(crate) const ATTRIBUTES: [Slot; 30] = [
    slot::REQUEST_METHOD,
    slot::REQUEST_HOST,
    slot::REQUEST_SIZE,
    slot::REQUEST_PATH,
    slot::REQUEST_URL_PATH,
    slot::REQUEST_QUERY,
    slot::REQUEST_SCHEME,
    slot::REQUEST_PROTOCOL,
    slot::REQUEST_ID,
    slot::REQUEST_USERAGENT,
    slot::REQUEST_REFERER,
    slot::REQUEST_HEADERS,
    slot::REQUEST_HEADERS_ALL,
    slot::SOURCE_ADDRESS,
    slot::SOURCE_IP,
    slot::SOURCE_PORT,
    slot::SOURCE_PRINCIPAL,
    slot::SOURCE_NAMESPACE,
    slot::SOURCE_SERVICE_ACCOUNT,
    slot::REMOTE_IP,
    slot::DESTINATION_ADDRESS,
    slot::DESTINATION_IP,
    slot::DESTINATION_PORT,
    slot::DESTINATION_PRINCIPAL,
    slot::DESTINATION_WORKLOAD,
    slot::DESTINATION_NAMESPACE,
    slot::CONNECTION_MTLS,
    slot::CONNECTION_REQUESTED_SERVER_NAME,
    slot::CONNECTION_TLS_VERSION,
    slot::CONTEXT_PROTOCOL,
];

/// As a proxy tells it and the runtime completes it; with what a report adds.
pub(crate) fn bag(number: usize) -> Bag {
    let mut bag = Bag::builder()
        .text(slot::REQUEST_METHOD, ["GET", "POST"][number % 2])
        .text(slot::REQUEST_HOST, "orders.shop.example")
        .int(slot::REQUEST_SIZE, 512)
        .path("/orders/7?page=2", "/orders/7")
        .text(slot::REQUEST_QUERY, "page=2")
        .text(slot::REQUEST_SCHEME, "https")
        .text(slot::REQUEST_PROTOCOL, "HTTP/2")
        .text(slot::REQUEST_ID, "6f2a1c1e-52b1-4b0a-9a34-0c4d5a3e7f10")
        .text(slot::REQUEST_USERAGENT, "shop-frontend/3.2")
        .text(slot::REQUEST_REFERER, "https://shop.example/cart")
        .text(slot::SOURCE_ADDRESS, "10.0.0.7:51234")
        .text(slot::SOURCE_IP, "10.0.0.7")
        .int(slot::SOURCE_PORT, 51234)
        .text(slot::SOURCE_PRINCIPAL, "cluster.local/ns/web/sa/front")
        .text(slot::SOURCE_NAMESPACE, "web")
        .text(slot::SOURCE_SERVICE_ACCOUNT, "front")
        .text(slot::REMOTE_IP, "203.0.113.9")
        .text(slot::DESTINATION_ADDRESS, "10.0.1.9:8080")
        .text(slot::DESTINATION_IP, "10.0.1.9")
        .int(slot::DESTINATION_PORT, 8080)
        .text(slot::DESTINATION_PRINCIPAL, "cluster.local/ns/shop/sa/orders")
        .text(slot::DESTINATION_WORKLOAD, "orders")
        .text(slot::DESTINATION_NAMESPACE, "shop")
        .bool(slot::CONNECTION_MTLS, true)
        .text(slot::CONNECTION_REQUESTED_SERVER_NAME, "orders.shop.svc.cluster.local")
        .text(slot::CONNECTION_TLS_VERSION, "TLSv1.3")
        .text(slot::CONTEXT_PROTOCOL, "http")
        .int(slot::RESPONSE_CODE, if number.is_multiple_of(10) { 404 } else { 200 })
        .int(slot::RESPONSE_SIZE, 2048 + number as i64);
    let headers = [
        ("accept", "application/json"),
        ("accept-encoding", "gzip"),
        ("authorization", "Bearer eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhbm4ifQ.c2lnbmF0dXJl"),
        ("content-type", "application/json"),
        ("referer", "https://shop.example/cart"),
        ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"),
        ("user-agent", "shop-frontend/3.2"),
        ("x-forwarded-for", "203.0.113.9"),
        ("x-forwarded-proto", "https"),
        ("x-request-id", "6f2a1c1e-52b1-4b0a-9a34-0c4d5a3e7f10"),
        ("x-tenant", "blue"),
        ("x-version", "7"),
    ];
    for (name, value) in headers {
        bag = bag.header(name, value);
    }
    bag.build()
}
