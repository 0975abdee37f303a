//! Who a certificate says its holder is.

use rustls_pki_types::CertificateDer;
use x509_parser::{extensions::GeneralName, prelude::FromDer as _};

/// The SPIFFE id of a certificate: its one URI name, `spiffe://` included. None when there is no URI name, more than one,
/// or one that is not a SPIFFE id (SPIFFE ID §2: a trust domain of lower-case letters, digits, `.`, `-`, `_`, then path
/// segments of letters, digits, `.`, `-`, `_`; no escapes, no query, no NUL). Whether the certificate is trusted is the
/// verifier's business: ask only about a verified one.
pub(crate) fn spiffe_id(certificate: &CertificateDer<'_>) -> Option<String> {
    let (_, certificate) = x509_parser::certificate::X509Certificate::from_der(certificate).ok()?;
    let names = certificate.subject_alternative_name().ok()??;
    let mut uris = names.value.general_names.iter().filter_map(|name| match name {
        GeneralName::URI(uri) => Some(*uri),
        _ => None,
    });
    match (uris.next(), uris.next()) {
        (Some(uri), None) if is_spiffe_id(uri) => Some(uri.to_owned()),
        _ => None,
    }
}

fn is_spiffe_id(uri: &str) -> bool {
    let Some((trust_domain, path)) =
        uri.strip_prefix("spiffe://").map(|rest| rest.split_once('/').unwrap_or((rest, "")))
    else {
        return false;
    };
    let in_domain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'.' | b'-' | b'_');
    let in_path = |byte: u8| in_domain(byte) || byte.is_ascii_uppercase();
    !trust_domain.is_empty()
        && trust_domain.bytes().all(in_domain)
        && !path.is_empty()
        && uri.len() <= 2048
        && path.split('/').all(|segment| !["", ".", ".."].contains(&segment) && segment.bytes().all(in_path))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn certificate(uris: &[&str]) -> CertificateDer<'static> {
        let mut params = rcgen::CertificateParams::new(vec!["a.example".to_owned()]).unwrap();
        for uri in uris {
            params.subject_alt_names.push(rcgen::SanType::URI((*uri).try_into().unwrap()));
        }
        params.self_signed(&rcgen::KeyPair::generate().unwrap()).unwrap().der().clone()
    }

    #[test]
    fn a_principal_is_the_one_uri_name_and_nothing_else() {
        let good = "spiffe://cluster.local/ns/shop/sa/cart";
        assert_eq!(spiffe_id(&certificate(&[good])).as_deref(), Some(good));
        let bad: [&[&str]; 12] = [
            &[],
            &[good, "spiffe://cluster.local/ns/shop/sa/admin"],
            &[good, "https://example.org"],
            &["https://example.org/ns/a/sa/b"],
            &["spiffe://cluster.local"],
            &["spiffe:///ns/a"],
            &["spiffe://cluster.local/ns/a/sa/b\0"],
            &["spiffe://cluster.local/ns/a/../b"],
            &["spiffe://cluster.local/ns//b"],
            &["spiffe://cluster.local/ns/a;URI=spiffe://x/y"],
            &["spiffe://cluster.local/ns/a?b"],
            &["SPIFFE://cluster.local/ns/a"],
        ];
        for uris in bad {
            assert_eq!(spiffe_id(&certificate(uris)), None, "{uris:?}");
        }
        assert_eq!(spiffe_id(&CertificateDer::from(vec![0x30, 0x82])), None);
    }
}
