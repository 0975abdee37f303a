//! Ticks, metrics, shared data, and what is seen when a request is over.

use std::time::Duration;

use proxy_wasm::hostcalls;
use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{Action, MetricType, Status};

/// Begins to tick and defines a gauge.
pub(crate) fn start(root: &dyn RootContext) -> Option<u32> {
    root.set_tick_period(Duration::from_millis(20));
    hostcalls::define_metric(MetricType::Gauge, "test_ticks").ok()
}

pub(crate) fn tick(root: &dyn RootContext, ticks: u64, gauge: Option<u32>) {
    if let Some(gauge) = gauge {
        let _ = hostcalls::record_metric(gauge, ticks);
    }
    let _ = root.set_shared_data("ticks", Some(&ticks.to_le_bytes()), None);
}

pub(crate) struct Ticker;

impl Context for Ticker {}

impl HttpContext for Ticker {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let Some(step) = self.get_http_request_header("x-shared") else { return Action::Continue };
        let (value, cas) = self.get_shared_data("key");
        let text = value.map_or("none".to_owned(), |value| String::from_utf8_lossy(&value).into_owned());
        let set = match step.as_str() {
            "set" => self.set_shared_data("key", Some(b"first"), None),
            "swap" => self.set_shared_data("key", Some(b"second"), cas),
            "stale" => {
                let _ = self.set_shared_data("key", Some(b"third"), cas);
                self.set_shared_data("key", Some(b"fourth"), cas)
            }
            "ticks" => {
                let ticked = self.get_shared_data("ticks").0.is_some_and(|ticks| ticks != [0; 8]);
                self.send_http_response(200, vec![], Some(format!("ticked {ticked}").as_bytes()));
                return Action::Pause;
            }
            _ => Err(Status::NotFound),
        };
        self.send_http_response(200, vec![], Some(format!("{text} {set:?}").as_bytes()));
        Action::Pause
    }

    fn on_log(&mut self) {
        let path = self.get_http_request_header(":path").unwrap_or_default();
        let status = self.get_http_response_header(":status").unwrap_or_default();
        let code = self
            .get_property(vec!["response", "code"])
            .and_then(|code| code.try_into().ok())
            .map_or(0, i64::from_le_bytes);
        let size = self
            .get_property(vec!["response", "size"])
            .and_then(|size| size.try_into().ok())
            .map_or(0, i64::from_le_bytes);
        let name = format!("test_log_{}_{status}_{code}", path.trim_matches('/').replace(['/', '?', '='], "_"));
        if let Ok(counter) = hostcalls::define_metric(MetricType::Counter, &name) {
            let _ = hostcalls::increment_metric(counter, 1);
        }
        if let Ok(counter) = hostcalls::define_metric(MetricType::Counter, "test_log_bytes")
            && size > 0
        {
            let _ = hostcalls::increment_metric(counter, size);
        }
    }
}
