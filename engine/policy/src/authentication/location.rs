//! Where a request carries tokens.

use std::borrow::Cow;

use weir_attributes::{Bag, slot};

use crate::{query, referenced::Referenced};

/// The places that one rule looks at.
#[derive(Clone, Debug)]
pub(crate) struct Locations {
    /// Names in lower case, each with what stands before the token.
    pub(crate) headers: Box<[(Box<str>, Box<str>)]>,
    /// Query parameters.
    pub(crate) params: Box<[Box<str>]>,
    /// Cookies.
    pub(crate) cookies: Box<[Box<str>]>,
}

impl Default for Locations {
    fn default() -> Self {
        Self {
            headers: [("authorization".into(), "Bearer ".into())].into(),
            params: ["access_token".into()].into(),
            cookies: Box::default(),
        }
    }
}

impl Locations {
    /// Every token, in the order of the places.
    pub(crate) fn find<'b>(&'b self, bag: &'b Bag) -> impl Iterator<Item = Cow<'b, str>> {
        let headers = self.headers.iter().filter_map(|(name, prefix)| in_header(bag, name, prefix));
        let params = self.params.iter().filter_map(|name| in_query(bag, name));
        headers.chain(params).chain(self.cookies.iter().filter_map(|name| in_cookie(bag, name)))
    }

    /// The headers in which there is a token.
    pub(crate) fn used_headers<'b>(&'b self, bag: &'b Bag) -> impl Iterator<Item = &'b str> {
        self.headers.iter().filter(|(name, prefix)| in_header(bag, name, prefix).is_some()).map(|(name, _)| &**name)
    }

    /// The names of the query parameters in which there may be a token, as they stand in the path.
    pub(crate) fn used_parameters(&self, bag: &Bag) -> Vec<String> {
        let target = bag.str(slot::REQUEST_PATH).unwrap_or_default();
        let is_ours = |name: &str| self.params.iter().any(|param| **param == *percent_decoded(name));
        let mut used: Vec<String> =
            query::parameters(target).filter(|(name, _)| is_ours(name)).map(|(name, _)| name.to_owned()).collect();
        used.sort_unstable();
        used.dedup();
        used
    }

    pub(crate) fn refer(&self, referenced: &mut Referenced) {
        self.headers.iter().for_each(|(name, _)| referenced.header(name));
        if !self.params.is_empty() {
            referenced.slot(slot::REQUEST_PATH);
        }
        if !self.cookies.is_empty() {
            referenced.header("cookie");
        }
    }
}

/// The lines of the header count as one, joined: a second line makes the token bad, however the proxy tells them.
fn in_header<'b>(bag: &'b Bag, name: &str, prefix: &str) -> Option<Cow<'b, str>> {
    match bag.headers().joined(name)? {
        Cow::Borrowed(line) => line.strip_prefix(prefix).map(Cow::Borrowed),
        Cow::Owned(lines) => lines.strip_prefix(prefix).map(|token| Cow::Owned(token.to_owned())),
    }
}

fn in_query<'b>(bag: &'b Bag, name: &str) -> Option<Cow<'b, str>> {
    let mut parameters = query::parameters(bag.str(slot::REQUEST_PATH)?);
    parameters.find(|(key, _)| percent_decoded(key) == name).map(|(_, value)| percent_decoded(value))
}

fn in_cookie<'b>(bag: &'b Bag, name: &str) -> Option<Cow<'b, str>> {
    let cookies = bag.headers().lines("cookie").flat_map(|line| line.split([';', ',']));
    let pairs = cookies.filter_map(|cookie| cookie.split_once('='));
    let found = pairs.into_iter().find(|(key, _)| key.trim() == name).map(|(_, value)| value.trim())?;
    Some(Cow::Borrowed(found.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(found)))
}

/// `%2E` as a dot; what is no escape, and what would not be UTF-8, stays.
fn percent_decoded(text: &str) -> Cow<'_, str> {
    if !text.contains('%') {
        return Cow::Borrowed(text);
    }
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((&byte, after)) = rest.split_first() {
        let digit = |at: usize| after.get(at).and_then(|digit| char::from(*digit).to_digit(16));
        match (byte, digit(0), digit(1)) {
            (b'%', Some(high), Some(low)) => {
                bytes.push((high * 16 + low) as u8);
                rest = after.get(2..).unwrap_or_default();
            }
            _ => {
                bytes.push(byte);
                rest = after;
            }
        }
    }
    String::from_utf8(bytes).map_or(Cow::Borrowed(text), Cow::Owned)
}
