//! From the operator's configuration to the plugin's state.

use serde::de::DeserializeOwned;

use crate::{Failure, Refusal};

/// What a plugin keeps between calls, made once from its configuration.
///
/// Every type that is `serde::Deserialize` is one already. Implement it by hand to precompute
/// something, to declare [metrics](crate::Family), or to look at the operator's
/// [bindings](crate::bindings).
pub trait Configure: Sized {
    /// `json` has been checked against the schema in the manifest.
    ///
    /// # Errors
    /// Whatever the operator should read; the plugin is not loaded then.
    fn configure(json: &str) -> Result<Self, Failure>;
}

impl<T: DeserializeOwned> Configure for T {
    fn configure(json: &str) -> Result<Self, Failure> {
        serde_json::from_str(json).map_err(|e| Failure::InvalidInput(format!("the configuration does not fit: {e}")))
    }
}

/// The state of a plugin that keeps nothing.
#[derive(Clone, Copy, Debug)]
pub struct NoConfig;

impl Configure for NoConfig {
    fn configure(_: &str) -> Result<Self, Failure> {
        Ok(NoConfig)
    }
}

impl From<String> for Failure {
    /// What the host refused, or what the author has to say: the plugin's own fault.
    fn from(text: String) -> Self {
        Failure::Internal(text)
    }
}

impl From<&str> for Failure {
    fn from(text: &str) -> Self {
        Failure::Internal(text.to_owned())
    }
}

impl From<Refusal> for Failure {
    /// What the host did not do; `?` makes it the call's answer.
    fn from(refusal: Refusal) -> Self {
        use crate::RefusalCode::{Timeout, Unavailable};
        match refusal.code {
            Unavailable | Timeout => Failure::Unavailable(refusal.message),
            _ => Failure::Internal(refusal.message),
        }
    }
}
