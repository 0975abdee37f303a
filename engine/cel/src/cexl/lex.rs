//! Text to tokens, by Go's rules; line ends are blanks.

use crate::{ast::Binary, ast::Span, error::Error};

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Token {
    End,
    Name,
    Int,
    Double,
    Text,
    Dot,
    Comma,
    ParenOpen,
    ParenClose,
    BracketOpen,
    BracketClose,
    And,
    Or,
    /// `|`.
    Default,
    Plus,
    Relation(Binary),
    /// An operator of Go that no function implements.
    Other,
}

/// Operators, the longer ones first.
const OPERATORS: [(&str, Token); 27] = [
    ("&&", Token::And),
    ("||", Token::Or),
    ("&^", Token::Other),
    ("<<", Token::Other),
    (">>", Token::Other),
    ("<-", Token::Other),
    ("==", Token::Relation(Binary::Equal)),
    ("!=", Token::Relation(Binary::NotEqual)),
    ("<=", Token::Relation(Binary::LessEqual)),
    (">=", Token::Relation(Binary::GreaterEqual)),
    ("<", Token::Relation(Binary::Less)),
    (">", Token::Relation(Binary::Greater)),
    ("|", Token::Default),
    ("+", Token::Plus),
    ("-", Token::Other),
    ("*", Token::Other),
    ("/", Token::Other),
    ("%", Token::Other),
    ("&", Token::Other),
    ("^", Token::Other),
    ("!", Token::Other),
    (".", Token::Dot),
    (",", Token::Comma),
    ("(", Token::ParenOpen),
    (")", Token::ParenClose),
    ("[", Token::BracketOpen),
    ("]", Token::BracketClose),
];

#[derive(Debug)]
pub(super) struct Lexer<'s> {
    source: &'s str,
    at: usize,
}

impl<'s> Lexer<'s> {
    pub(super) fn new(source: &'s str) -> Self {
        Self { source, at: 0 }
    }

    fn rest(&self) -> &'s str {
        self.source.get(self.at..).unwrap_or_default()
    }

    /// The next token and where it stands.
    pub(super) fn next(&mut self) -> Result<(Token, Span), Error> {
        self.skip_blank()?;
        let start = self.at;
        let token = self.token()?;
        Ok((token, Span::new(start as u32, self.at as u32)))
    }

    fn skip_blank(&mut self) -> Result<(), Error> {
        loop {
            let rest = self.rest();
            self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\r', '\n']).len();
            let rest = self.rest();
            if rest.starts_with("//") {
                self.at += rest.find('\n').unwrap_or(rest.len());
            } else if rest.starts_with("/*") {
                let Some(end) = rest.find("*/") else {
                    return Err(
                        Error::new(self.at..self.source.len(), "a comment is not closed").help("end it with */")
                    );
                };
                self.at += end + 2;
            } else {
                return Ok(());
            }
        }
    }

    fn token(&mut self) -> Result<Token, Error> {
        let rest = self.rest();
        let Some(first) = rest.chars().next() else { return Ok(Token::End) };
        let digit_next = rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit);
        match first {
            '"' | '\'' | '`' => return self.text(first),
            '0'..='9' => return self.number(),
            '.' if digit_next => return self.number(),
            _ if first == '_' || first.is_alphabetic() => {
                let end = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
                self.at += end;
                return Ok(Token::Name);
            }
            _ => {}
        }
        if let Some((text, token)) = OPERATORS.iter().find(|(text, _)| rest.starts_with(text)) {
            self.at += text.len();
            return Ok(*token);
        }
        let error = Error::new(self.at..self.at + first.len_utf8(), format!("unexpected character {first:?}"));
        Err(match first {
            '=' => error.help("compare with `==`"),
            '“' | '”' | '‘' | '’' => error.help("quote texts with \""),
            _ => error,
        })
    }

    fn digits(&mut self) {
        let rest = self.rest();
        self.at += rest.len() - rest.trim_start_matches(|c: char| c.is_ascii_digit()).len();
    }

    fn number(&mut self) -> Result<Token, Error> {
        let start = self.at;
        let mut token = Token::Int;
        self.digits();
        if self.rest().starts_with('.') {
            token = Token::Double;
            self.at += 1;
            self.digits();
        }
        if let Some(power) = self.rest().strip_prefix(['e', 'E']) {
            let sign = usize::from(power.starts_with(['+', '-']));
            token = Token::Double;
            self.at += 1 + sign;
            self.digits();
        }
        let rest = self.rest();
        let more = rest.find(|c: char| c != '_' && !c.is_alphanumeric()).unwrap_or(rest.len());
        if more > 0 {
            self.at += more;
            return Err(Error::new(start..self.at, "not a number").help("numbers are decimal: 10, 0.5, 1e3"));
        }
        Ok(token)
    }

    /// A text: `"..."`, or raw in backticks, or one character in `'`.
    fn text(&mut self, quote: char) -> Result<Token, Error> {
        let start = self.at;
        let mut escaped = true;
        for (offset, character) in self.rest().char_indices() {
            if escaped {
                escaped = false;
            } else if character == quote {
                self.at += offset + 1;
                return Ok(Token::Text);
            } else if quote != '`' {
                if character == '\n' {
                    break;
                }
                escaped = character == '\\';
            }
        }
        let help = format!("end it with {quote}{}", if quote == '`' { "" } else { " on the same line" });
        Err(Error::new(start..self.source.len(), "a text is not closed").help(help))
    }
}
