//! E-mail addresses, as RFC 5322 has them, without display names and comments.

use super::dns;

/// The parts of an address.
pub(super) struct Address<'t> {
    /// Without the quotes that it may have.
    local: String,
    domain: &'t str,
}

impl<'t> Address<'t> {
    pub(super) fn parse(text: &'t str) -> Option<Self> {
        let text = text.trim_matches([' ', '\t']);
        let text = match text.strip_prefix('<') {
            Some(inner) => inner.strip_suffix('>')?,
            None => text,
        };
        let (local, rest) = match text.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let at = text.find('@')?;
                let (local, rest) = text.split_at(at);
                (is_atom(local).then(|| local.to_owned())?, rest)
            }
        };
        let domain = rest.strip_prefix('@')?;
        // Whoever splits the address where its first @ is must find the domain.
        (!local.is_empty() && !local.contains('@') && is_atom(domain)).then_some(Self { local, domain })
    }

    pub(super) fn has_domain(&self) -> bool {
        dns::parse(self.domain).is_some()
    }

    /// Whether two addresses are the same; none when a domain is no DNS name.
    pub(super) fn equal(&self, other: &Self) -> Option<bool> {
        Some(dns::equal(self.domain, other.domain)? && self.local == other.local)
    }
}

/// What a quoted text says, and what follows it.
fn unquote(quoted: &str) -> Option<(String, &str)> {
    let mut local = String::new();
    let mut characters = quoted.char_indices();
    while let Some((at, character)) = characters.next() {
        match character {
            '"' => return Some((local, quoted.get(at + 1..)?)),
            '\\' => local.push(characters.next().map(|(_, next)| next).filter(|next| is_plain(*next))?),
            character if is_plain(character) => local.push(character),
            _ => return None,
        }
    }
    None
}

fn is_plain(character: char) -> bool {
    matches!(character, ' ' | '\t') || !character.is_control()
}

/// Words with dots between them.
fn is_atom(text: &str) -> bool {
    text.split('.').all(|word| {
        !word.is_empty()
            && word.chars().all(|character| match character {
                'a'..='z' | 'A'..='Z' | '0'..='9' => true,
                character if character.is_ascii() => "!#$%&'*+-/=?^_`{|}~".contains(character),
                character => !character.is_control(),
            })
    })
}
