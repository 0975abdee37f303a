//! An issuer of tokens on a free port: it publishes keys, withdraws them, and breaks down.

use crate::Outcome;
use crate::echo::Echo;
use bytes::Bytes;
use http::{Response, StatusCode};
use http_body_util::Full;
use serde_json::{Value, json};
use std::sync::{Arc, Mutex, PoisonError};

/// The issuer; gone when dropped.
#[derive(Debug)]
pub struct Issuer {
    server: Echo,
    /// The ids of the keys that are published; none: it breaks down.
    published: Arc<Mutex<Option<Vec<String>>>>,
}

impl Issuer {
    /// Starts one that publishes the keys of these ids.
    pub async fn start(ids: &[&str]) -> Outcome<Self> {
        let published = Arc::new(Mutex::new(None::<Vec<String>>));
        let keys = published.clone();
        let server = Echo::answering(move |seen| {
            let host = crate::echo::lines(seen, "host").concat();
            let body = match seen["target"].as_str() {
                Some("/keys") => jwks(keys.lock().unwrap_or_else(PoisonError::into_inner).as_deref()?),
                Some("/.well-known/openid-configuration") => json!({"jwks_uri": format!("http://{host}/keys")}),
                _ => Value::Null,
            };
            let mut response = Response::new(Full::new(Bytes::from(body.to_string())));
            *response.status_mut() = if body.is_null() { StatusCode::NOT_FOUND } else { StatusCode::OK };
            Some(response)
        });
        let issuer = Self { server: server.await?, published };
        issuer.publish(ids);
        Ok(issuer)
    }

    /// Its name in tokens, which is where its OpenID configuration is asked for.
    pub fn name(&self) -> String {
        format!("http://{}", self.server.address())
    }

    /// Where its keys are.
    pub fn keys(&self) -> String {
        format!("{}/keys", self.name())
    }

    /// From now on it publishes these keys, and no other.
    pub fn publish(&self, ids: &[&str]) {
        let ids = ids.iter().map(|id| (*id).to_owned()).collect();
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = Some(ids);
    }

    /// From now on nobody gets an answer about keys.
    pub fn hang(&self) {
        *self.published.lock().unwrap_or_else(PoisonError::into_inner) = None;
    }

    /// How often its keys were asked for.
    pub fn asked(&self) -> usize {
        self.server.seen().iter().filter(|seen| seen["target"] == "/keys").count()
    }

    /// A token for `subject` by the key `id`, for ever.
    pub fn token(&self, id: &str, subject: &str) -> String {
        weir_issuer::sign_by_secret(&secret(id), id, &json!({"iss": self.name(), "sub": subject}))
    }
}

fn jwks(ids: &[String]) -> Value {
    let key = |id: &String| json!({"kty": "oct", "kid": id, "k": weir_issuer::encode(secret(id))});
    json!({"keys": ids.iter().map(key).collect::<Vec<_>>()})
}

/// The key of that id.
fn secret(id: &str) -> Vec<u8> {
    format!("the key {id} of a story, long enough").into_bytes()
}
