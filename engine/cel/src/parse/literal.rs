//! Literals to values.

use std::sync::Arc;

use crate::{ast::Literal, error::Error};

/// The value of a number token; `text` has its sign.
pub(super) fn int(text: &str, at: usize) -> Result<Literal, Error> {
    let (sign, digits) = text.strip_prefix('-').map_or(("", text), |digits| ("-", digits.trim_start()));
    let value = match hex(digits) {
        Some(digits) => i64::from_str_radix(&format!("{sign}{digits}"), 16),
        None => format!("{sign}{digits}").parse(),
    };
    value.map(Literal::Int).map_err(|_| {
        Error::new(at..at + text.len(), "an int is out of range").help("ints are 64 bits wide; a uint ends in `u`")
    })
}

pub(super) fn uint(text: &str, at: usize) -> Result<Literal, Error> {
    let digits = text.trim_end_matches(['u', 'U']);
    let value = match hex(digits) {
        Some(digits) => u64::from_str_radix(digits, 16),
        None => digits.parse(),
    };
    value.map(Literal::Uint).map_err(|_| Error::new(at..at + text.len(), "a uint is out of range"))
}

pub(super) fn double(text: &str, at: usize) -> Result<Literal, Error> {
    let compact: String = text.chars().filter(|character| !character.is_whitespace()).collect();
    match compact.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Literal::Double(value)),
        _ => Err(Error::new(at..at + text.len(), "a double is out of range")),
    }
}

fn hex(digits: &str) -> Option<&str> {
    digits.strip_prefix("0x").or_else(|| digits.strip_prefix("0X"))
}

/// The inside of a text or bytes token: whether it is raw, and the text between its quotes.
fn inside(token: &str) -> (bool, &str, usize) {
    let body = token.trim_start_matches(['r', 'R', 'b', 'B']);
    let prefix = token.len() - body.len();
    let raw = token.get(..prefix).is_some_and(|mark| mark.contains(['r', 'R']));
    let quotes = if body.len() >= 6 && (body.starts_with("'''") || body.starts_with("\"\"\"")) { 3 } else { 1 };
    (raw, body.get(quotes..body.len().saturating_sub(quotes)).unwrap_or_default(), prefix + quotes)
}

pub(super) fn text(token: &str, at: usize) -> Result<Literal, Error> {
    let (raw, body, offset) = inside(token);
    if raw || !body.contains('\\') {
        return Ok(Literal::Text(body.into()));
    }
    let mut out = String::with_capacity(body.len());
    let mut rest = Escapes { body, at: 0, base: at + offset };
    while let Some(piece) = rest.next()? {
        match piece {
            Piece::Plain(character) => out.push(character),
            Piece::Byte(value, start) | Piece::Point(value, start) => {
                match char::from_u32(value).or_else(|| rest.pair(value)) {
                    Some(character) => out.push(character),
                    None => return Err(rest.error(start, "not a Unicode code point")),
                }
            }
        }
    }
    Ok(Literal::Text(out.into()))
}

pub(super) fn bytes(token: &str, at: usize) -> Result<Literal, Error> {
    let (raw, body, offset) = inside(token);
    if raw {
        return Ok(Literal::Bytes(body.as_bytes().into()));
    }
    let mut out = Vec::with_capacity(body.len());
    let mut rest = Escapes { body, at: 0, base: at + offset };
    while let Some(piece) = rest.next()? {
        match piece {
            Piece::Plain(character) => out.extend_from_slice(character.encode_utf8(&mut [0; 4]).as_bytes()),
            Piece::Byte(value, start) => match u8::try_from(value) {
                Ok(byte) => out.push(byte),
                Err(_) => return Err(rest.error(start, "not a byte")),
            },
            Piece::Point(_, start) => {
                return Err(rest.error(start, "a \\u escape in bytes").help("write the bytes as \\x.."));
            }
        }
    }
    Ok(Literal::Bytes(Arc::from(out)))
}

enum Piece {
    Plain(char),
    /// `\x..` or `\ooo`: a byte in bytes, a code point in text.
    Byte(u32, usize),
    /// `\u....` or `\U........`.
    Point(u32, usize),
}

struct Escapes<'s> {
    body: &'s str,
    at: usize,
    base: usize,
}

impl Escapes<'_> {
    fn error(&self, start: usize, message: &str) -> Error {
        Error::new(self.base + start..self.base + self.at, message)
    }

    fn next(&mut self) -> Result<Option<Piece>, Error> {
        let start = self.at;
        let Some(character) = self.char() else { return Ok(None) };
        if character != '\\' {
            return Ok(Some(Piece::Plain(character)));
        }
        let plain = match self.char().unwrap_or('\0') {
            'a' => '\u{7}',
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'v' => '\u{b}',
            character @ ('\\' | '?' | '"' | '\'' | '`') => character,
            'x' | 'X' => return self.digits(start, 2, 16).map(|value| Some(Piece::Byte(value, start))),
            'u' => return self.digits(start, 4, 16).map(|value| Some(Piece::Point(value, start))),
            'U' => return self.digits(start, 8, 16).map(|value| Some(Piece::Point(value, start))),
            '0'..='3' => {
                self.at -= 1;
                return self.digits(start, 3, 8).map(|value| Some(Piece::Byte(value, start)));
            }
            _ => {
                return Err(self
                    .error(start, "an unknown escape")
                    .help("write a backslash as `\\\\`, or the text as r\"...\""));
            }
        };
        Ok(Some(Piece::Plain(plain)))
    }

    /// The character of a pair of surrogates, of which the first was read: the second is a `\u` escape too.
    fn pair(&mut self, first: u32) -> Option<char> {
        let high = first.checked_sub(0xd800).filter(|high| *high < 0x400)?;
        let digits = self.body.get(self.at..)?.strip_prefix("\\u")?.get(..4)?;
        let low = u32::from_str_radix(digits, 16).ok()?.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
        self.at += 6;
        char::from_u32(0x1_0000 + (high << 10) + low)
    }

    fn char(&mut self) -> Option<char> {
        let character = self.body.get(self.at..)?.chars().next()?;
        self.at += character.len_utf8();
        Some(character)
    }

    fn digits(&mut self, start: usize, count: usize, radix: u32) -> Result<u32, Error> {
        let mut value = 0u32;
        for _ in 0..count {
            match self.char().and_then(|character| character.to_digit(radix)) {
                Some(digit) => value = value.wrapping_mul(radix).wrapping_add(digit),
                None => return Err(self.error(start, &format!("an escape lacks some of its {count} digits"))),
            }
        }
        Ok(value)
    }
}
