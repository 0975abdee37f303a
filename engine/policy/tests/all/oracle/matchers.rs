//! One value against one request, field by field: authz.md §3.

use std::net::IpAddr;

use super::{Asked, Oracle, Policy, World, normalized};

impl Oracle {
    pub(super) fn matches(&mut self, field: &str, value: &str, policy: &Policy, world: &World, asked: &Asked) -> bool {
        let bug = self.bug == Some(field.split('[').next().unwrap());
        match field {
            "methods" => self.text(value, asked.method.as_deref(), !bug, false),
            "hosts" => {
                let host = asked.host.as_deref().map(str::to_lowercase);
                let value = if bug { value.to_owned() } else { value.to_lowercase() };
                self.text(&value, host.as_deref(), true, false)
            }
            "paths" => {
                let target = normalized(world.normalization, &asked.target);
                self.path(value, target.split('?').next().unwrap(), bug)
            }
            "ports" | "destination.port" => {
                let port = asked.destination.as_ref().is_some_and(|(_, port)| value == port.to_string());
                port || bug && value.ends_with('0')
            }
            "principals" | "source.principal" => self.principal(value, world, asked, bug),
            "namespaces" | "source.namespace" => {
                let case = if bug { "(?i)" } else { "" };
                let pattern = format!("{case}.*/ns/{}/.*", regex::escape(value).replace(r"\*", ".*"));
                asked.principal.as_deref().is_some_and(|name| self.full(&pattern, &format!("spiffe://{name}")))
            }
            "serviceAccounts" | "source.serviceAccount" => {
                let (namespace, account) = value.split_once('/').unwrap_or((&policy.namespace, value));
                let (namespace, account) = (regex::escape(namespace), regex::escape(account));
                let tail = if bug { "" } else { "(/.+)?" };
                let pattern = format!("spiffe://.+/ns/{namespace}/(.+/|)sa/{account}{tail}");
                asked.principal.as_deref().is_some_and(|name| self.full(&pattern, &format!("spiffe://{name}")))
            }
            "trustDomains" | "source.trustDomain" => self.trust_domain(value, world, asked, bug),
            "ipBlocks" | "source.ip" => within(value, asked.source_ip.as_deref(), bug),
            "remoteIpBlocks" | "remote.ip" => {
                let forwarded = asked.headers.iter().filter(|(name, _)| name == "x-forwarded-for");
                let last = forwarded.flat_map(|(_, line)| line.split(',')).map(str::trim).next_back();
                let last = last.filter(|entry| entry.parse::<IpAddr>().is_ok());
                within(value, last.or(asked.source_ip.as_deref()), bug)
            }
            "destination.ip" => within(value, asked.destination.as_ref().map(|(ip, _)| &**ip), bug),
            "requestPrincipals" | "request.auth.principal" => self.request_principal(value, asked, bug),
            "request.auth.audiences" => self.claim(&["aud"], value, asked, bug),
            "request.auth.presenter" => self.claim(&["azp"], value, asked, bug),
            "connection.sni" => self.text(value, asked.sni.as_deref(), true, !bug),
            _ if field.starts_with("request.auth.claims[") => {
                let keys = field.strip_prefix("request.auth.claims[").unwrap().strip_suffix(']').unwrap();
                self.claim(&keys.split("][").collect::<Vec<_>>(), value, asked, bug)
            }
            _ if field.starts_with("experimental.") => {
                let (filter, key) = field.strip_prefix("experimental.").unwrap().split_once('[').unwrap();
                self.said(filter, key.strip_suffix(']').unwrap(), value, asked, bug)
            }
            _ => {
                let name = field.strip_prefix("request.headers[").unwrap().trim_end_matches(']').to_lowercase();
                if name == ":path" {
                    let target = normalized(world.normalization, &asked.target);
                    return self.text(value, Some(&target), true, false);
                }
                let lines = asked.headers.iter().filter(|(header, _)| header.to_lowercase() == name);
                let lines: Vec<String> = lines.map(|(_, line)| line.trim().to_owned()).collect();
                if bug {
                    return !lines.is_empty() && self.text(value, Some(&lines.join(",")), true, false);
                }
                lines.iter().any(|line| self.text(value, Some(line), true, false))
            }
        }
    }

    /// Exact, `p*`, `*s`, `*`; `filled`: presence asks for a text that is not empty.
    pub(super) fn text(&mut self, pattern: &str, text: Option<&str>, sensitive: bool, filled: bool) -> bool {
        let Some(text) = text else { return false };
        let (pattern, text) = match sensitive {
            true => (pattern.to_owned(), text.to_owned()),
            false => (pattern.to_lowercase(), text.to_lowercase()),
        };
        if pattern == "*" {
            return !filled || !text.is_empty();
        }
        match (pattern.strip_prefix('*'), pattern.strip_suffix('*')) {
            (Some(suffix), _) => text.ends_with(suffix),
            (None, Some(prefix)) => text.starts_with(prefix),
            (None, None) => text == pattern,
        }
    }

    fn path(&mut self, value: &str, path: &str, bug: bool) -> bool {
        if !value.contains('{') {
            return self.text(value, Some(path), !bug, true);
        }
        let any = if bug { ".+" } else { ".*" };
        let pattern = regex::escape(value).replace(r"\{\*\*\}", any).replace(r"\{\*\}", "[^/]+");
        self.full(&pattern, path)
    }

    fn principal(&mut self, value: &str, world: &World, asked: &Asked, bug: bool) -> bool {
        let identity = asked.principal.as_deref().map(|name| format!("spiffe://{name}"));
        let Some(identity) = identity else { return false };
        expanded(value, world, bug).iter().any(|value| {
            let quoted = |text: &str| regex::escape(text);
            let pattern = match (value.strip_prefix('*'), value.strip_suffix('*')) {
                _ if value == "*" => ".+".to_owned(),
                (Some(suffix), _) => format!("spiffe://.*{}", quoted(suffix)),
                (None, Some(prefix)) => format!("spiffe://{}.*", quoted(prefix)),
                (None, None) => format!("spiffe://{}", quoted(value)),
            };
            self.full(&pattern, &identity)
        })
    }

    fn trust_domain(&mut self, value: &str, world: &World, asked: &Asked, bug: bool) -> bool {
        let identity = asked.principal.as_deref().map(|name| format!("spiffe://{name}"));
        let Some(identity) = identity else { return false };
        let ours = value == "cluster.local" || world.trust_domains.iter().any(|own| own == value);
        let all = if ours && !bug { world.trust_domains.clone() } else { vec![value.to_owned()] };
        all.iter().any(|value| {
            let pattern = match value.as_str() {
                "*" => "spiffe://.*".to_owned(),
                value => format!("spiffe://{}/.*", regex::escape(value).replace(r"\*", "[^/]*")),
            };
            self.full(&pattern, &identity)
        })
    }

    /// Whether the pattern matches the whole text.
    pub(super) fn full(&mut self, pattern: &str, text: &str) -> bool {
        if !self.regexes.contains_key(pattern) {
            let whole = regex::Regex::new(&format!("^(?s:{pattern})$")).unwrap();
            self.regexes.insert(pattern.to_owned(), whole);
        }
        self.regexes[pattern].is_match(text)
    }
}

/// The trust domains of the mesh in the place of one that means it, in principals of five parts.
fn expanded(value: &str, world: &World, bug: bool) -> Vec<String> {
    let parts: Vec<&str> = value.split('/').collect();
    if parts.len() != 5 || parts[0] == "*" || bug {
        return vec![value.to_owned()];
    }
    let like = |pattern: &str, text: &str| {
        pattern == text
            || pattern.strip_prefix('*').is_some_and(|suffix| text.ends_with(suffix))
            || pattern.strip_suffix('*').is_some_and(|prefix| text.starts_with(prefix))
    };
    let mine = world.trust_domains.iter().any(|own| like(parts[0], own) || like(own, parts[0]));
    if !mine && parts[0] != "cluster.local" {
        return vec![value.to_owned()];
    }
    let rest = parts[1..].join("/");
    let covered = |own: &String| parts[0].starts_with('*') && like(parts[0], own);
    world
        .trust_domains
        .iter()
        .map(|own| if covered(own) { value.to_owned() } else { format!("{own}/{rest}") })
        .collect()
}

/// Whether an address is in a block, bit by bit.
fn within(block: &str, address: Option<&str>, bug: bool) -> bool {
    let Some(address) = address.and_then(|address| address.parse::<IpAddr>().ok()) else { return false };
    let (network, bits) = block.split_once('/').map_or((block, None), |(network, bits)| (network, Some(bits)));
    let network: IpAddr = network.parse().unwrap();
    let octets = |address: IpAddr| match address {
        IpAddr::V4(four) => four.octets().to_vec(),
        IpAddr::V6(six) => six.octets().to_vec(),
    };
    let (network, address) = (octets(network), octets(address));
    let whole = network.len() * 8;
    let bits = bits.map_or(whole, |bits| bits.parse().unwrap()) - usize::from(bug && bits.is_none());
    let bit = |octets: &[u8], at: usize| octets[at / 8] >> (7 - at % 8) & 1;
    network.len() == address.len() && (0..bits).all(|at| bit(&network, at) == bit(&address, at))
}
