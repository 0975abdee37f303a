//! Paths: string patterns, and templates with `{*}` (one segment) and `{**}` (any text).

use weir_cel::Atom;

use super::{Patterns, Presence};

/// A set of path patterns and templates.
#[derive(Clone, Debug)]
pub(crate) struct Paths {
    patterns: Patterns,
    templates: Box<[Template]>,
}

impl Paths {
    pub(crate) fn new(values: &[String]) -> Result<Self, TemplateError> {
        let (templates, plain): (Vec<&str>, Vec<&str>) =
            values.iter().map(String::as_str).partition(|value| Template::is_meant(value));
        let templates = templates.into_iter().map(Template::parse).collect::<Result<_, _>>()?;
        Ok(Self { patterns: Patterns::new(plain, Presence::NonEmpty), templates })
    }

    /// What a path that matches is, starts or ends with; none when that leaves nothing out.
    pub(crate) fn atoms(&self) -> Option<Box<[Atom]>> {
        let mut atoms = self.patterns.atoms()?.into_vec();
        for template in &self.templates {
            atoms.push(Atom::Prefix(template.literals.first()?.clone()));
        }
        Some(atoms.into())
    }

    /// The patterns, when there is no template.
    pub(crate) fn plain(&self) -> Option<&Patterns> {
        self.templates.is_empty().then_some(&self.patterns)
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        self.patterns.matches(path) || self.templates.iter().any(|template| template.matches(path))
    }
}

/// Why a path is not a template.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum TemplateError {
    #[error("`{{**}}` is not the last operator of the path")]
    NotLast,
    #[error("the path has `{{` or `}}` beyond a supported path template")]
    Braces,
    #[error("segment `{0}` of the path template has a character that is not allowed in it")]
    Literal(String),
}

/// A path template: literal texts with one segment between each two, then perhaps any text and a literal end.
///
/// The slashes around an operator are literal: `/a/{**}` does not match `/a`, and `/a/{*}` not `/a/`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Template {
    /// The text before the first `{*}`, between two, and after the last one up to `{**}` or the end.
    literals: Box<[Box<str>]>,
    /// The literal end behind `{**}`; none without one.
    end: Option<Box<str>>,
}

impl Template {
    /// Whether a value is a template rather than a pattern: it has a brace.
    pub(crate) fn is_meant(value: &str) -> bool {
        value.contains(['{', '}'])
    }

    pub(crate) fn parse(value: &str) -> Result<Self, TemplateError> {
        let mut literals = vec![String::new()];
        let mut end: Option<String> = None;
        for (index, segment) in value.split('/').enumerate() {
            let slash = if index == 0 { "" } else { "/" };
            let text = end.as_mut().or(literals.last_mut());
            if let Some(text) = text {
                text.push_str(slash);
            }
            match segment {
                "{*}" | "{**}" if end.is_some() => return Err(TemplateError::NotLast),
                "{*}" => literals.push(String::new()),
                "{**}" => end = Some(String::new()),
                braces if braces.contains(['{', '}']) => return Err(TemplateError::Braces),
                literal if !literal.bytes().all(is_literal) => return Err(TemplateError::Literal(literal.to_owned())),
                literal => {
                    if let Some(text) = end.as_mut().or(literals.last_mut()) {
                        text.push_str(literal);
                    }
                }
            }
        }
        Ok(Self { literals: literals.into_iter().map(Into::into).collect(), end: end.map(Into::into) })
    }

    pub(crate) fn matches(&self, path: &str) -> bool {
        let mut rest = path;
        for (index, literal) in self.literals.iter().enumerate() {
            if index > 0 {
                let segment = rest.find('/').unwrap_or(rest.len());
                if segment == 0 {
                    return false;
                }
                rest = rest.split_at(segment).1;
            }
            match rest.strip_prefix(&**literal) {
                Some(after) => rest = after,
                None => return false,
            }
        }
        match &self.end {
            Some(end) => rest.ends_with(&**end),
            None => rest.is_empty(),
        }
    }
}

/// The characters that Istio allows in a literal segment of a template.
fn is_literal(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"-._~%!$&'()+,;:@=".contains(&byte)
}
