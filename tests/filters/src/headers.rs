//! Adds, removes and replaces headers both ways, and answers some requests itself.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

pub(crate) struct Headers;

impl Context for Headers {}

impl HttpContext for Headers {
    fn on_http_request_headers(&mut self, lines: usize, end: bool) -> Action {
        self.add_http_request_header("x-added", "one");
        self.add_http_request_header("X-Added", "two");
        self.set_http_request_header("x-replace", Some("new"));
        self.set_http_request_header("x-remove", None);
        self.add_http_request_header("x-end", &end.to_string());
        let grown = self.get_http_request_headers().len() > lines;
        self.add_http_request_header("x-grown", &grown.to_string());
        let path = self.get_http_request_header(":path").unwrap_or_default();
        match path.as_str() {
            "/private" => {
                let headers = vec![("x-why", "private"), ("x-why", "twice"), ("content-type", "text/plain; charset=x")];
                self.send_http_response(403, headers, Some(b"not for you\n"));
                // Whatever it says now: it has answered.
                Action::Continue
            }
            "/empty" => {
                self.send_http_response(401, vec![("www-authenticate", "Basic")], None);
                Action::Pause
            }
            "/rewrite" => {
                self.set_http_request_header(":path", Some("/rewritten?by=filter"));
                self.set_http_request_header(":authority", Some("other.example"));
                self.set_http_request_header(":method", Some("DELETE"));
                Action::Continue
            }
            "/headless" => {
                self.set_http_request_header(":path", None);
                Action::Continue
            }
            "/all" => {
                let mut all = self.get_http_request_headers();
                all.retain(|(name, _)| name.starts_with(':') || name == "x-keep" || name == "x-forwarded-proto");
                all.push(("x-all".to_owned(), "set".to_owned()));
                self.set_http_request_headers(
                    all.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect(),
                );
                Action::Continue
            }
            "/broken" => {
                self.set_http_request_header("x-broken", Some("a\nb"));
                Action::Continue
            }
            "/pseudo" => {
                let names: Vec<String> = self.get_http_request_headers().into_iter().map(|(name, _)| name).collect();
                let first: Vec<String> = names.into_iter().take(4).collect();
                self.send_http_response(200, vec![], Some(first.join(" ").as_bytes()));
                Action::Pause
            }
            _ => Action::Continue,
        }
    }

    fn on_http_response_headers(&mut self, _: usize, end: bool) -> Action {
        self.add_http_response_header("x-response", "one");
        self.add_http_response_header("x-response", "two");
        self.add_http_response_header("x-response-end", &end.to_string());
        self.set_http_response_header("x-upstream-secret", None);
        if self.get_http_response_header("x-teapot").is_some() {
            self.set_http_response_header(":status", Some("418"));
        }
        if self.get_http_response_header("x-answer").is_some() {
            self.send_http_response(502, vec![("x-from", "response")], Some(b"answered on the way back"));
        }
        Action::Continue
    }
}

/// Writes its name into a header each way, so that the order of filters is seen; panics when told to.
pub(crate) struct Stamp(pub(crate) String);

impl Context for Stamp {}

impl HttpContext for Stamp {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.add_http_request_header("x-stamp", &self.0);
        if self.get_http_request_header("x-panic").as_deref() == Some(&self.0) {
            panic!("as told");
        }
        Action::Continue
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        self.add_http_response_header("x-stamp", &self.0);
        Action::Continue
    }
}
