//! A row as Envoy's `CheckRequest`, or why it is none.

use std::collections::HashMap;

use envoy_types::pb::{
    envoy::{
        config::core::v3::{
            Address, HeaderMap, HeaderValue, Metadata, SocketAddress, address, socket_address::PortSpecifier,
        },
        service::auth::v3::{
            AttributeContext, CheckRequest,
            attribute_context::{HttpRequest, Peer, Request as Asked, TlsSession},
        },
    },
    google::protobuf::{ListValue, Struct, Value, value::Kind},
};
use serde_json::Value as Json;
use weir_policy::{document::Normalization, normalize};

use super::super::{
    request,
    row::{Request, Row, labels},
    tokens,
};

/// Why the door cannot carry a row.
pub(super) fn obstacle(row: &Row) -> Option<&'static str> {
    if !row.request.is_http() {
        return Some("are connections without HTTP, about which the HTTP filter asks nobody");
    }
    if request::method(&row.request).is_err() {
        return Some("have a method that a proxy's own parser refuses");
    }
    let mode = row.mode();
    let told = normalize(mode, &request::target(&row.request)).ok().map(|path| path.into_owned());
    // The engine cannot know that the proxy has normalized, and takes the worse of both readings.
    if told.is_some_and(|path| normalize(mode, &path).ok().as_deref() != Some(&path)) {
        return Some("have a path that reads otherwise when it is normalized twice: the engine doubts it, and denies");
    }
    match (&row.request.jwt, issuer(row)) {
        (Some(_), None) => Some("have claims without an issuer, whose token no jwtRule could be about"),
        _ => None,
    }
}

/// Who issues the token that carries the row's validated claims.
pub(super) fn issuer(row: &Row) -> Option<&str> {
    row.request.jwt.as_ref()?.get("iss")?.as_str().filter(|issuer| !issuer.is_empty())
}

/// The question of a proxy that normalizes paths as its mesh does.
pub(super) fn request(row: &Row) -> CheckRequest {
    let (told, mode) = (&row.request, row.mode());
    let workload = [("weir.namespace", row.workload.namespace.clone()), ("weir.labels", labels(&row.workload.labels))];
    let workload = workload.into_iter().filter(|(_, text)| !text.is_empty());
    CheckRequest {
        attributes: Some(AttributeContext {
            source: Some(Peer {
                principal: told.source.principal.as_deref().map(spiffe).unwrap_or_default(),
                ..peer(request::peer(told), 40000)
            }),
            destination: Some(peer(request::local(told), request::port(told))),
            request: Some(Asked { http: Some(http(told, mode)), ..Asked::default() }),
            context_extensions: workload.map(|(key, text)| (key.to_owned(), text)).collect(),
            metadata_context: told.metadata.as_ref().map(metadata),
            tls_session: request::sni(told).map(|sni| TlsSession { sni }),
            ..AttributeContext::default()
        }),
    }
}

fn spiffe(principal: &str) -> String {
    format!("spiffe://{}", principal.strip_prefix("spiffe://").unwrap_or(principal))
}

fn peer(ip: &str, port: u16) -> Peer {
    let socket = SocketAddress {
        address: ip.to_owned(),
        port_specifier: Some(PortSpecifier::PortValue(port.into())),
        ..SocketAddress::default()
    };
    Peer { address: Some(Address { address: Some(address::Address::SocketAddress(socket)) }), ..Peer::default() }
}

fn http(told: &Request, mode: Normalization) -> HttpRequest {
    let target = request::target(told);
    // What cannot be normalized the proxy would refuse itself; here the engine must.
    let path = normalize(mode, &target).map_or(target.clone(), |normal| normal.into_owned());
    let method = request::method(told).unwrap_or_default().to_owned();
    let host = told.host.clone().unwrap_or_default();
    let scheme = request::scheme(told).to_owned();
    let pseudo = [(":authority", &host), (":method", &method), (":path", &path), (":scheme", &scheme)];
    let mut lines: Vec<(String, String)> =
        pseudo.into_iter().map(|(name, value)| (name.to_owned(), value.clone())).collect();
    lines.extend(request::lines(told));
    if let Some(claims) = &told.jwt {
        lines.push(("authorization".to_owned(), format!("Bearer {}", tokens::sign(claims))));
    }
    let line =
        |(key, value): (String, String)| HeaderValue { key, raw_value: value.into_bytes(), ..HeaderValue::default() };
    HttpRequest {
        method,
        path,
        host,
        scheme,
        protocol: request::protocol(told).to_owned(),
        header_map: Some(HeaderMap { headers: lines.into_iter().map(line).collect() }),
        ..HttpRequest::default()
    }
}

fn metadata(told: &Json) -> Metadata {
    let filters = told.as_object().into_iter().flatten();
    let filters = filters.map(|(filter, said)| (filter.clone(), map(said))).collect::<HashMap<_, _>>();
    Metadata { filter_metadata: filters, ..Metadata::default() }
}

fn map(json: &Json) -> Struct {
    let fields = json.as_object().into_iter().flatten();
    Struct { fields: fields.map(|(name, inner)| (name.clone(), value(inner))).collect() }
}

fn value(json: &Json) -> Value {
    let kind = match json {
        Json::Null => Kind::NullValue(0),
        Json::Bool(truth) => Kind::BoolValue(*truth),
        Json::Number(number) => Kind::NumberValue(number.as_f64().unwrap_or_default()),
        Json::String(text) => Kind::StringValue(text.clone()),
        Json::Array(items) => Kind::ListValue(ListValue { values: items.iter().map(value).collect() }),
        Json::Object(_) => Kind::StructValue(map(json)),
    };
    Value { kind: Some(kind) }
}
