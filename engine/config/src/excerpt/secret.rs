//! Which lines hold secrets. Works on text, because the file may not parse.
//!
//! Two kinds of values never appear in an excerpt: those under a `config` key (an adapter's configuration is opaque and
//! often holds credentials), and those whose key sounds like a credential.

use std::ops::Range;

const CREDENTIALS: [&str; 10] =
    ["secret", "token", "password", "passwd", "passphrase", "credential", "apikey", "api_key", "api-key", "privatekey"];
const CONFIG: &str = "config";

/// The fields that can follow a `config` on its own level or further out. Only one of them ends it: the indentation of
/// anything else may be the mistake.
const AFTER_CONFIG: [&str; 9] =
    ["source", "limits", "failurePolicy", "selector", "status", "metadata", "spec", "kind", "apiVersion"];

/// The byte inside the line from which its text must be hidden. With `all`, its values are secret whatever its key says.
pub(super) fn mask_from(text: &str, line: Range<usize>, all: bool) -> Option<usize> {
    let shown = text.get(line.clone())?;
    if all || is_inside_config(text, line) {
        return Some(key(shown).map_or(indent(shown), |(_, value)| value));
    }
    if let Some((key, value)) = key(shown)
        && (key == CONFIG || sounds_secret(key))
    {
        return Some(value);
    }
    keys_in_flow(shown).find(|(key, _)| *key == CONFIG || sounds_secret(key)).map(|(_, value)| value)
}

/// The key of a block-style `key: value` line, without quotes, and where its value begins.
fn key(line: &str) -> Option<(&str, usize)> {
    let colon = line.find(':')?;
    let raw = line.get(..colon)?.trim_start_matches([' ', '\t', '-', '{', '[', ',', '?', '"', '\'']);
    let key = raw.trim_end_matches([' ', '"', '\'']);
    let plain = !key.is_empty() && key.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/'));
    plain.then_some((key, colon + 1))
}

/// The keys of a flow-style line, each with where its value begins. Only where a key can stand: CEL and URLs have colons too.
fn keys_in_flow(line: &str) -> impl Iterator<Item = (&str, usize)> {
    line.match_indices(':').filter_map(|(colon, _)| {
        let before = line.get(..colon)?.trim_end_matches([' ', '"', '\'']);
        let start =
            before.rfind(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-'))).map_or(0, |at| at + 1);
        let opens = before.get(..start)?.trim_end_matches(['"', '\'', ' ']).ends_with(['{', ',']);
        opens.then_some((before.get(start..)?, colon + 1))
    })
}

/// Whether a `config` stands above the line in the same document and nothing up to the line has ended it.
fn is_inside_config(text: &str, line: Range<usize>) -> bool {
    let above = text.get(..line.start).unwrap_or_default();
    let above = above.rfind("\n---").and_then(|at| above.get(at + 1..)).unwrap_or(above);
    let start = line.start - above.len();
    for (at, _) in above.rmatch_indices(CONFIG) {
        let from = above.get(..at).and_then(|before| before.rfind('\n')).map_or(0, |at| at + 1);
        let mut lines = text.get(start + from..line.end).unwrap_or_default().lines();
        if let Some(config) = lines.next().filter(|line| has_config(line)) {
            return !lines.any(|line| {
                indent(line) <= indent(config) && key(line).is_some_and(|(key, _)| AFTER_CONFIG.contains(&key))
            });
        }
    }
    false
}

fn has_config(line: &str) -> bool {
    key(line).is_some_and(|(key, _)| key == CONFIG) || keys_in_flow(line).any(|(key, _)| key == CONFIG)
}

fn sounds_secret(key: &str) -> bool {
    let lower = key.to_ascii_lowercase();
    CREDENTIALS.iter().any(|word| lower.contains(word))
}

fn indent(line: &str) -> usize {
    line.len() - line.trim_start_matches([' ', '\t']).len()
}
