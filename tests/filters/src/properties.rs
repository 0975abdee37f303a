//! Answers with the properties that the request's headers ask for: `x-property: request.path`, several times.

use proxy_wasm::traits::{Context, HttpContext};
use proxy_wasm::types::Action;

pub(crate) struct Properties;

impl Context for Properties {}

impl Properties {
    fn told(&self) -> String {
        let all = self.get_http_request_headers();
        let wanted = all.iter().filter(|(name, _)| name == "x-property").flat_map(|(_, value)| value.split(','));
        let mut told = String::new();
        for path in wanted {
            let value = match self.get_property(path.trim().split('/').collect()) {
                None => "none".to_owned(),
                Some(bytes) => match std::str::from_utf8(&bytes) {
                    Ok(text) if text.chars().all(|c| c.is_ascii_graphic() || c == ' ') => format!("{text:?}"),
                    _ => format!("{bytes:?}"),
                },
            };
            told += &format!("{path} {value}\n");
        }
        told
    }
}

impl HttpContext for Properties {
    fn on_http_request_headers(&mut self, _: usize, _: bool) -> Action {
        self.set_property(vec!["own_property"], Some(b"set"));
        if self.get_http_request_header("x-when").as_deref() == Some("response") {
            return Action::Continue;
        }
        self.send_http_response(200, vec![], Some(self.told().as_bytes()));
        Action::Pause
    }

    fn on_http_response_headers(&mut self, _: usize, _: bool) -> Action {
        // Read without `get_property`, which would panic where a status is unknown to it.
        for path in [
            "response/code",
            "response/headers/x-secret",
            "request/path",
            "request/method",
            "upstream/address",
            "cluster_name",
            "route_name",
            "listener_direction",
            "xds/cluster_name",
            "node/id",
            "xds/node/id",
            "connection_id/none",
        ] {
            let value = self.get_property(path.split('/').collect());
            let told = value.map_or("none".to_owned(), |bytes| match std::str::from_utf8(&bytes) {
                Ok(text) if text.is_ascii() && !text.contains('\0') => text.replace(char::is_control, "?"),
                _ => format!("{bytes:?}"),
            });
            let told = if path == "upstream/address" { (told != "none").to_string() } else { told };
            self.add_http_response_header("x-told", &format!("{path} {told}"));
        }
        Action::Continue
    }
}
