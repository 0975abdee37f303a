//! A request as a bag: what the vocabulary says the sidecar supplies.

use http::{Version, header, request::Parts};
use weir_attributes::{Bag, slot};

use crate::connection::Connection;

/// Room for texts beside the header lines.
const OWN_BYTES: usize = 512;

/// Fills a bag from a sanitized and stamped head. `version` is what the client spoke, `time` nanoseconds since 1970.
pub(crate) fn of_request(head: &Parts, version: Version, connection: &Connection, time: i64) -> Bag {
    let bytes: usize = head.headers.iter().map(|(name, value)| name.as_str().len() + value.len()).sum();
    let mut bag = Bag::with_capacity(bytes + OWN_BYTES, head.headers.len());
    bag.set_text(slot::REQUEST_METHOD, head.method.as_str());
    bag.set_text(slot::REQUEST_PATH, head.uri.path_and_query().map_or("/", |target| target.as_str()));
    // Setting it says that the path as told is the path as forwarded: there is no doubt about it.
    bag.set_part(slot::REQUEST_URL_PATH, slot::REQUEST_PATH, 0..head.uri.path().len());
    bag.set_static(slot::REQUEST_SCHEME, connection.scheme());
    bag.set_static(slot::REQUEST_PROTOCOL, protocol(version));
    bag.set_int(slot::REQUEST_TIME, time);
    for (name, value) in &head.headers {
        // INVARIANT: sanitized values are UTF-8.
        let Ok(text) = std::str::from_utf8(value.as_bytes()) else { continue };
        match *name {
            // The authority is an attribute of its own, in HTTP/1.1 as in HTTP/2.
            header::HOST => bag.set_text(slot::REQUEST_HOST, text),
            header::CONTENT_LENGTH => {
                if let Ok(length) = text.parse() {
                    bag.set_int(slot::REQUEST_SIZE, length);
                }
                bag.add_header(name.as_str(), text);
            }
            _ => bag.add_header(name.as_str(), text),
        }
    }
    bag.set_from_header(slot::REQUEST_ID, "x-request-id");
    of_connection(&mut bag, connection);
    bag
}

fn of_connection(bag: &mut Bag, connection: &Connection) {
    bag.set_text(slot::SOURCE_ADDRESS, &connection.peer);
    bag.set_text(slot::DESTINATION_ADDRESS, &connection.local);
    bag.set_text(slot::CONNECTION_ID, &connection.id);
    let tls = connection.tls.as_ref();
    bag.set_bool(slot::CONNECTION_MTLS, tls.is_some_and(|tls| tls.mtls));
    let Some(tls) = tls else { return };
    bag.set_static(slot::CONNECTION_TLS_VERSION, tls.version);
    let texts = [
        (slot::CONNECTION_REQUESTED_SERVER_NAME, tls.sni.as_deref()),
        (slot::CONNECTION_URI_SAN_PEER_CERTIFICATE, tls.peer_id.as_deref()),
        (slot::SOURCE_PRINCIPAL, tls.principal()),
        (slot::DESTINATION_PRINCIPAL, tls.own_principal()),
    ];
    for (slot, text) in texts {
        if let Some(text) = text {
            bag.set_text(slot, text);
        }
    }
}

/// As Envoy names protocols.
pub(crate) fn protocol(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "HTTP/2",
        Version::HTTP_10 => "HTTP/1.0",
        _ => "HTTP/1.1",
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use http::Request;
    use weir_attributes::{Phase, vocabulary};
    use weir_listen::TlsInfo;

    use super::*;

    fn certificate(uri: &str) -> rustls_pki_types::CertificateDer<'static> {
        let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        params.subject_alt_names.push(rcgen::SanType::URI(uri.try_into().unwrap()));
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn the_sidecar_supplies_what_the_vocabulary_says_it_does() {
        let info = TlsInfo {
            alpn: None,
            sni: Some("shop.example".to_owned()),
            version: "TLSv1.3",
            peer_certificates: vec![certificate("spiffe://td/ns/a/sa/b")],
        };
        let own = Some("spiffe://td/ns/shop/sa/cart".to_owned());
        let connection = Connection::new(([10, 0, 0, 9], 4000).into(), ([10, 0, 0, 1], 80).into(), Some(info), own);
        let request = Request::post("/a?b")
            .header("host", "shop.example")
            .header("x-request-id", "id-1")
            .header("content-length", "3")
            .body(());
        let bag = of_request(&request.unwrap().into_parts().0, Version::HTTP_11, &connection, 5);
        for attribute in vocabulary().iter().filter(|attribute| attribute.phase == Phase::Request) {
            let supplied = attribute.from.contains("sidecar")
                || ["request.size", "request.url_path", "request.headers_all"].contains(&attribute.name);
            assert_eq!(bag.get(attribute.slot).is_some(), supplied, "{}: {}", attribute.name, attribute.from);
        }
        assert_eq!(bag.str(slot::SOURCE_PRINCIPAL), Some("td/ns/a/sa/b"));
        assert_eq!(bag.str(slot::DESTINATION_PRINCIPAL), Some("td/ns/shop/sa/cart"));
        assert_eq!(bag.str(slot::REQUEST_HOST), Some("shop.example"));
        assert!(!bag.headers().contains("host"));
        assert_eq!(bag.int(slot::REQUEST_SIZE), Some(3));
    }

    #[test]
    fn plaintext_has_no_principal_and_says_so() {
        let connection = Connection::new(([10, 0, 0, 9], 4000).into(), ([10, 0, 0, 1], 80).into(), None, None);
        let request =
            Request::get("/").header("host", "a").header("x-forwarded-client-cert", "URI=spiffe://x/y").body(());
        let bag = of_request(&request.unwrap().into_parts().0, Version::HTTP_2, &connection, 5);
        assert_eq!(bag.bool(slot::CONNECTION_MTLS), Some(false));
        assert_eq!(bag.str(slot::SOURCE_PRINCIPAL), None);
        assert_eq!(bag.str(slot::REQUEST_SCHEME), Some("http"));
        assert_eq!(bag.str(slot::REQUEST_PROTOCOL), Some("HTTP/2"));
    }
}
