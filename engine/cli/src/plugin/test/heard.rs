//! What plugins said in their log, by adapter.

use std::collections::HashMap;
use std::fmt::Debug;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::field::{Field, Visit};
use tracing_subscriber::Layer;
use tracing_subscriber::layer::{Context, SubscriberExt as _};
use tracing_subscriber::util::SubscriberInitExt as _;

/// Lines by adapter.
#[derive(Clone, Debug, Default)]
pub(in crate::plugin) struct Heard(Arc<Mutex<HashMap<String, Vec<String>>>>);

/// Listens from now on.
pub(in crate::plugin) fn listen() -> Heard {
    let heard = Heard::default();
    // Who listens already goes on: then this hears nothing, which no case expects.
    let _ = tracing_subscriber::registry().with(heard.clone()).try_init();
    heard
}

impl Heard {
    /// What that adapter has said so far.
    pub(super) fn take(&self, adapter: &str) -> Vec<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).remove(adapter).unwrap_or_default()
    }
}

impl<S: tracing::Subscriber> Layer<S> for Heard {
    fn on_event(&self, event: &tracing::Event<'_>, _: Context<'_, S>) {
        if event.metadata().target() == "weir::plugin" {
            let mut line = Line::default();
            event.record(&mut line);
            let mut heard = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            heard.entry(line.adapter).or_default().push(line.message);
        }
    }
}

#[derive(Default)]
struct Line {
    adapter: String,
    message: String,
}

impl Visit for Line {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        match field.name() {
            "message" => self.message = format!("{value:?}"),
            "adapter" => self.adapter = format!("{value:?}").trim_matches('"').to_owned(),
            _ => {}
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "message" => value.clone_into(&mut self.message),
            "adapter" => value.clone_into(&mut self.adapter),
            _ => {}
        }
    }
}
