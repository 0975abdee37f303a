//! RE2's meaning of `\d`, `\w`, `\s`, `\b` and their like: ASCII, where the library's own is Unicode.

use std::borrow::Cow;

use regex_syntax::ast::{
    self, AssertionKind, Ast, ClassPerl, ClassPerlKind, ClassSetItem, Span, Visitor, parse::ParserBuilder,
};

use crate::limits::REGEX_NESTING_MAX;

/// The pattern with these spelled out. One that cannot be read stays as it is: compiling it says what is wrong.
pub(super) fn spelled(pattern: &str) -> Cow<'_, str> {
    if !pattern.contains('\\') {
        return pattern.into();
    }
    let Ok(tree) = ParserBuilder::new().nest_limit(REGEX_NESTING_MAX).build().parse(pattern) else {
        return pattern.into();
    };
    let Ok(found) = ast::visit(&tree, Finder(Vec::new()));
    let mut whole = String::with_capacity(pattern.len() + found.len() * 16);
    let mut kept = 0;
    for (span, text) in found {
        whole.push_str(pattern.get(kept..span.start.offset).unwrap_or_default());
        whole.push_str(text);
        kept = span.end.offset;
    }
    whole.push_str(pattern.get(kept..).unwrap_or_default());
    whole.into()
}

/// What is spelled differently, in the order of the pattern.
struct Finder(Vec<(Span, &'static str)>);

impl Finder {
    fn class(&mut self, class: &ClassPerl) {
        let text = match (&class.kind, class.negated) {
            (ClassPerlKind::Digit, false) => "[0-9]",
            (ClassPerlKind::Digit, true) => "[^0-9]",
            (ClassPerlKind::Word, false) => "[0-9A-Za-z_]",
            (ClassPerlKind::Word, true) => "[^0-9A-Za-z_]",
            (ClassPerlKind::Space, false) => r"[\t\n\f\r\x20]",
            (ClassPerlKind::Space, true) => r"[^\t\n\f\r\x20]",
        };
        self.0.push((class.span, text));
    }
}

impl Visitor for Finder {
    type Output = Vec<(Span, &'static str)>;
    type Err = std::convert::Infallible;

    fn finish(self) -> Result<Self::Output, Self::Err> {
        Ok(self.0)
    }

    fn visit_pre(&mut self, ast: &Ast) -> Result<(), Self::Err> {
        match ast {
            Ast::ClassPerl(class) => self.class(class),
            Ast::Assertion(assertion) => match assertion.kind {
                AssertionKind::WordBoundary => self.0.push((assertion.span, r"(?-u:\b)")),
                AssertionKind::NotWordBoundary => self.0.push((assertion.span, r"(?-u:\B)")),
                _ => {}
            },
            _ => {}
        }
        Ok(())
    }

    fn visit_class_set_item_pre(&mut self, item: &ClassSetItem) -> Result<(), Self::Err> {
        if let ClassSetItem::Perl(class) = item {
            self.class(class);
        }
        Ok(())
    }
}
