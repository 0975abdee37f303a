//! What enrich adapters find out about a request, before anybody decides.

use std::{sync::Arc, time::Instant};

use weir_adapters::{Failure, FailurePolicy, Field};
use weir_attributes::{Bag, Json, JsonError, Struct, slot};
use weir_policy::{ReasonCode, Verdict};
use weir_telemetry::AdapterOutcome;

use crate::{report::failed, snapshot::Snapshot, translate};

/// Asks every enrich adapter whose scope covers the request, in the order of the configuration: each sees what those before
/// it found. Says whether any was asked: what they find does not lie in the request, so a verdict about it is not reused.
///
/// # Errors
/// The denial, when one failed whose failure policy is closed.
pub(crate) async fn enrich(snapshot: &Snapshot, bag: &mut Bag) -> Result<bool, Verdict> {
    let mut asked = false;
    for binding in snapshot.enriches.iter() {
        if !binding.scope.is_everything() && !binding.scope.covers_destination(bag) {
            continue;
        }
        asked = true;
        let since = Instant::now();
        let found = binding.adapter.enrich(bag).await;
        let outcome = found.as_ref().map_or_else(failed, |_| AdapterOutcome::Ok);
        binding.metrics.call(outcome, since.elapsed());
        let held_back = found.as_ref().is_err_and(|failure| failure.cause.is_held_back());
        let put = match found {
            Ok(fields) => put(bag, fields).map_err(|error| error.to_string()),
            Err(failure) => Err(Failure::to_string(&failure)),
        };
        if let Err(why) = put {
            if !held_back {
                tracing::warn!(adapter = &**binding.adapter.name(), "enrichment failed: {why}");
            }
            if binding.failure_policy == FailurePolicy::Closed {
                return Err(Verdict::deny_because(ReasonCode::AdapterFailed, why));
            }
        }
    }
    Ok(asked)
}

/// Puts fields into `metadata`, beside what the proxy said and instead of what has their names.
fn put(bag: &mut Bag, fields: Vec<Field>) -> Result<(), JsonError> {
    if fields.is_empty() {
        return Ok(());
    }
    let told = bag.struct_of(slot::METADATA).cloned().unwrap_or_default();
    let kept = told.iter().filter(|(name, _)| fields.iter().all(|(field, _)| field != name));
    let mut entries: Vec<(Box<str>, Json)> = kept.map(|(name, value)| (name.into(), value.clone())).collect();
    for (name, value) in fields {
        entries.push((name.into(), translate::json(value)?));
    }
    bag.set_struct(slot::METADATA, Arc::new(Struct::new(entries)?));
    Ok(())
}
