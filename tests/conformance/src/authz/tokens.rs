//! The runner's own issuer: the tokens of a row, and the keys of rules that name none.

use std::{
    collections::BTreeMap,
    sync::LazyLock,
    time::{SystemTime, UNIX_EPOCH},
};

use serde_json::{Value as Json, json};
use weir_issuer::{Issuer, spoiled};

static ISSUER: LazyLock<Issuer> = LazyLock::new(Issuer::new);

/// Nanoseconds since 1970. Rows tell times as the world's clocks do.
pub(super) fn now() -> i64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos() as i64)
}

/// The key that [`sign`] signs with.
pub(super) fn jwks() -> String {
    json!({"keys": [ISSUER.key("ES256")]}).to_string()
}

pub(super) fn sign(claims: &Json) -> String {
    ISSUER.sign(claims)
}

/// A text with `{{NAME}}` and `{{NAME!badsig}}` replaced by tokens.
pub(super) fn filled(text: &str, tokens: &BTreeMap<String, Json>) -> String {
    let mut text = text.to_owned();
    for (name, claims) in tokens.iter().filter(|_| text.contains("{{")).collect::<Vec<_>>() {
        let token = sign(claims);
        text = text.replace(&format!("{{{{{name}!badsig}}}}"), &spoiled(&token));
        text = text.replace(&format!("{{{{{name}}}}}"), &token);
    }
    text
}
