//! Bodies: looked at as they pass, or held until they are complete and then rewritten.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

#[derive(Default)]
pub(crate) struct Body {
    mode: String,
    seen: usize,
}

impl Context for Body {}

impl HttpContext for Body {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.mode = self.get_http_request_header("x-mode").unwrap_or_default();
        self.set_http_request_header("content-length", None);
        Action::Continue
    }

    fn on_http_request_body(&mut self, size: usize, end: bool) -> Action {
        match self.mode.as_str() {
            "hold" if !end => Action::Pause,
            "hold" => {
                let body = self.get_http_request_body(0, size).unwrap_or_default();
                self.set_http_request_body(0, size, &body.to_ascii_uppercase());
                Action::Continue
            }
            "append" if end => {
                self.set_http_request_body(size, 0, b"[end]");
                Action::Continue
            }
            "prepend" if self.seen == 0 => {
                self.seen = size;
                self.set_http_request_body(0, 0, b"[begin]");
                Action::Continue
            }
            "deny" => {
                let body = self.get_http_request_body(0, size).unwrap_or_default();
                if body.windows(3).any(|three| three == b"bad") {
                    self.send_http_response(400, vec![("x-seen", "bad")], Some(b"a bad body"));
                    return Action::Pause;
                }
                Action::Continue
            }
            "forever" => Action::Pause,
            _ => Action::Continue,
        }
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.seen = 0;
        self.set_http_response_header("content-length", None);
        Action::Continue
    }

    fn on_http_response_body(&mut self, size: usize, end: bool) -> Action {
        if self.mode == "keep" {
            return Action::Continue;
        }
        if !end {
            return Action::Pause;
        }
        let body = self.get_http_response_body(0, size).unwrap_or_default();
        let text = String::from_utf8_lossy(&body).replace("upstream", "filter");
        self.set_http_response_body(0, size, text.as_bytes());
        Action::Continue
    }
}
