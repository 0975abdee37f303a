//! Whether a text is whole: what is open at its end.

/// What stands open at the end of a text.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Open {
    /// Brackets, braces and parentheses that nothing closes.
    pub(super) brackets: usize,
    /// A text in three quotes, which may go on in the next line.
    pub(super) long_text: bool,
    /// A text in one quote, or a comment: nothing in it is a name.
    pub(super) quoted: bool,
}

/// Looks through a text once.
pub(super) fn open(text: &str) -> Open {
    let mut state = Open::default();
    let mut rest = text;
    while let Some(character) = rest.chars().next() {
        let behind = rest.get(character.len_utf8()..).unwrap_or_default();
        rest = match character {
            '(' | '[' | '{' => {
                state.brackets += 1;
                behind
            }
            ')' | ']' | '}' => {
                state.brackets = state.brackets.saturating_sub(1);
                behind
            }
            '/' if behind.starts_with('/') => match behind.split_once('\n') {
                Some((_, next)) => next,
                None => return Open { quoted: true, ..state },
            },
            '"' | '\'' => {
                let raw = is_raw(text.get(..text.len() - rest.len()).unwrap_or_default());
                match close(rest, character, raw) {
                    Ok(next) => next,
                    Err(long) => return Open { long_text: long, quoted: !long, ..state },
                }
            }
            _ => behind,
        };
    }
    state
}

/// Whether the quote that follows begins a raw text: `r"..."`, `br"..."`.
fn is_raw(before: &str) -> bool {
    let start = before.trim_end_matches(|c: char| c.is_ascii_alphanumeric() || c == '_').len();
    let prefix = before.get(start..).unwrap_or_default().to_ascii_lowercase();
    matches!(prefix.as_str(), "r" | "br" | "rb")
}

/// What follows the text that `rest` begins with; or that it has no end, and whether it is one in three quotes.
fn close(rest: &str, quote: char, raw: bool) -> Result<&str, bool> {
    let triple: String = [quote; 3].iter().collect();
    let long = rest.starts_with(&triple);
    let mark = if long { triple.as_str() } else { triple.get(..1).unwrap_or_default() };
    let mut inside = rest.get(mark.len()..).unwrap_or_default();
    loop {
        if let Some(behind) = inside.strip_prefix(mark) {
            return Ok(behind);
        }
        let mut characters = inside.chars();
        match characters.next() {
            None => return Err(long),
            // A text in one quote ends with its line; the parser will say so.
            Some('\n') if !long => return Ok(inside),
            Some('\\') if !raw => _ = characters.next(),
            Some(_) => {}
        }
        inside = characters.as_str();
    }
}

/// Whether more lines belong to it. A blank line ends it in any case.
pub(super) fn goes_on(text: &str) -> bool {
    let blank = text.rsplit_once('\n').is_some_and(|(before, last)| {
        let line = if last.is_empty() { before.rsplit('\n').next().unwrap_or_default() } else { last };
        line.trim().is_empty()
    });
    let command = text.trim_start().strip_prefix(':');
    let takes_expression =
        command.is_none_or(|rest| ["let", "type", "check", "explain"].iter().any(|verb| rest.starts_with(verb)));
    let open = open(text);
    takes_expression && !blank && (open.brackets > 0 || open.long_text)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_goes_on_while_something_is_open() {
        for (text, expected) in [
            ("1 + 1\n", false),
            ("[1,\n", true),
            ("[1,\n2]\n", false),
            ("f(\n", true),
            ("f(\n\n", false),
            ("\"(\"\n", false),
            ("'\\'('\n", false),
            (r#"r'\' + "("#, false),
            (r#"r'\' + ("#, true),
            ("\"\"\"a\n", true),
            ("\"\"\"a\"\"\"\n", false),
            ("1 // (\n", false),
            ("( // )\n", true),
            (")(\n", true),
            ("\"unclosed (\n", false),
            (":let a = [\n", true),
            (":input a(b\n", false),
            ("", false),
            ("\n", false),
        ] {
            assert_eq!(goes_on(text), expected, "{text:?}");
        }
    }
}
