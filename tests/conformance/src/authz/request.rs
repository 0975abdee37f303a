//! A row's request, told as the sidecar tells one: its path normalized, its head as a parser of HTTP would take it.

use std::sync::Arc;

use weir_attributes::{Bag, Struct, slot};
use weir_policy::{document::Normalization, is_header_name, is_method, normalize};

use super::{
    row::{Protocol, Request},
    tokens,
};

/// The bag; or why the head is answered with 400 before anybody is asked.
pub(super) fn told(request: &Request, mode: Normalization) -> Result<Bag, String> {
    let mut bag = Bag::with_capacity(0, request.headers.len());
    if request.is_http() {
        head(request, mode, &mut bag)?;
    }
    connection(request, &mut bag);
    if let Some(metadata) = &request.metadata {
        let metadata = Struct::parse(metadata.to_string().as_bytes()).map_err(|error| format!("metadata: {error}"))?;
        bag.set_struct(slot::METADATA, Arc::new(metadata));
    }
    Ok(bag)
}

fn connection(request: &Request, bag: &mut Bag) {
    bag.set_text(slot::SOURCE_ADDRESS, &address(peer(request), 40000));
    bag.set_text(slot::DESTINATION_ADDRESS, &address(local(request), port(request)));
    bag.set_bool(slot::CONNECTION_MTLS, request.source.principal.is_some());
    if let Some(principal) = &request.source.principal {
        let bare = principal.strip_prefix("spiffe://").unwrap_or(principal);
        bag.set_text(slot::CONNECTION_URI_SAN_PEER_CERTIFICATE, &format!("spiffe://{bare}"));
        bag.set_text(slot::SOURCE_PRINCIPAL, bare);
    }
    if let Some(sni) = sni(request) {
        bag.set_text(slot::CONNECTION_REQUESTED_SERVER_NAME, &sni);
    }
}

fn head(request: &Request, mode: Normalization, bag: &mut Bag) -> Result<(), String> {
    let method = method(request)?;
    bag.set_text(slot::REQUEST_METHOD, method);
    bag.set_static(slot::REQUEST_SCHEME, scheme(request));
    bag.set_static(slot::REQUEST_PROTOCOL, protocol(request));
    if let Some(host) = &request.host {
        bag.set_text(slot::REQUEST_HOST, host);
    }
    let path = target(request);
    let path = normalize(mode, &path).map_err(|error| error.to_string())?;
    bag.set_text(slot::REQUEST_PATH, &path);
    let length = path.find('?').unwrap_or(path.len());
    bag.set_part(slot::REQUEST_URL_PATH, slot::REQUEST_PATH, 0..length);
    for (name, value) in lines(request) {
        if !is_header_name(&name) {
            return Err(format!("no header is called {name:?}"));
        }
        bag.add_header(&name, &value);
    }
    Ok(())
}

/// The method, if a parser of HTTP/1 takes it.
pub(super) fn method(request: &Request) -> Result<&str, String> {
    let method = request.method.as_deref().unwrap_or(if request.protocol == Protocol::Grpc { "POST" } else { "GET" });
    if request.protocol == Protocol::Http && !is_method(method) {
        return Err(format!("no method of HTTP/1 is called {method:?}"));
    }
    Ok(method)
}

/// The request's target as the client sends it.
pub(super) fn target(request: &Request) -> String {
    tokens::filled(request.path.as_deref().unwrap_or("/"), &request.tokens)
}

/// The header lines as the workload's proxy has them: those of the row, the client's address and what gRPC adds.
pub(super) fn lines(request: &Request) -> Vec<(String, String)> {
    let trimmed = |value: &str| tokens::filled(value, &request.tokens).trim_matches([' ', '\t']).to_owned();
    let mut lines: Vec<_> =
        request.headers.iter().map(|(name, value)| (name.to_ascii_lowercase(), trimmed(value))).collect();
    if let Some(remote) = &request.remote_ip {
        lines.push(("x-forwarded-for".to_owned(), remote.clone()));
    }
    if request.protocol == Protocol::Grpc && !lines.iter().any(|(name, _)| name == "content-type") {
        lines.push(("content-type".to_owned(), "application/grpc".to_owned()));
    }
    lines
}

/// Server names arrive in lower case.
pub(super) fn sni(request: &Request) -> Option<String> {
    request.sni.as_deref().map(str::to_ascii_lowercase)
}

pub(super) fn scheme(request: &Request) -> &'static str {
    if request.is_encrypted() { "https" } else { "http" }
}

pub(super) fn protocol(request: &Request) -> &'static str {
    if request.protocol == Protocol::Grpc { "HTTP/2" } else { "HTTP/1.1" }
}

pub(super) fn peer(request: &Request) -> &str {
    request.source.ip.as_deref().unwrap_or("127.0.0.1")
}

pub(super) fn local(request: &Request) -> &str {
    request.destination_ip.as_deref().unwrap_or("127.0.0.1")
}

pub(super) fn port(request: &Request) -> u16 {
    request.port.unwrap_or(80)
}

fn address(ip: &str, port: u16) -> String {
    if ip.contains(':') { format!("[{ip}]:{port}") } else { format!("{ip}:{port}") }
}
