//! Asks another service whether the request may pass, and waits for its answer.

use std::time::Duration;

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

#[derive(Default)]
pub(crate) struct Auth {
    waits: bool,
}

impl Context for Auth {
    fn on_http_call_response(&mut self, _: u32, lines: usize, size: usize, trailers: usize) {
        let header = |name: &str| self.get_http_call_response_header(name);
        let status = header(":status").unwrap_or_else(|| "none".to_owned());
        let user = header("x-user-id").unwrap_or_default();
        let body = self.get_http_call_response_body(0, size).unwrap_or_default();
        let counted = self.get_http_call_response_headers().len() == lines && trailers == 0;
        if status == "200" {
            self.set_http_request_header("x-user-id", Some(&user));
            self.set_http_request_header("x-auth-said", Some(&format!("{} {counted}", String::from_utf8_lossy(&body))));
            self.set_http_request_header("x-auth", None);
            self.waits = false;
            self.resume_http_request();
        } else {
            let said = format!("auth says {status}");
            self.send_http_response(401, vec![("x-auth-status", &status)], Some(said.as_bytes()));
        }
    }
}

impl HttpContext for Auth {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        let token = self.get_http_request_header("x-auth").unwrap_or_default();
        let path = format!("/auth?token={token}");
        let (cluster, headers) = match token.as_str() {
            "nowhere" => ("nobody", vec![(":method", "GET"), (":path", &*path), (":authority", "auth.example")]),
            "incomplete" => ("auth", vec![(":method", "GET"), (":path", &*path)]),
            "dead" => ("dead", vec![(":method", "GET"), (":path", &*path), (":authority", "auth.example")]),
            _ => {
                ("auth", vec![(":method", "POST"), (":path", &*path), (":authority", "auth.example"), ("x-extra", "1")])
            }
        };
        let time = Duration::from_millis(if token == "slow" { 200 } else { 10_000 });
        match self.dispatch_http_call(cluster, headers, Some(b"who is it"), vec![], time) {
            Ok(_) => {
                self.waits = true;
                Action::Pause
            }
            Err(status) => {
                let said = format!("not sent: {status:?}");
                self.send_http_response(500, vec![], Some(said.as_bytes()));
                Action::Pause
            }
        }
    }

    fn on_http_request_body(&mut self, size: usize, _: bool) -> Action {
        // Nothing of the body comes before the answer.
        if self.waits {
            self.send_http_response(500, vec![], Some(format!("{size} bytes too early").as_bytes()));
        }
        Action::Continue
    }
}
