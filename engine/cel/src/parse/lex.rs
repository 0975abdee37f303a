//! Text to tokens, one at a time.

use crate::{ast::Span, error::Error};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Token {
    End,
    Int,
    Uint,
    Double,
    Text,
    Bytes,
    Ident,
    /// A name in backticks.
    Quoted,
    True,
    False,
    Null,
    In,
    Dot,
    Comma,
    Colon,
    Question,
    ParenOpen,
    ParenClose,
    BracketOpen,
    BracketClose,
    BraceOpen,
    BraceClose,
    Not,
    Plus,
    Minus,
    Star,
    Slash,
    Percent,
    Equal,
    NotEqual,
    Less,
    LessEqual,
    Greater,
    GreaterEqual,
    And,
    Or,
}

#[derive(Debug)]
pub(crate) struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    pub(crate) fn new(source: &'s str) -> Self {
        Self { source, at: 0 }
    }

    fn byte(&self, ahead: usize) -> u8 {
        // A NUL outside of a literal is an unexpected character, so it can stand for the end.
        self.source.as_bytes().get(self.at + ahead).copied().unwrap_or(0)
    }

    fn skip_while(&mut self, accept: impl Fn(u8) -> bool) {
        while self.at < self.source.len() && accept(self.byte(0)) {
            self.at += 1;
        }
    }

    fn skip_blank(&mut self) {
        loop {
            self.skip_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | 0x0c));
            if self.byte(0) != b'/' || self.byte(1) != b'/' {
                return;
            }
            self.skip_while(|byte| byte != b'\n');
        }
    }

    /// The next token and where it stands.
    pub(crate) fn next(&mut self) -> Result<(Token, Span), Error> {
        self.skip_blank();
        let start = self.at;
        let token = self.token()?;
        Ok((token, Span::new(start as u32, self.at as u32)))
    }

    fn token(&mut self) -> Result<Token, Error> {
        let (first, second) = (self.byte(0), self.byte(1));
        match first {
            _ if self.at >= self.source.len() => return Ok(Token::End),
            b'0'..=b'9' => return self.number(),
            b'.' if second.is_ascii_digit() => return self.number(),
            b'"' | b'\'' => return self.text(0),
            b'`' => return self.quoted(),
            b'a'..=b'z' | b'A'..=b'Z' | b'_' => return self.word(),
            _ => {}
        }
        let (token, length) = match (first, second) {
            (b'=', b'=') => (Token::Equal, 2),
            (b'!', b'=') => (Token::NotEqual, 2),
            (b'<', b'=') => (Token::LessEqual, 2),
            (b'>', b'=') => (Token::GreaterEqual, 2),
            (b'&', b'&') => (Token::And, 2),
            (b'|', b'|') => (Token::Or, 2),
            (b'<', _) => (Token::Less, 1),
            (b'>', _) => (Token::Greater, 1),
            (b'!', _) => (Token::Not, 1),
            (b'.', _) => (Token::Dot, 1),
            (b',', _) => (Token::Comma, 1),
            (b':', _) => (Token::Colon, 1),
            (b'?', _) => (Token::Question, 1),
            (b'(', _) => (Token::ParenOpen, 1),
            (b')', _) => (Token::ParenClose, 1),
            (b'[', _) => (Token::BracketOpen, 1),
            (b']', _) => (Token::BracketClose, 1),
            (b'{', _) => (Token::BraceOpen, 1),
            (b'}', _) => (Token::BraceClose, 1),
            (b'+', _) => (Token::Plus, 1),
            (b'-', _) => (Token::Minus, 1),
            (b'*', _) => (Token::Star, 1),
            (b'/', _) => (Token::Slash, 1),
            (b'%', _) => (Token::Percent, 1),
            _ => return Err(self.unexpected()),
        };
        self.at += length;
        Ok(token)
    }

    fn unexpected(&self) -> Error {
        let character = self.source.get(self.at..).and_then(|rest| rest.chars().next()).unwrap_or('\0');
        let error = Error::new(self.at..self.at + character.len_utf8(), format!("unexpected character {character:?}"));
        match character {
            '=' => error.help("compare with `==`"),
            '&' => error.help("both conditions: `&&`"),
            '|' => error.help("either condition: `||`"),
            '“' | '”' | '‘' | '’' => error.help("quote texts with \" or '"),
            _ => error,
        }
    }

    fn word(&mut self) -> Result<Token, Error> {
        let start = self.at;
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
        let word = self.source.get(start..self.at).unwrap_or_default();
        if matches!(self.byte(0), b'"' | b'\'') {
            match word {
                "r" | "R" | "b" | "B" | "br" | "bR" | "Br" | "BR" => {
                    self.at = start;
                    return self.text(word.len());
                }
                _ => {}
            }
        }
        Ok(match word {
            "true" => Token::True,
            "false" => Token::False,
            "null" => Token::Null,
            "in" => Token::In,
            _ => Token::Ident,
        })
    }

    fn quoted(&mut self) -> Result<Token, Error> {
        let start = self.at;
        self.at += 1;
        self.skip_while(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b'/' | b' '));
        if self.byte(0) != b'`' || self.at == start + 1 {
            return Err(Error::new(
                start..self.at,
                "a name in backticks is not closed, or has a character that it may not",
            )
            .help("letters, digits, `_ . - /` and space; index with [\"...\"] for anything else"));
        }
        self.at += 1;
        Ok(Token::Quoted)
    }

    fn number(&mut self) -> Result<Token, Error> {
        let start = self.at;
        let mut token = Token::Int;
        if self.byte(0) == b'0' && matches!(self.byte(1), b'x' | b'X') {
            self.at += 2;
            self.skip_while(|byte| byte.is_ascii_hexdigit());
        } else {
            self.skip_while(|byte| byte.is_ascii_digit());
            if self.byte(0) == b'.' && self.byte(1).is_ascii_digit() {
                token = Token::Double;
                self.at += 1;
                self.skip_while(|byte| byte.is_ascii_digit());
            }
            let sign = usize::from(matches!(self.byte(1), b'+' | b'-'));
            if matches!(self.byte(0), b'e' | b'E') && self.byte(1 + sign).is_ascii_digit() {
                token = Token::Double;
                self.at += 1 + sign;
                self.skip_while(|byte| byte.is_ascii_digit());
            }
        }
        if token == Token::Int && matches!(self.byte(0), b'u' | b'U') {
            token = Token::Uint;
            self.at += 1;
        }
        if self.byte(0).is_ascii_alphanumeric() || self.byte(0) == b'_' {
            self.skip_while(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
            return Err(Error::new(start..self.at, "not a number"));
        }
        Ok(token)
    }

    /// A text or bytes literal that starts with a prefix of that many bytes.
    fn text(&mut self, prefix: usize) -> Result<Token, Error> {
        let start = self.at;
        let mark = self.source.get(start..start + prefix).unwrap_or_default();
        let raw = mark.contains(['r', 'R']);
        let token = if mark.contains(['b', 'B']) { Token::Bytes } else { Token::Text };
        self.at += prefix;
        let quote = self.byte(0);
        let triple = self.byte(1) == quote && self.byte(2) == quote;
        self.at += if triple { 3 } else { 1 };
        while self.at < self.source.len() {
            match self.byte(0) {
                b'\\' if !raw => self.at += 2,
                b'\n' | b'\r' if !triple => break,
                byte if byte == quote && !triple => {
                    self.at += 1;
                    return Ok(token);
                }
                byte if byte == quote && self.byte(1) == quote && self.byte(2) == quote => {
                    self.at += 3;
                    return Ok(token);
                }
                _ => self.at += 1,
            }
        }
        self.at = self.at.min(self.source.len());
        Err(Error::new(start..self.at, "a text is not closed").help(format!(
            "end it with {}",
            if triple { "the same three quotes" } else { "the same quote on the same line" }
        )))
    }
}
