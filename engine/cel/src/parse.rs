//! Source to syntax tree: a hand-made operator-precedence parser.
//!
//! Chains are loops, only brackets recurse, and brackets, nodes and the height of the tree are limited while it grows.

mod lex;
mod literal;
mod macros;

use std::sync::Arc;

use lex::{Lexer, Token};

use crate::{
    ast::{Arena, Ast, Binary, Element, Entry, Field, Kind, NodeId, Span, Unary},
    error::Error,
    limits::{NESTING_MAX, SOURCE_MAX},
};

type Parse<T> = Result<T, Error>;

/// Parses a whole source. `macros` off makes `has(...)`, `e.all(...)` and the like plain calls.
pub(crate) fn parse(source: Arc<str>, macros: bool) -> Parse<Ast> {
    if source.len() > SOURCE_MAX {
        return Err(Error::new(SOURCE_MAX..source.len(), format!("the source is longer than {SOURCE_MAX} bytes"))
            .help("split it into several rules or variables"));
    }
    let text = source.clone();
    let mut parser = Parser::new(&text, macros)?;
    let root = parser.expression()?;
    if parser.token != Token::End {
        return Err(parser.unexpected("an operator or the end"));
    }
    Ok(parser.arena.finish(source, root))
}

struct Parser<'s> {
    source: &'s str,
    lexer: Lexer<'s>,
    token: Token,
    span: Span,
    /// Where the token before the current one ended.
    end: u32,
    arena: Arena,
    nesting: usize,
    macros: bool,
}

impl<'s> Parser<'s> {
    fn new(source: &'s str, macros: bool) -> Parse<Self> {
        let mut lexer = Lexer::new(source);
        let (token, span) = lexer.next()?;
        let arena = Arena::for_source(source.len());
        Ok(Self { source, lexer, token, span, end: 0, arena, nesting: 0, macros })
    }

    fn advance(&mut self) -> Parse<Span> {
        let span = self.span;
        self.end = span.end;
        (self.token, self.span) = self.lexer.next()?;
        Ok(span)
    }

    fn eat(&mut self, token: Token) -> Parse<bool> {
        if self.token != token {
            return Ok(false);
        }
        self.advance()?;
        Ok(true)
    }

    fn expect(&mut self, token: Token, what: &str) -> Parse<()> {
        if self.eat(token)? { Ok(()) } else { Err(self.unexpected(what)) }
    }

    fn text(&self, span: Span) -> &'s str {
        self.source.get(span.range()).unwrap_or_default()
    }

    fn unexpected(&self, wanted: &str) -> Error {
        let found = match self.token {
            Token::End => "the end".to_owned(),
            _ => format!("`{}`", self.text(self.span)),
        };
        Error::new(self.span.range(), format!("found {found}, expected {wanted}"))
    }

    fn push(&mut self, kind: Kind, start: u32) -> Parse<NodeId> {
        self.arena.push(kind, Span::new(start, self.end.max(start)))
    }

    /// `test ? then : other`, as a loop over the last part.
    fn expression(&mut self) -> Parse<NodeId> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            let deep = Error::new(self.span.range(), format!("brackets are nested more than {NESTING_MAX} deep"));
            return Err(deep.help("name inner parts as variables, or write it flatter"));
        }
        let mut open = Vec::new();
        let mut last = loop {
            let start = self.span.start;
            let test = self.logic(false)?;
            if !self.eat(Token::Question)? {
                break test;
            }
            let then = self.logic(false)?;
            self.expect(Token::Colon, "`:` and what holds otherwise")?;
            open.push((start, test, then));
        };
        for (start, test, then) in open.into_iter().rev() {
            last = self.push(Kind::Conditional { test, then, other: last }, start)?;
        }
        self.nesting -= 1;
        Ok(last)
    }

    /// `a || b || c`, or `a && b && c`.
    fn logic(&mut self, all: bool) -> Parse<NodeId> {
        let start = self.span.start;
        let operator = if all { Token::And } else { Token::Or };
        let first = if all { self.binary(1)? } else { self.logic(true)? };
        if self.token != operator {
            return Ok(first);
        }
        let mut terms = vec![first];
        while self.eat(operator)? {
            terms.push(if all { self.binary(1)? } else { self.logic(true)? });
        }
        self.push(Kind::Logic { all, terms: terms.into() }, start)
    }

    fn operator(&self) -> Option<(Binary, u8)> {
        Some(match self.token {
            Token::Equal => (Binary::Equal, 1),
            Token::NotEqual => (Binary::NotEqual, 1),
            Token::Less => (Binary::Less, 1),
            Token::LessEqual => (Binary::LessEqual, 1),
            Token::Greater => (Binary::Greater, 1),
            Token::GreaterEqual => (Binary::GreaterEqual, 1),
            Token::In => (Binary::In, 1),
            Token::Plus => (Binary::Add, 2),
            Token::Minus => (Binary::Subtract, 2),
            Token::Star => (Binary::Multiply, 3),
            Token::Slash => (Binary::Divide, 3),
            Token::Percent => (Binary::Remainder, 3),
            _ => return None,
        })
    }

    /// Relations, sums and products whose operator binds at least as tightly as `floor`.
    fn binary(&mut self, floor: u8) -> Parse<NodeId> {
        let start = self.span.start;
        let mut left = self.unary()?;
        while let Some((operator, level)) = self.operator()
            && level >= floor
        {
            self.advance()?;
            let right = self.binary(level + 1)?;
            left = self.push(Kind::Binary { operator, left, right }, start)?;
        }
        Ok(left)
    }

    /// `!!a`, `--a`; a minus before a number belongs to the number.
    fn unary(&mut self) -> Parse<NodeId> {
        let (token, operator) = match self.token {
            Token::Not => (Token::Not, Unary::Not),
            Token::Minus => (Token::Minus, Unary::Negate),
            _ => return self.member(None),
        };
        let mut starts = Vec::new();
        while self.token == token {
            starts.push(self.span.start);
            self.advance()?;
        }
        let number = operator == Unary::Negate && matches!(self.token, Token::Int | Token::Double);
        let sign = if number { starts.pop() } else { None };
        let mut operand = self.member(sign)?;
        for start in starts.into_iter().rev() {
            operand = self.push(Kind::Unary { operator, operand }, start)?;
        }
        Ok(operand)
    }

    /// A primary and what is selected, indexed or called on it. `sign` is where a minus before a number stands.
    fn member(&mut self, sign: Option<u32>) -> Parse<NodeId> {
        let start = sign.unwrap_or(self.span.start);
        let mut operand = self.primary(sign)?;
        loop {
            match self.token {
                Token::Dot => operand = self.select(operand, start)?,
                Token::BracketOpen => {
                    self.advance()?;
                    let optional = self.eat(Token::Question)?;
                    let index = self.expression()?;
                    self.expect(Token::BracketClose, "`]`")?;
                    operand = self.push(Kind::Index { operand, index, optional }, start)?;
                }
                Token::BraceOpen if self.is_name(operand) => {
                    self.advance()?;
                    let fields = self.fields()?;
                    operand = self.push(Kind::Struct { name: operand, fields }, start)?;
                }
                _ => return Ok(operand),
            }
        }
    }

    fn is_name(&self, mut id: NodeId) -> bool {
        loop {
            match self.arena.kind(id) {
                Some(Kind::Ident { .. }) => return true,
                Some(Kind::Select { operand, optional: false, .. }) => id = *operand,
                _ => return false,
            }
        }
    }

    fn select(&mut self, operand: NodeId, start: u32) -> Parse<NodeId> {
        self.advance()?;
        let optional = self.eat(Token::Question)?;
        let plain = self.token == Token::Ident;
        let field = self.field()?;
        if plain && !optional && self.eat(Token::ParenOpen)? {
            let args = self.list(Token::ParenClose, "`)` or `,`")?;
            let args = args.into_iter().map(|element| element.value).collect();
            return self.call(start, Some(operand), field, args);
        }
        self.push(Kind::Select { operand, field, optional }, start)
    }

    /// The name after a dot or in a struct literal; without its backticks.
    fn field(&mut self) -> Parse<Span> {
        match self.token {
            Token::Ident => self.advance(),
            Token::Quoted => {
                let span = self.advance()?;
                Ok(Span::new(span.start + 1, span.end - 1))
            }
            _ => Err(self.unexpected("a field or function name")),
        }
    }

    fn primary(&mut self, sign: Option<u32>) -> Parse<NodeId> {
        let start = sign.unwrap_or(self.span.start);
        match self.token {
            Token::Dot => {
                self.advance()?;
                self.name(start, true)
            }
            Token::Ident => self.name(start, false),
            Token::ParenOpen => {
                self.advance()?;
                let inner = self.expression()?;
                self.expect(Token::ParenClose, "`)`")?;
                Ok(inner)
            }
            Token::BracketOpen => {
                self.advance()?;
                let elements = self.list(Token::BracketClose, "`]` or `,`")?;
                self.push(Kind::List(elements.into()), start)
            }
            Token::BraceOpen => {
                self.advance()?;
                let entries = self.entries()?;
                self.push(Kind::Map(entries), start)
            }
            _ => self.literal(start),
        }
    }

    fn literal(&mut self, start: u32) -> Parse<NodeId> {
        let token = self.token;
        let text = self.text(Span::new(start, self.span.end));
        let at = start as usize;
        let value = match token {
            Token::Int => literal::int(text, at)?,
            Token::Uint => literal::uint(text, at)?,
            Token::Double => literal::double(text, at)?,
            Token::Text => literal::text(text, at)?,
            Token::Bytes => literal::bytes(text, at)?,
            Token::True => crate::ast::Literal::Bool(true),
            Token::False => crate::ast::Literal::Bool(false),
            Token::Null => crate::ast::Literal::Null,
            _ => return Err(self.unexpected("a value, a name or `(`")),
        };
        self.advance()?;
        self.push(Kind::Literal(value), start)
    }

    fn name(&mut self, start: u32, rooted: bool) -> Parse<NodeId> {
        if self.token != Token::Ident {
            return Err(self.unexpected("a name"));
        }
        let name = self.advance()?;
        let word = self.text(name);
        if RESERVED.contains(&word) {
            return Err(Error::new(name.range(), format!("`{word}` is reserved and cannot be a name")));
        }
        if self.eat(Token::ParenOpen)? {
            let args = self.list(Token::ParenClose, "`)` or `,`")?;
            let args = args.into_iter().map(|element| element.value).collect();
            return self.call(start, None, name, args);
        }
        self.push(Kind::Ident { name, rooted }, start)
    }

    /// Elements up to the closing token, which is taken too; a comma may follow the last.
    fn list(&mut self, close: Token, wanted: &str) -> Parse<Vec<Element>> {
        let mut elements = Vec::new();
        loop {
            if self.eat(close)? {
                return Ok(elements);
            }
            let optional = close == Token::BracketClose && self.eat(Token::Question)?;
            let value = self.expression()?;
            elements.push(Element { value, optional });
            if !self.eat(Token::Comma)? {
                self.expect(close, wanted)?;
                return Ok(elements);
            }
            if close == Token::ParenClose && self.token == close {
                return Err(self.unexpected("an argument"));
            }
        }
    }

    fn entries(&mut self) -> Parse<Box<[Entry]>> {
        let mut entries = Vec::new();
        while !self.eat(Token::BraceClose)? {
            let optional = self.eat(Token::Question)?;
            let key = self.expression()?;
            self.expect(Token::Colon, "`:` and the value of that key")?;
            let value = self.expression()?;
            entries.push(Entry { key, value, optional });
            if !self.eat(Token::Comma)? {
                self.expect(Token::BraceClose, "`}` or `,`")?;
                break;
            }
        }
        Ok(entries.into())
    }

    fn fields(&mut self) -> Parse<Box<[Field]>> {
        let mut fields = Vec::new();
        while !self.eat(Token::BraceClose)? {
            let optional = self.eat(Token::Question)?;
            let name = self.field()?;
            self.expect(Token::Colon, "`:` and the value of that field")?;
            fields.push(Field { name, value: self.expression()?, optional });
            if !self.eat(Token::Comma)? {
                self.expect(Token::BraceClose, "`}` or `,`")?;
                break;
            }
        }
        Ok(fields.into())
    }
}

/// Words that the language keeps for itself; they may follow a dot.
const RESERVED: [&str; 17] = [
    "as",
    "break",
    "const",
    "continue",
    "else",
    "for",
    "function",
    "if",
    "import",
    "let",
    "loop",
    "package",
    "namespace",
    "return",
    "var",
    "void",
    "while",
];

#[cfg(test)]
mod tests;
