//! DNS names: what is one, and which are the same (IDNA, UTS #46, with the hyphen and character rules of host names).

use std::borrow::Cow;

use idna::uts46::{AsciiDenyList, DnsLength, Hyphens, Uts46};

use crate::limits::DNS_NAME_MAX;

/// The name of a text that is one, final dot and case kept, Punycode decoded.
pub(super) fn parse(text: &str) -> Option<Cow<'_, str>> {
    let strict = DnsLength::VerifyAllowRootDot;
    if text.len() > DNS_NAME_MAX {
        return None;
    }
    Uts46::new().to_ascii(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check, strict).ok()?;
    let encoded = has_punycode(text);
    if text.is_ascii() && !encoded {
        return Some(Cow::Borrowed(text));
    }
    let (unicode, outcome) = Uts46::new().to_unicode(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    outcome.ok()?;
    // A name is validated, not mapped: what another spelling would replace is no name.
    (encoded || unicode == text).then_some(unicode)
}

fn has_punycode(text: &str) -> bool {
    text.split('.').any(|label| label.get(..4).is_some_and(|start| start.eq_ignore_ascii_case("xn--")))
}

/// Whether two names are the same; none when one of them is no name.
pub(super) fn equal(a: &str, b: &str) -> Option<bool> {
    let (a, b) = (canonical(a)?, canonical(b)?);
    Some(a.strip_suffix('.').unwrap_or(&a) == b.strip_suffix('.').unwrap_or(&b))
}

fn canonical(text: &str) -> Option<Cow<'_, str>> {
    if text.len() > DNS_NAME_MAX {
        return None;
    }
    let (unicode, outcome) = Uts46::new().to_unicode(text.as_bytes(), AsciiDenyList::STD3, Hyphens::Check);
    outcome.ok().map(|()| unicode)
}
