//! Asks requests for a key and tells the workload whose it is.

use std::collections::HashMap;

use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use weir::{Configure, Failure, HeaderOp, Value, Verdict};

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Config {
    keys: Vec<Key>,
    client_header: Option<String>,
    message: Option<String>,
}

#[derive(Deserialize)]
struct Key {
    client: String,
    sha256: String,
}

type Hash = [u8; 32];

struct Keys {
    /// Looked up by hash: how long that takes says nothing of a key.
    clients: HashMap<Hash, String>,
    client_header: Option<String>,
    message: Option<String>,
}

impl Configure for Keys {
    fn configure(json: &str) -> Result<Self, Failure> {
        let Config { keys, client_header, message } = Config::configure(json)?;
        let mut clients = HashMap::with_capacity(keys.len());
        for Key { client, sha256 } in keys {
            let hash = hash_of(&sha256).ok_or_else(|| {
                Failure::InvalidInput(format!("the sha256 of {client:?} is not 64 hexadecimal digits"))
            })?;
            if let Some(other) = clients.insert(hash, client.clone()) {
                return Err(Failure::InvalidInput(format!("{client:?} and {other:?} have the same key")));
            }
        }
        Ok(Keys { clients, client_header, message })
    }
}

fn hash_of(text: &str) -> Option<Hash> {
    let mut hash = Hash::default();
    let (pairs, []) = text.as_bytes().as_chunks::<2>() else { return None };
    if pairs.len() != hash.len() {
        return None;
    }
    for (byte, pair) in hash.iter_mut().zip(pairs) {
        *byte = u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()?;
    }
    Some(hash)
}

#[weir::check]
fn check(inputs: Inputs, keys: &Keys) -> Result<Verdict, Failure> {
    let is_bound = inputs.bound.iter().any(|(name, _)| name == "key");
    let key = match inputs.bound.get("key") {
        Some(Value::Text(text)) => Some(text.as_str()),
        Some(other) => return Err(Failure::InvalidInput(format!("`key` is bound to {other:?}, not to a text"))),
        None if is_bound => None,
        None => inputs.request_headers_x_api_key.as_deref(),
    };
    let Some(key) = key.filter(|key| !key.is_empty()) else { return Ok(denial(keys, "there is no key")) };
    let hash: Hash = Sha256::digest(key.as_bytes()).into();
    let Some(client) = keys.clients.get(&hash) else { return Ok(denial(keys, "nobody has this key")) };
    let verdict = Verdict::abstain().metadata("client", client.as_str());
    Ok(match &keys.client_header {
        Some(header) => verdict.set_header(header, client),
        None => verdict,
    })
}

fn denial(keys: &Keys, reason: &str) -> Verdict {
    let verdict = Verdict::deny(reason).status(401);
    let verdict = verdict.header(HeaderOp::Set(("www-authenticate".to_owned(), "ApiKey".to_owned())));
    match &keys.message {
        Some(message) => verdict.message(message.as_str()),
        None => verdict,
    }
}
