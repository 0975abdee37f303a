//! Headers of a message's transport.

/// Names, in lower case, of headers that belong to one connection or frame one message (RFC 9110 §7.6.1, RFC 7540 §3.2.1):
/// nobody's answer may set one, and none is sent on. `host` is not among them: it routes.
#[must_use]
pub fn is_framing(name: &str) -> bool {
    const NAMES: [&str; 9] = [
        "connection",
        "content-length",
        "http2-settings",
        "keep-alive",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
    ];
    NAMES.contains(&name)
}
