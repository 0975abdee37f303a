//! Which lines hold secrets. Works on text, because the file may not parse.
//!
//! Two kinds of values never appear in an excerpt: those under a `config` key (an adapter's configuration is opaque and
//! often holds credentials), and those whose key sounds like a credential.

use std::ops::Range;

const CREDENTIALS: [&str; 10] =
    ["secret", "token", "password", "passwd", "passphrase", "credential", "apikey", "api_key", "api-key", "privatekey"];
const CONFIG: &str = "config";

/// Lines looked at above a line to find what it belongs to.
const MAX_LOOK_BACK: usize = 2_000;

/// The byte inside the line from which its text must be hidden. With `all`, its values are secret whatever its key says.
pub(super) fn mask_from(text: &str, line: Range<usize>, all: bool) -> Option<usize> {
    let shown = text.get(line.clone())?;
    if all || is_inside_config(text, line.start, indent(shown)) {
        return Some(key(shown).map_or(indent(shown), |(_, value)| value));
    }
    if let Some((key, value)) = key(shown)
        && (key == CONFIG || sounds_secret(key))
    {
        return Some(value);
    }
    inline(shown)
}

/// The key of a block-style `key: value` line, without quotes, and where its value begins.
fn key(line: &str) -> Option<(&str, usize)> {
    let colon = line.find(':')?;
    let raw = line.get(..colon)?.trim_start_matches([' ', '\t', '-', '{', '[', ',', '?', '"', '\'']);
    let key = raw.trim_end_matches([' ', '"', '\'']);
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    plain.then_some((key, colon + 1))
}

/// Where the value of the first secret key in a flow-style line begins.
fn inline(line: &str) -> Option<usize> {
    let mut from = 0;
    while let Some(colon) = line.get(from..)?.find(':').map(|at| from + at) {
        let before = line.get(..colon)?.trim_end_matches([' ', '"', '\'']);
        let start =
            before.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).map_or(0, |at| at + 1);
        let word = before.get(start..).unwrap_or_default();
        // Only where a key can stand: CEL text and URLs have colons too.
        let opens = before.get(..start)?.trim_end_matches(['"', '\'', ' ']).ends_with(['{', ',']);
        if opens && (word == CONFIG || sounds_secret(word)) {
            return Some(colon + 1);
        }
        from = colon + 1;
    }
    None
}

fn is_inside_config(text: &str, line_start: usize, mut indentation: usize) -> bool {
    let above = text.get(..line_start).unwrap_or_default();
    for line in above.lines().rev().take(MAX_LOOK_BACK) {
        if line.trim().is_empty() || line.trim_start().starts_with('#') {
            continue;
        }
        if line.starts_with("---") {
            return false;
        }
        if indent(line) < indentation {
            indentation = indent(line);
            if key(line).is_some_and(|(key, _)| key == CONFIG) || line.contains("\"config\"") {
                return true;
            }
        }
    }
    false
}

fn sounds_secret(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    CREDENTIALS.iter().any(|word| lower.contains(word))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}
