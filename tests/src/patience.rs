//! Waiting for a condition with a deadline: the only place where the house sleeps.

use crate::Outcome;
use std::time::{Duration, Instant};

/// How often a condition is looked at.
const LOOK: Duration = Duration::from_millis(15);

/// How long a story waits for something that must happen before it is called broken. Generous, since two cores run
/// everything at once; nothing waits this long when all is well.
pub const PATIENCE: Duration = Duration::from_secs(20);

/// Asks until the answer is there, or fails after [`PATIENCE`] naming `what`.
pub async fn until<T>(what: &str, ask: impl AsyncFnMut() -> Option<T>) -> Outcome<T> {
    within(PATIENCE, what, ask).await
}

/// Asks until the answer is there, or fails after `limit` naming `what`.
pub async fn within<T>(limit: Duration, what: &str, mut ask: impl AsyncFnMut() -> Option<T>) -> Outcome<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await {
            return Ok(answer);
        }
        if start.elapsed() > limit {
            return Err(format!("waited {limit:?} in vain: {what}").into());
        }
        tokio::time::sleep(LOOK).await;
    }
}
