//! `envoy.service.auth.v3.CheckRequest`, walked where it lies: what a check needs and nothing else.
//!
//! The numbers are Envoy's field numbers. Unknown fields are passed over; a known field of another wire type, a string that
//! is not UTF-8 and a length beyond the frame refuse the whole frame.

mod metadata;

use smallvec::SmallVec;

pub(crate) use metadata::Metadata;

use crate::wire::{Fault, Message, Tag, What, Within};

/// What a frame says about one request, borrowed from it. Empty text is what protobuf calls unset.
#[derive(Debug, Default)]
pub(crate) struct Facts<'a> {
    pub(crate) source: Option<Peer<'a>>,
    pub(crate) destination: Option<Peer<'a>>,
    pub(crate) http: Option<Http<'a>>,
    pub(crate) time: Option<Time>,
    pub(crate) sni: &'a str,
    pub(crate) workload: Option<&'a str>,
    pub(crate) namespace: Option<&'a str>,
    pub(crate) labels: Option<&'a str>,
    /// Most proxies send none.
    pub(crate) metadata: Option<Box<Metadata>>,
}

/// One end of the connection.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Peer<'a> {
    pub(crate) address: &'a str,
    pub(crate) port: u16,
    pub(crate) principal: &'a str,
    pub(crate) has_certificate: bool,
}

/// The request.
#[derive(Debug, Default)]
pub(crate) struct Http<'a> {
    pub(crate) id: &'a str,
    pub(crate) method: &'a str,
    pub(crate) path: &'a str,
    pub(crate) host: &'a str,
    pub(crate) scheme: &'a str,
    pub(crate) query: &'a str,
    pub(crate) protocol: &'a str,
    pub(crate) size: i64,
    /// As much of it as the filter sends.
    pub(crate) body: &'a [u8],
    /// `headers`: one entry a name, lines joined by the proxy.
    pub(crate) joined: Lines<'a>,
    /// `header_map`: every line.
    pub(crate) lines: Lines<'a>,
}

/// Headers as they lie in the frame; most requests have fewer than the room given here.
pub(crate) type Lines<'a> = SmallVec<[Line<'a>; 24]>;

/// One header: a line, or a name with its joined lines.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Line<'a> {
    pub(crate) name: &'a str,
    pub(crate) value: &'a [u8],
}

/// Since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Time {
    pub(crate) seconds: i64,
    pub(crate) nanos: i32,
}

/// Calls `field` for each field of a message.
fn walk<'a>(
    mut message: Message<'a>,
    mut field: impl FnMut(&mut Message<'a>, Tag) -> Result<(), Fault>,
) -> Result<(), Fault> {
    while let Some(tag) = message.tag()? {
        field(&mut message, tag)?;
    }
    Ok(())
}

/// Walks a frame.
///
/// # Errors
/// [`Fault`] names the field and the offset.
pub(crate) fn decode(frame: &[u8]) -> Result<Facts<'_>, Fault> {
    let mut facts = Facts::default();
    walk(Message::of(frame), |message, tag| match tag.number {
        1 => message.message(tag).and_then(|inner| attributes(inner, &mut facts)).within("attributes"),
        _ => message.skip(tag),
    })?;
    Ok(facts)
}

fn attributes<'a>(message: Message<'a>, facts: &mut Facts<'a>) -> Result<(), Fault> {
    let mut extensions = 0;
    walk(message, |message, tag| match tag.number {
        1 => {
            let source = facts.source.get_or_insert_default();
            message.message(tag).and_then(|inner| peer(inner, source)).within("source")
        }
        2 => {
            let destination = facts.destination.get_or_insert_default();
            message.message(tag).and_then(|inner| peer(inner, destination)).within("destination")
        }
        4 => message.message(tag).and_then(|inner| request(inner, facts)).within("request"),
        10 => {
            extensions += 1;
            let entry = message.message(tag).and_then(entry).within_item("context_extensions", extensions - 1)?;
            match entry {
                ("weir.workload", value) => facts.workload = Some(value),
                ("weir.namespace", value) => facts.namespace = Some(value),
                ("weir.labels", value) => facts.labels = Some(value),
                _ => {}
            }
            Ok(())
        }
        11 => {
            let metadata = facts.metadata.get_or_insert_default();
            message.message(tag).and_then(|inner| metadata.read(inner)).within("metadata_context")
        }
        12 => message
            .message(tag)
            .and_then(|inner| {
                walk(inner, |session, tag| match tag.number {
                    1 => session.text(tag).map(|sni| facts.sni = sni).within("sni"),
                    _ => session.skip(tag),
                })
            })
            .within("tls_session"),
        _ => message.skip(tag),
    })
}

fn peer<'a>(message: Message<'a>, peer: &mut Peer<'a>) -> Result<(), Fault> {
    walk(message, |message, tag| match tag.number {
        1 => message.message(tag).and_then(|inner| address(inner, peer)).within("address"),
        4 => message.text(tag).map(|principal| peer.principal = principal).within("principal"),
        5 => message.text(tag).map(|pem| peer.has_certificate = !pem.is_empty()).within("certificate"),
        _ => message.skip(tag),
    })
}

/// `Address` is one of several: a pipe or an address inside Envoy is no address of a host.
fn address<'a>(message: Message<'a>, peer: &mut Peer<'a>) -> Result<(), Fault> {
    walk(message, |message, tag| match tag.number {
        1 => message.message(tag).and_then(|inner| socket_address(inner, peer)).within("socket_address"),
        2 | 3 => {
            (peer.address, peer.port) = ("", 0);
            message.skip(tag)
        }
        _ => message.skip(tag),
    })
}

fn socket_address<'a>(message: Message<'a>, peer: &mut Peer<'a>) -> Result<(), Fault> {
    walk(message, |message, tag| match tag.number {
        2 => message.text(tag).map(|address| peer.address = address).within("address"),
        3 => {
            let at = message.offset();
            let port = message.varint(tag).within("port_value")?;
            peer.port = u16::try_from(port).map_err(|_| Fault::new(What::Port, at)).within("port_value")?;
            Ok(())
        }
        // A port by name: the number is not known.
        4 => message.text(tag).map(|_| peer.port = 0).within("named_port"),
        _ => message.skip(tag),
    })
}

fn request<'a>(message: Message<'a>, facts: &mut Facts<'a>) -> Result<(), Fault> {
    walk(message, |message, tag| match tag.number {
        1 => {
            let time = facts.time.get_or_insert_default();
            message.message(tag).and_then(|inner| timestamp(inner, time)).within("time")
        }
        2 => {
            let request = facts.http.get_or_insert_default();
            message.message(tag).and_then(|inner| http(inner, request)).within("http")
        }
        _ => message.skip(tag),
    })
}

fn timestamp(message: Message<'_>, time: &mut Time) -> Result<(), Fault> {
    walk(message, |message, tag| match tag.number {
        1 => message.varint(tag).map(|seconds| time.seconds = seconds.cast_signed()).within("seconds"),
        2 => message.varint(tag).map(|nanos| time.nanos = nanos as i32).within("nanos"),
        _ => message.skip(tag),
    })
}

fn http<'a>(message: Message<'a>, http: &mut Http<'a>) -> Result<(), Fault> {
    walk(message, |message, tag| match tag.number {
        1 => message.text(tag).map(|id| http.id = id).within("id"),
        2 => message.text(tag).map(|method| http.method = method).within("method"),
        3 => {
            let index = http.joined.len();
            let (name, value) = message.message(tag).and_then(entry).within_item("headers", index)?;
            http.joined.push(Line { name, value: value.as_bytes() });
            Ok(())
        }
        4 => message.text(tag).map(|path| http.path = path).within("path"),
        5 => message.text(tag).map(|host| http.host = host).within("host"),
        6 => message.text(tag).map(|scheme| http.scheme = scheme).within("scheme"),
        7 => message.text(tag).map(|query| http.query = query).within("query"),
        9 => message.varint(tag).map(|size| http.size = size.cast_signed()).within("size"),
        10 => message.text(tag).map(|protocol| http.protocol = protocol).within("protocol"),
        11 => message.text(tag).map(|body| http.body = body.as_bytes()).within("body"),
        12 => message.bytes(tag).map(|body| http.body = body).within("raw_body"),
        13 => message.message(tag).and_then(|inner| header_map(inner, &mut http.lines)).within("header_map"),
        _ => message.skip(tag),
    })
}

fn header_map<'a>(message: Message<'a>, lines: &mut Lines<'a>) -> Result<(), Fault> {
    walk(message, |message, tag| match tag.number {
        1 => {
            let line = message.message(tag).and_then(header_value).within_item("headers", lines.len())?;
            lines.push(line);
            Ok(())
        }
        _ => message.skip(tag),
    })
}

/// `HeaderValue`: the value as text or, when it is not, as bytes.
fn header_value(message: Message<'_>) -> Result<Line<'_>, Fault> {
    let (mut name, mut text, mut raw) = ("", "", &[][..]);
    walk(message, |message, tag| match tag.number {
        1 => message.text(tag).map(|key| name = key).within("key"),
        2 => message.text(tag).map(|value| text = value).within("value"),
        3 => message.bytes(tag).map(|value| raw = value).within("raw_value"),
        _ => message.skip(tag),
    })?;
    Ok(Line { name, value: if raw.is_empty() { text.as_bytes() } else { raw } })
}

/// An entry of a string-to-string map.
fn entry(message: Message<'_>) -> Result<(&str, &str), Fault> {
    let (mut key, mut value) = ("", "");
    walk(message, |message, tag| match tag.number {
        1 => message.text(tag).map(|text| key = text).within("key"),
        2 => message.text(tag).map(|text| value = text).within("value"),
        _ => message.skip(tag),
    })?;
    Ok((key, value))
}

#[cfg(test)]
mod tests;
