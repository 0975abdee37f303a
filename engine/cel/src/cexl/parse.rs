//! Source to syntax tree: Go's expressions, as far as functions implement them.
//!
//! Chains are loops, only brackets recurse, and brackets, nodes and the height of the tree are limited while it grows.
//! `a | b | c` becomes one call of `|`, which is the name of no function that can be written.

use std::sync::Arc;

use super::{
    lex::{Lexer, Token},
    literal,
};
use crate::{
    ast::{Arena, Ast, Binary, Kind, Literal, NodeId, Span},
    error::Error,
    limits::{NESTING_MAX, SOURCE_MAX},
};

type Parse<T> = Result<T, Error>;

/// Parses a whole source.
pub(super) fn parse(source: Arc<str>) -> Parse<Ast> {
    if source.len() > SOURCE_MAX {
        return Err(Error::new(SOURCE_MAX..source.len(), format!("the source is longer than {SOURCE_MAX} bytes"))
            .help("split it into several rules"));
    }
    let text = source.clone();
    let mut parser = Parser::new(&text)?;
    let root = parser.logic(false)?;
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
}

impl<'s> Parser<'s> {
    fn new(source: &'s str) -> Parse<Self> {
        let mut lexer = Lexer::new(source);
        let (token, span) = lexer.next()?;
        Ok(Self { source, lexer, token, span, end: 0, arena: Arena::for_source(source.len()), nesting: 0 })
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
        let text = self.text(self.span);
        if self.token == Token::Other {
            let error = Error::new(self.span.range(), format!("nothing implements the operator `{text}`"));
            return match text {
                "!" => error.help("compare instead: `x == false`"),
                "&" => error.help("both conditions: `&&`"),
                _ => error.help("there are == != < <= > >= && || + and |"),
            };
        }
        let found = if self.token == Token::End { "the end".to_owned() } else { format!("`{text}`") };
        Error::new(self.span.range(), format!("found {found}, expected {wanted}"))
    }

    fn push(&mut self, kind: Kind, start: u32) -> Parse<NodeId> {
        self.arena.push(kind, Span::new(start, self.end.max(start)))
    }

    /// What stands in brackets, or is an argument.
    fn nested(&mut self) -> Parse<NodeId> {
        self.nesting += 1;
        if self.nesting > NESTING_MAX {
            let deep = Error::new(self.span.range(), format!("brackets are nested more than {NESTING_MAX} deep"));
            return Err(deep.help("name inner parts as variables, or write it flatter"));
        }
        let inner = self.logic(false)?;
        self.nesting -= 1;
        Ok(inner)
    }

    /// `a || b || c`, or `a && b && c`.
    fn logic(&mut self, all: bool) -> Parse<NodeId> {
        let start = self.span.start;
        let operator = if all { Token::And } else { Token::Or };
        let first = if all { self.relation()? } else { self.logic(true)? };
        if self.token != operator {
            return Ok(first);
        }
        let mut terms = vec![first];
        while self.eat(operator)? {
            terms.push(if all { self.relation()? } else { self.logic(true)? });
        }
        self.push(Kind::Logic { all, terms: terms.into() }, start)
    }

    fn relation(&mut self) -> Parse<NodeId> {
        let start = self.span.start;
        let mut left = self.sum()?;
        while let Token::Relation(operator) = self.token {
            self.advance()?;
            let right = self.sum()?;
            left = self.push(Kind::Binary { operator, left, right }, start)?;
        }
        Ok(left)
    }

    /// `a + b | c`: both bind alike, from the left.
    fn sum(&mut self) -> Parse<NodeId> {
        let start = self.span.start;
        let mut left = self.member()?;
        loop {
            match self.token {
                Token::Plus => {
                    self.advance()?;
                    let right = self.member()?;
                    left = self.push(Kind::Binary { operator: Binary::Add, left, right }, start)?;
                }
                Token::Default => {
                    let function = self.span;
                    let mut args = vec![left];
                    while self.eat(Token::Default)? {
                        args.push(self.member()?);
                    }
                    left = self.push(Kind::Call { function, target: None, args: args.into() }, start)?;
                }
                _ => return Ok(left),
            }
        }
    }

    /// A primary and what is selected, indexed or called on it.
    fn member(&mut self) -> Parse<NodeId> {
        let start = self.span.start;
        let mut operand = self.primary()?;
        loop {
            match self.token {
                Token::Dot => {
                    self.advance()?;
                    let name = self.name("the name after the dot")?;
                    operand = if self.token == Token::ParenOpen {
                        let args = self.arguments()?;
                        self.push(Kind::Call { function: name, target: Some(operand), args }, start)?
                    } else {
                        self.dotted(operand, name)?;
                        self.push(Kind::Select { operand, field: name, optional: false }, start)?
                    };
                }
                Token::BracketOpen => {
                    self.advance()?;
                    let index = self.nested()?;
                    self.expect(Token::BracketClose, "`]`")?;
                    operand = self.push(Kind::Index { operand, index, optional: false }, start)?;
                }
                _ => return Ok(operand),
            }
        }
    }

    /// Only names of attributes have dots.
    fn dotted(&self, operand: NodeId, field: Span) -> Parse<()> {
        match self.arena.kind(operand) {
            Some(Kind::Ident { .. } | Kind::Select { .. }) => Ok(()),
            _ => {
                let error = Error::new(field.range(), format!("`{}` is selected from a value", self.text(field)));
                Err(error.help("values have no fields: index a map with [\"key\"], call a function with (...)"))
            }
        }
    }

    fn name(&mut self, wanted: &str) -> Parse<Span> {
        if self.token == Token::Name { self.advance() } else { Err(self.unexpected(wanted)) }
    }

    fn primary(&mut self) -> Parse<NodeId> {
        let start = self.span.start;
        match self.token {
            Token::ParenOpen => {
                self.advance()?;
                let inner = self.nested()?;
                self.expect(Token::ParenClose, "`)`")?;
                Ok(inner)
            }
            Token::Name => {
                let name = self.advance()?;
                if self.token == Token::ParenOpen {
                    let args = self.arguments()?;
                    return self.push(Kind::Call { function: name, target: None, args }, start);
                }
                let word = self.text(name);
                let truth = [("true", true), ("false", false)].iter().find(|(text, _)| word.eq_ignore_ascii_case(text));
                match truth {
                    Some((_, value)) => self.push(Kind::Literal(Literal::Bool(*value)), start),
                    None => self.push(Kind::Ident { name, rooted: false }, start),
                }
            }
            Token::Plus => Err(Error::new(self.span.range(), "`+` has nothing on its left").help("it adds two values")),
            Token::Int | Token::Double | Token::Text => {
                let (text, at) = (self.text(self.span), start as usize);
                let literal = match self.token {
                    Token::Int => literal::int(text, at)?,
                    Token::Double => literal::double(text, at)?,
                    _ => literal::text(text, at)?,
                };
                self.advance()?;
                self.push(Kind::Literal(literal), start)
            }
            _ => Err(self.unexpected("a value, a name or `(`")),
        }
    }

    /// `(a, b)`; a comma may follow the last.
    fn arguments(&mut self) -> Parse<Box<[NodeId]>> {
        self.advance()?;
        let mut args = Vec::new();
        while !self.eat(Token::ParenClose)? {
            args.push(self.nested()?);
            if !self.eat(Token::Comma)? {
                self.expect(Token::ParenClose, "`)` or `,`")?;
                break;
            }
        }
        Ok(args.into())
    }
}
