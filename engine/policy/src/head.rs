//! What a request's head must be before a policy is asked about it. Envoy's HTTP/1 parser answers 400 to anything else, so a
//! proxy that takes it would let `get` pass where policies speak of `GET`.

/// The methods that Envoy's HTTP/1 parser knows, sorted.
const METHODS: [&str; 34] = [
    "ACL",
    "BIND",
    "CHECKOUT",
    "CONNECT",
    "COPY",
    "DELETE",
    "GET",
    "HEAD",
    "LINK",
    "LOCK",
    "MERGE",
    "MKACTIVITY",
    "MKCALENDAR",
    "MKCOL",
    "MOVE",
    "MSEARCH",
    "NOTIFY",
    "OPTIONS",
    "PATCH",
    "POST",
    "PROPFIND",
    "PROPPATCH",
    "PURGE",
    "PUT",
    "REBIND",
    "REPORT",
    "SEARCH",
    "SOURCE",
    "SUBSCRIBE",
    "TRACE",
    "UNBIND",
    "UNLINK",
    "UNLOCK",
    "UNSUBSCRIBE",
];

/// Whether an HTTP/1 request may have that method: one that is registered or widely used, in upper case. HTTP/2 has no such
/// list: there a method is any token.
#[must_use]
pub fn is_method(method: &str) -> bool {
    METHODS.binary_search(&method).is_ok()
}

/// Whether a header line may have that name: not empty, printable ASCII without white space and colon.
#[must_use]
pub fn is_header_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b':')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn methods_are_sorted_and_known_in_upper_case_only() {
        assert!(METHODS.is_sorted());
        for (method, known) in [
            ("GET", true),
            ("UNSUBSCRIBE", true),
            ("ACL", true),
            ("get", false),
            ("Get", false),
            ("GETX", false),
            ("", false),
        ] {
            assert_eq!(is_method(method), known, "{method}");
        }
    }

    #[test]
    fn a_header_name_has_no_white_space() {
        for (name, good) in
            [("x-a", true), ("X_A", true), ("", false), ("x a", false), ("x\ta", false), ("a:b", false), ("é", false)]
        {
            assert_eq!(is_header_name(name), good, "{name}");
        }
    }
}
