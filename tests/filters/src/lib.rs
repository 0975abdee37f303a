//! Filters on the proxy-wasm SDK, for tests: the plugin's configuration says which one it is. The same module runs in Envoy
//! and in the sidecar, and what clients see must be equal.

mod auth;
mod body;
mod headers;
mod probe;
mod properties;
mod ticker;

use proxy_wasm::traits::{Context, HttpContext, RootContext};
use proxy_wasm::types::{ContextType, LogLevel};

proxy_wasm::main! {{
    proxy_wasm::set_log_level(LogLevel::Warn);
    proxy_wasm::set_root_context(|_| Box::new(Root::default()));
}}

#[derive(Default)]
struct Root {
    behaviour: String,
    ticks: u64,
    gauge: Option<u32>,
}

impl Context for Root {}

impl RootContext for Root {
    fn on_configure(&mut self, _: usize) -> bool {
        let configuration = self.get_plugin_configuration().unwrap_or_default();
        self.behaviour = String::from_utf8(configuration).unwrap_or_default();
        match self.behaviour.as_str() {
            "refuse" => return false,
            "ticker" => self.gauge = ticker::start(self),
            _ => {}
        }
        true
    }

    fn on_tick(&mut self) {
        self.ticks += 1;
        ticker::tick(self, self.ticks, self.gauge);
    }

    fn create_http_context(&self, _: u32) -> Option<Box<dyn HttpContext>> {
        Some(match self.behaviour.as_str() {
            "headers" => Box::new(headers::Headers),
            "body" => Box::<body::Body>::default(),
            "auth" => Box::<auth::Auth>::default(),
            "properties" => Box::new(properties::Properties),
            "ticker" => Box::new(ticker::Ticker),
            "probe" => Box::<probe::Probe>::default(),
            other => Box::new(headers::Stamp(other.to_owned())),
        })
    }

    fn get_type(&self) -> Option<ContextType> {
        Some(ContextType::HttpContext)
    }
}
