//! `extensionProviders`: everything that Istio refuses is refused.

use std::{collections::HashSet, sync::Arc, time::Duration};

use crate::{
    document::{EnvoyExtAuthzGrpc, EnvoyExtAuthzHttp, ExtensionProvider, RequestBody},
    problem::Problems,
    provider::{BodyLimit, Endpoint, HeaderNames, HttpExchange, Provider, Transport},
};

/// How many authorizers a mesh can have.
const PROVIDERS_MAX: usize = 256;

/// The longest name, in bytes: a DNS-1123 label.
const NAME_MAX: usize = 63;

/// The longest list of header names.
const HEADER_NAMES_MAX: usize = 128;

/// The most of a request's body that can be sent, in bytes.
const BODY_MAX: u32 = 1 << 20;

/// The longest `timeout`: what Istio means when none is given.
const TIMEOUT_MAX: Duration = Duration::from_secs(600);

/// The authorizers, sorted by name.
pub(super) fn providers(specs: &[ExtensionProvider], problems: &mut Problems<'_>) -> Vec<Arc<Provider>> {
    if specs.len() > PROVIDERS_MAX {
        let message = format!("{} providers, at most {PROVIDERS_MAX} are allowed", specs.len());
        problems.error("spec.extensionProviders", message, "remove those that no policy names");
    }
    let mut names = HashSet::new();
    let mut providers = Vec::new();
    for (index, spec) in specs.iter().enumerate() {
        let path = format!("spec.extensionProviders[{index}]");
        check_name(&path, &spec.name, problems);
        if !names.insert(&spec.name) {
            let message = format!("duplicate extension provider name {}", spec.name);
            problems.error(&format!("{path}.name"), message, "give each provider a name of its own");
        }
        providers.extend(Reading { path, problems: &mut *problems }.provider(spec).map(Arc::new));
    }
    providers.sort_by(|a, b| a.name.cmp(&b.name));
    providers
}

fn check_name(path: &str, name: &str, problems: &mut Problems<'_>) {
    let path = format!("{path}.name");
    let inner = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    if name.is_empty() {
        problems.error(&path, "empty extension provider name", "name it as policies will in `provider.name`");
    } else if name.len() > NAME_MAX || !name.bytes().all(inner) || name.starts_with('-') || name.ends_with('-') {
        problems.error(
            &path,
            format!("{name:?} is not a provider name"),
            "write at most 63 lower-case letters, digits and dashes, with a letter or digit at both ends",
        );
    }
}

/// Reads one provider.
struct Reading<'a, 'p> {
    path: String,
    problems: &'a mut Problems<'p>,
}

impl Reading<'_, '_> {
    fn error(&mut self, field: &str, message: impl Into<String>, help: impl Into<String>) {
        self.problems.error(&format!("{}.{field}", self.path), message, help);
    }

    fn provider(mut self, spec: &ExtensionProvider) -> Option<Provider> {
        let name: Arc<str> = spec.name.as_str().into();
        match (&spec.envoy_ext_authz_grpc, &spec.envoy_ext_authz_http, &spec.adapter) {
            (Some(grpc), None, None) => Some(self.grpc(name, grpc)),
            (None, Some(http), None) => Some(self.http(name, http)),
            (None, None, Some(adapter)) => {
                self.path.push_str(".adapter");
                let whole = adapter.name.split('/').filter(|part| !part.is_empty()).count() == 2;
                if !whole || adapter.name.matches('/').count() != 1 {
                    let message = format!("{:?} does not name an adapter", adapter.name);
                    self.error("name", message, "write NAMESPACE/NAME of an Adapter");
                }
                let transport = Transport::Adapter(adapter.name.as_str().into());
                Some(Provider { name, transport, fail_open: false, status_on_error: 403 })
            }
            (None, None, None) => {
                let path = self.path.clone();
                let message = format!("provider {name} says nothing of how it is asked");
                self.problems.error(&path, message, "add envoyExtAuthzGrpc, envoyExtAuthzHttp or adapter");
                None
            }
            _ => {
                let path = self.path.clone();
                let message = format!("provider {name} is asked in more than one way");
                self.problems.error(&path, message, "keep one of envoyExtAuthzGrpc, envoyExtAuthzHttp and adapter");
                None
            }
        }
    }

    fn grpc(mut self, name: Arc<str>, spec: &EnvoyExtAuthzGrpc) -> Provider {
        self.path.push_str(".envoyExtAuthzGrpc");
        let body = spec.include_request_body_in_check.as_ref();
        let endpoint = self.endpoint(&spec.service, spec.port, spec.timeout.as_deref(), body);
        let status_on_error = self.status(&spec.status_on_error);
        self.route_cache(spec.clear_route_cache);
        Provider { name, transport: Transport::Grpc(endpoint), fail_open: spec.fail_open, status_on_error }
    }

    fn http(mut self, name: Arc<str>, spec: &EnvoyExtAuthzHttp) -> Provider {
        self.path.push_str(".envoyExtAuthzHttp");
        let body = spec.include_request_body_in_check.as_ref();
        let endpoint = self.endpoint(&spec.service, spec.port, spec.timeout.as_deref(), body);
        let status_on_error = self.status(&spec.status_on_error);
        self.route_cache(spec.clear_route_cache);
        self.path_prefix(&spec.path_prefix);
        let old = self.names("includeHeadersInCheck", &spec.include_headers_in_check);
        let sent = self.names("includeRequestHeadersInCheck", &spec.include_request_headers_in_check);
        let exchange = HttpExchange {
            path_prefix: spec.path_prefix.as_str().into(),
            sent: HeaderNames::new(old.iter().chain(sent).map(String::as_str)),
            added: self.added(spec),
            upstream_on_allow: self.list("headersToUpstreamOnAllow", &spec.headers_to_upstream_on_allow),
            downstream_on_allow: self.list("headersToDownstreamOnAllow", &spec.headers_to_downstream_on_allow),
            downstream_on_deny: self.list("headersToDownstreamOnDeny", &spec.headers_to_downstream_on_deny),
        };
        Provider { name, transport: Transport::Http(endpoint, exchange), fail_open: spec.fail_open, status_on_error }
    }

    fn endpoint(&mut self, service: &str, port: u32, timeout: Option<&str>, body: Option<&RequestBody>) -> Endpoint {
        let host = service.rsplit('/').next().unwrap_or_default();
        let in_host = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_');
        let bracketed = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let is_host = bracketed.map_or_else(
            || !host.is_empty() && host.len() <= 253 && host.bytes().all(in_host),
            |inner| inner.parse::<std::net::Ipv6Addr>().is_ok(),
        );
        if service.is_empty() {
            self.error("service", "service must not be empty", "write the authorizer's host name");
        } else if service.matches('/').count() > 1 || service.starts_with('/') || !is_host {
            let message = format!("service value {service:?} not in format [<namespace>/]<service>");
            self.error("service", message, "write a host name, without scheme and port");
        }
        let number = u16::try_from(port).ok().filter(|port| *port != 0);
        if number.is_none() {
            let message = format!("invalid service port: port number {port} must be in the range 1..65535");
            self.error("port", message, "write the port that the authorizer listens on");
        }
        let timeout = timeout.and_then(|text| self.timeout(text));
        let body = body.map(|body| self.body(body));
        Endpoint { host: host.into(), port: number.unwrap_or(0), timeout, body }
    }

    fn timeout(&mut self, text: &str) -> Option<Duration> {
        let timeout = duration(text).filter(|time| !time.is_zero() && *time <= TIMEOUT_MAX);
        if timeout.is_none() {
            self.error(
                "timeout",
                format!("{text:?} is not a timeout"),
                "write seconds as 0.25s, above 0 and at most 600s",
            );
        }
        timeout
    }

    fn body(&mut self, body: &RequestBody) -> BodyLimit {
        if body.max_request_bytes == 0 || body.max_request_bytes > BODY_MAX {
            let message = format!("{} bytes cannot be asked for", body.max_request_bytes);
            let help = format!("write 1 to {BODY_MAX}");
            self.error("includeRequestBodyInCheck.maxRequestBytes", message, help);
        }
        BodyLimit {
            max: body.max_request_bytes as usize,
            partial: body.allow_partial_message,
            as_bytes: body.pack_as_bytes,
        }
    }

    /// A status that Envoy knows. One that does not say "denied" is answered as 403.
    fn status(&mut self, text: &str) -> u16 {
        const USUAL: u16 = 403;
        if text.is_empty() {
            return USUAL;
        }
        let Some(status) = text.parse::<u16>().ok().filter(|status| is_known(*status)) else {
            self.error(
                "statusOnError",
                format!("unsupported statusOnError value {text}"),
                "write an HTTP status in quotes, as \"503\"",
            );
            return USUAL;
        };
        if status < 300 {
            let path = format!("{}.statusOnError", self.path);
            let message = format!("a denial is never answered with {status}: 403 is");
            self.problems.warn(&path, message, "write a status that says that the request failed, as \"503\"");
            return USUAL;
        }
        status
    }

    fn route_cache(&mut self, clear: bool) {
        if clear {
            let path = format!("{}.clearRouteCache", self.path);
            let message = "the proxy that asks decides on its route cache: this says nothing here";
            self.problems.warn(&path, message, "set clear_route_cache in the proxy's own ext_authz filter");
        }
    }

    fn path_prefix(&mut self, prefix: &str) {
        let plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'?' | b'#' | b'"' | b'<' | b'>');
        if !prefix.is_empty() && !prefix.starts_with('/') {
            let message = format!("pathPrefix should begin with `/` but found {prefix:?}");
            self.error("pathPrefix", message, format!("write \"/{prefix}\""));
        } else if !prefix.bytes().all(plain) {
            let message = format!("invalid pathPrefix {prefix:?}");
            self.error("pathPrefix", message, "write a path: percent-encode other characters, and leave the query out");
        }
    }

    fn added(&mut self, spec: &EnvoyExtAuthzHttp) -> Box<[(Box<str>, Box<str>)]> {
        let field = "includeAdditionalHeadersInCheck";
        let headers = &spec.include_additional_headers_in_check;
        for (name, value) in headers {
            if !is_name(name) || value.bytes().any(|byte| byte < 0x20 && byte != b'\t' || byte == 0x7f) {
                let message = format!("{name:?} with that value is not a header");
                self.error(field, message, "write a name and a value as in an HTTP request");
            }
        }
        headers.iter().map(|(name, value)| (name.to_ascii_lowercase().into(), value.as_str().into())).collect()
    }

    fn list(&mut self, field: &str, names: &[String]) -> HeaderNames {
        HeaderNames::new(self.names(field, names).iter().map(String::as_str))
    }

    fn names<'n>(&mut self, field: &str, names: &'n [String]) -> &'n [String] {
        if names.len() > HEADER_NAMES_MAX {
            let message = format!("{} names, at most {HEADER_NAMES_MAX} are allowed", names.len());
            self.error(field, message, "use prefixes, as x-auth-*");
        }
        for (index, name) in names.iter().enumerate() {
            let inner = name.strip_prefix('*').or_else(|| name.strip_suffix('*')).unwrap_or(name);
            if !is_name(inner) {
                let message = format!("{name:?} names no header");
                self.error(
                    &format!("{field}[{index}]"),
                    message,
                    "write x-user, a prefix as x-auth-* or a suffix as *-id",
                );
            }
        }
        names
    }
}

/// Whether it is the name of a header (RFC 9110 §5.1).
fn is_name(name: &str) -> bool {
    let token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'+-.^_`|~".contains(&byte);
    !name.is_empty() && name.len() <= 256 && name.bytes().all(token)
}

/// The statuses of Envoy's `StatusCode` from 200.
fn is_known(status: u16) -> bool {
    matches!(status, 100 | 200..=208 | 226 | 300..=305 | 307 | 308 | 400..=417 | 421..=424 | 426 | 428 | 429 | 431
        | 500..=508 | 510 | 511)
}

/// A number and its unit: `0.25s`, `250ms`, `2m`, `1h`.
fn duration(text: &str) -> Option<Duration> {
    let at = text.find(|c: char| !c.is_ascii_digit() && c != '.')?;
    let (number, unit) = text.split_at(at);
    let unit = match unit {
        "ms" => 0.001,
        "s" => 1.0,
        "m" => 60.0,
        "h" => 3600.0,
        _ => return None,
    };
    Duration::try_from_secs_f64(number.parse::<f64>().ok()? * unit).ok()
}
