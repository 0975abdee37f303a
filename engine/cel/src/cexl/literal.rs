//! Literals to values, by Go's rules.

use crate::{ast::Literal, error::Error};

pub(super) fn int(text: &str, at: usize) -> Result<Literal, Error> {
    let refuse = |message: &str| Error::new(at..at + text.len(), message.to_owned());
    if text.len() > 1 && text.starts_with('0') {
        return Err(refuse("an INT64 does not start with 0").help("it would be octal elsewhere: leave the zeros out"));
    }
    text.parse().map(Literal::Int).map_err(|_| refuse("an INT64 is out of range"))
}

pub(super) fn double(text: &str, at: usize) -> Result<Literal, Error> {
    match text.parse::<f64>() {
        Ok(value) if value.is_finite() => Ok(Literal::Double(value)),
        Ok(_) => Err(Error::new(at..at + text.len(), "a DOUBLE is out of range")),
        Err(_) => Err(Error::new(at..at + text.len(), "not a number")),
    }
}

/// The inside of a text token, with its quotes.
pub(super) fn text(token: &str, at: usize) -> Result<Literal, Error> {
    let quote = token.chars().next().unwrap_or('"');
    let body = token.get(1..token.len().saturating_sub(1)).unwrap_or_default();
    if quote == '`' {
        return Ok(Literal::Text(body.replace('\r', "").into()));
    }
    let mut bytes = Vec::with_capacity(body.len());
    let mut rest = Escapes { body, at: 0, base: at + 1, quote };
    let mut characters = 0;
    while rest.next(&mut bytes)? {
        characters += 1;
    }
    if quote == '\'' && characters != 1 {
        let error = Error::new(at..at + token.len(), "single quotes hold exactly one character");
        return Err(error.help("quote longer texts with \""));
    }
    match String::from_utf8(bytes) {
        Ok(text) => Ok(Literal::Text(text.into())),
        Err(_) => Err(Error::new(at..at + token.len(), "its escapes do not make Unicode text")),
    }
}

struct Escapes<'s> {
    body: &'s str,
    at: usize,
    base: usize,
    quote: char,
}

impl Escapes<'_> {
    fn char(&mut self) -> Option<char> {
        let character = self.body.get(self.at..)?.chars().next()?;
        self.at += character.len_utf8();
        Some(character)
    }

    /// Takes the next character into `bytes`; false at the end.
    fn next(&mut self, bytes: &mut Vec<u8>) -> Result<bool, Error> {
        let start = self.at;
        let Some(character) = self.char() else { return Ok(false) };
        let plain = if character != '\\' {
            character
        } else {
            match self.char().unwrap_or('\0') {
                'a' => '\u{7}',
                'b' => '\u{8}',
                'f' => '\u{c}',
                'n' => '\n',
                'r' => '\r',
                't' => '\t',
                'v' => '\u{b}',
                '\\' => '\\',
                mark if mark == self.quote => mark,
                'x' => return self.byte(start, 2, 16, bytes),
                '0'..='7' => {
                    self.at -= 1;
                    return self.byte(start, 3, 8, bytes);
                }
                'u' => self.point(start, 4)?,
                'U' => self.point(start, 8)?,
                _ => {
                    let error = self.error(start, "an unknown escape");
                    return Err(error.help("write a backslash as `\\\\`, or the text in backticks"));
                }
            }
        };
        bytes.extend_from_slice(plain.encode_utf8(&mut [0; 4]).as_bytes());
        Ok(true)
    }

    fn byte(&mut self, start: usize, count: usize, radix: u32, bytes: &mut Vec<u8>) -> Result<bool, Error> {
        let value = self.digits(start, count, radix)?;
        bytes.push(u8::try_from(value).map_err(|_| self.error(start, "not a byte"))?);
        Ok(true)
    }

    fn point(&mut self, start: usize, count: usize) -> Result<char, Error> {
        let value = self.digits(start, count, 16)?;
        char::from_u32(value).ok_or_else(|| self.error(start, "not a Unicode code point"))
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

    fn error(&self, start: usize, message: &str) -> Error {
        Error::new(self.base + start..self.base + self.at, message)
    }
}
