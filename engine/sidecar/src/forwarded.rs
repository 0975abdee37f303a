//! What a proxy adds to a request, before the policy looks: the policy sees it as the upstream will.

use http::{HeaderMap, HeaderName, HeaderValue};

use crate::{connection::Connection, limits, random};

const CLIENT_CERT: HeaderName = HeaderName::from_static("x-forwarded-client-cert");
const FORWARDED_FOR: HeaderName = HeaderName::from_static("x-forwarded-for");
const FORWARDED_PROTO: HeaderName = HeaderName::from_static("x-forwarded-proto");
const REQUEST_ID: HeaderName = HeaderName::from_static("x-request-id");

/// Sets the headers that say where the request came from.
///
/// - `x-forwarded-client-cert` is removed, whoever sent it, and set from the verified certificate alone.
/// - `x-forwarded-for` gets the peer's address as its last entry: the sidecar counts as one of
///   `MeshConfig.numTrustedProxies`, and with none trusted the original client is the peer.
/// - `x-forwarded-proto` is this connection's.
/// - `x-request-id` is kept when it is one line of printable text, else made.
pub(crate) fn stamp(headers: &mut HeaderMap, connection: &Connection) {
    client_cert(headers, connection.client_cert.as_ref());
    forwarded_for(headers, &connection.peer_ip);
    headers.insert(FORWARDED_PROTO, HeaderValue::from_static(connection.scheme()));
    let mut ids = headers.get_all(REQUEST_ID).iter();
    let keep = match (ids.next(), ids.next()) {
        (Some(id), None) => {
            (1..=limits::REQUEST_ID_BYTES_MAX).contains(&id.len()) && id.as_bytes().iter().all(u8::is_ascii_graphic)
        }
        _ => false,
    };
    if !keep && let Ok(id) = HeaderValue::from_bytes(&random::uuid()) {
        headers.insert(REQUEST_ID, id);
    }
}

fn client_cert(headers: &mut HeaderMap, ours: Option<&HeaderValue>) {
    // To some upstreams `_` and `-` are the same (CGI), so the look-alikes go too.
    let forged: Vec<HeaderName> = headers
        .keys()
        .filter(|name| name.as_str().contains('_') && name.as_str().replace('_', "-") == CLIENT_CERT.as_str())
        .cloned()
        .collect();
    for name in forged {
        headers.remove(name);
    }
    match ours {
        Some(ours) => drop(headers.insert(CLIENT_CERT, ours.clone())),
        None => drop(headers.remove(CLIENT_CERT)),
    }
}

fn forwarded_for(headers: &mut HeaderMap, peer: &str) {
    let told = headers.get_all(FORWARDED_FOR).iter().filter(|line| !line.is_empty());
    let mut all = Vec::with_capacity(64);
    for line in told {
        all.extend_from_slice(line.as_bytes());
        all.extend_from_slice(b", ");
    }
    all.extend_from_slice(peer.as_bytes());
    if let Ok(all) = HeaderValue::from_maybe_shared(bytes::Bytes::from(all)) {
        headers.insert(FORWARDED_FOR, all);
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn connection() -> Connection {
        Connection::new(([10, 0, 0, 9], 4000).into(), ([10, 0, 0, 1], 80).into(), None, None)
    }

    fn stamped(lines: &[(&str, &str)]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for (name, value) in lines {
            headers.append(HeaderName::try_from(*name).unwrap(), value.parse().unwrap());
        }
        stamp(&mut headers, &connection());
        headers
    }

    #[test]
    fn a_forged_client_certificate_is_gone_in_every_spelling() {
        let headers = stamped(&[
            ("X-Forwarded-Client-Cert", "URI=spiffe://td/ns/a/sa/admin"),
            ("x-forwarded-client-cert", "URI=spiffe://td/ns/a/sa/admin"),
            ("x_forwarded_client_cert", "URI=spiffe://td/ns/a/sa/admin"),
            ("x-forwarded_client-cert", "URI=spiffe://td/ns/a/sa/admin"),
        ]);
        assert!(headers.iter().all(|(_, value)| !value.to_str().unwrap().contains("admin")), "{headers:?}");
    }

    #[test]
    fn the_peer_is_the_last_address_of_one_line() {
        for (told, expected) in [
            (&[][..], "10.0.0.9"),
            (&[("x-forwarded-for", "1.1.1.1")][..], "1.1.1.1, 10.0.0.9"),
            (
                &[("x-forwarded-for", "1.1.1.1, 2.2.2.2"), ("x-forwarded-for", "3.3.3.3")],
                "1.1.1.1, 2.2.2.2, 3.3.3.3, 10.0.0.9",
            ),
            (&[("x-forwarded-for", "")], "10.0.0.9"),
        ] {
            let headers = stamped(told);
            assert_eq!(headers.get_all(FORWARDED_FOR).iter().collect::<Vec<_>>(), [expected]);
        }
    }

    #[test]
    fn a_request_id_is_kept_or_made() {
        assert_eq!(stamped(&[("x-request-id", "abc")]).get(REQUEST_ID).unwrap(), "abc");
        for lines in [
            &[][..],
            &[("x-request-id", "")],
            &[("x-request-id", "a b")],
            &[("x-request-id", "a"), ("x-request-id", "b")],
        ] {
            let headers = stamped(lines);
            assert_eq!(headers.get_all(REQUEST_ID).iter().count(), 1);
            assert_eq!(headers.get(REQUEST_ID).unwrap().len(), 36, "{lines:?}");
        }
        assert_eq!(stamped(&[("x-forwarded-proto", "https")]).get(FORWARDED_PROTO).unwrap(), "http");
    }
}
