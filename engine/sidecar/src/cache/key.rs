//! The key of a cached verdict: the workload, then what the ruleset can read, value by value.

use weir_attributes::{Bag, Map, Slot, Value, by_wire, slot, split_address};
use weir_proto::v1;

use crate::limits;

/// Everything that a workload's ruleset can read, as the engine named it.
#[derive(Debug, Default, PartialEq, Eq)]
pub(crate) struct Referenced {
    slots: Vec<Slot>,
    headers: Vec<String>,
    all_headers: bool,
}

/// What else than the workload's name chose the workload: with a name, nothing; without, the destination.
pub(crate) fn chooser(workload: &str, bag: &Bag) -> String {
    if !workload.is_empty() {
        return String::new();
    }
    [slot::DESTINATION_PRINCIPAL, slot::DESTINATION_ADDRESS].map(|slot| bag.str(slot).unwrap_or_default()).join(" ")
}

impl Referenced {
    /// The set as told; none when it has something that cannot be part of a key: an attribute of a newer version, or one
    /// that differs from request to request.
    pub(crate) fn read(told: &v1::ReferencedSet) -> Option<Self> {
        let slots =
            told.attributes.iter().map(|wire| by_wire(*wire).filter(|known| !known.volatile).map(|known| known.slot));
        let mut headers: Vec<_> = told.headers.iter().map(|name| name.to_ascii_lowercase()).collect();
        headers.sort();
        headers.dedup();
        Some(Self { slots: slots.collect::<Option<_>>()?, headers, all_headers: told.all_headers })
    }

    /// The key of that request; none when it is longer than the limit or cannot be made.
    pub(crate) fn key(&self, chooser: &str, bag: &Bag) -> Option<Vec<u8>> {
        let mut key = Key(Vec::with_capacity(256));
        key.text(Some(chooser));
        for slot in &self.slots {
            key.slot(*slot, bag);
        }
        for name in &self.headers {
            match name.as_str() {
                ":authority" | "host" => key.slot(slot::REQUEST_HOST, bag),
                ":path" => key.slot(slot::REQUEST_PATH, bag),
                ":method" => key.slot(slot::REQUEST_METHOD, bag),
                ":scheme" => key.slot(slot::REQUEST_SCHEME, bag),
                pseudo if pseudo.starts_with(':') => return None,
                name => key.lines(name, bag),
            }
        }
        if self.all_headers {
            key.all_lines(bag);
        }
        (key.0.len() <= limits::CACHE_KEY_BYTES_MAX).then_some(key.0)
    }
}

/// Values one after the other, each with its length first, so that no two lists of values look the same.
struct Key(Vec<u8>);

impl Key {
    fn text(&mut self, value: Option<&str>) {
        match value {
            // No value is this long: heads are limited.
            None => self.0.extend_from_slice(&u32::MAX.to_le_bytes()),
            Some(text) => {
                self.0.extend_from_slice(&(text.len() as u32).to_le_bytes());
                self.0.extend_from_slice(text.as_bytes());
            }
        }
    }

    fn number(&mut self, value: i64) {
        self.0.extend_from_slice(&8_u32.to_le_bytes());
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// The lines of one header, then an end.
    fn lines(&mut self, name: &str, bag: &Bag) {
        for line in bag.headers().lines(name) {
            self.text(Some(line));
        }
        self.text(None);
    }

    fn all_lines(&mut self, bag: &Bag) {
        for (name, value) in bag.headers().iter() {
            self.text(Some(name));
            self.text(Some(value));
        }
        self.text(None);
    }

    /// One attribute. What the engine derives is told by what it derives it from.
    fn slot(&mut self, slot: Slot, bag: &Bag) {
        match slot {
            slot::REQUEST_URL_PATH => {
                self.text(bag.str(slot::REQUEST_PATH).and_then(|target| target.split('?').next()))
            }
            slot::REQUEST_QUERY => {
                self.text(bag.str(slot::REQUEST_PATH).and_then(|target| Some(target.split_once('?')?.1)));
            }
            slot::REQUEST_USERAGENT => self.lines("user-agent", bag),
            slot::REQUEST_REFERER => self.lines("referer", bag),
            slot::CONTEXT_PROTOCOL => self.lines("content-type", bag),
            slot::REQUEST_HEADERS | slot::REQUEST_HEADERS_ALL => self.all_lines(bag),
            slot::SOURCE_IP => self.ip(bag),
            slot::SOURCE_PORT => self.text(bag.str(slot::SOURCE_ADDRESS)),
            slot::REMOTE_IP => {
                self.ip(bag);
                self.lines("x-forwarded-for", bag);
            }
            slot::SOURCE_NAMESPACE | slot::SOURCE_SERVICE_ACCOUNT => self.text(bag.str(slot::SOURCE_PRINCIPAL)),
            slot::DESTINATION_IP | slot::DESTINATION_PORT => self.text(bag.str(slot::DESTINATION_ADDRESS)),
            // These follow from the workload, which the snapshot and the chooser tell.
            slot::DESTINATION_WORKLOAD
            | slot::DESTINATION_NAMESPACE
            | slot::DESTINATION_SERVICE_ACCOUNT
            | slot::DESTINATION_LABELS => {}
            // These follow from the token, whose places are among the headers and attributes that are read.
            slot::REQUEST_AUTH_PRINCIPAL | slot::REQUEST_AUTH_PRESENTER | slot::REQUEST_AUTH_CLAIMS => {}
            slot => match bag.get(slot) {
                None => self.text(None),
                Some(Value::String(text)) => self.text(Some(text)),
                Some(Value::Bool(truth)) => self.number(i64::from(truth)),
                Some(Value::Int(number) | Value::Timestamp(number) | Value::Duration(number)) => self.number(number),
                Some(Value::Map(Map::Headers(_)) | Value::ListMap(_)) => self.all_lines(bag),
                Some(Value::Struct(map)) => self.text(Some(&map.to_string())),
                Some(Value::Map(Map::Labels(labels))) => {
                    for (name, value) in labels.iter() {
                        self.text(Some(name));
                        self.text(Some(value));
                    }
                    self.text(None);
                }
            },
        }
    }

    fn ip(&mut self, bag: &Bag) {
        let ip = bag.str(slot::SOURCE_ADDRESS).and_then(split_address).map(|(ip, _)| ip.to_string());
        self.text(ip.as_deref());
    }
}
