//! What a line of the repl asks for.

/// A command: its name, what it takes, and what it does.
pub(super) const COMMANDS: [(&str, &str, &str); 8] = [
    (":help", "[FUNCTION]", "this list, or the forms of a function"),
    (":type", "EXPR", "the type of an expression"),
    (":check", "EXPR", "its type, what it reads, and the reads that may fail"),
    (":explain", "EXPR", "the value of each of its parts"),
    (":let", "NAME = EXPR", "names an expression; it is evaluated anew on each request"),
    (":input", "FILE [NUMBER]", "takes a request from a file: the first, or that one"),
    (":vars", "", "variables and what the request says"),
    (":quit", "", "leaves, as Ctrl-D does"),
];

/// A line, read.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Line<'l> {
    Nothing,
    Evaluate(&'l str),
    Help(&'l str),
    Type(&'l str),
    Check(&'l str),
    Explain(&'l str),
    Let(&'l str, &'l str),
    Input(&'l str, Option<usize>),
    Vars,
    Quit,
    /// What is wrong with it, and the way out.
    Wrong(String),
}

impl<'l> Line<'l> {
    pub(super) fn read(text: &'l str) -> Self {
        let text = text.trim();
        if text.is_empty() || (text.starts_with("//") && !text.contains('\n')) {
            return Self::Nothing;
        }
        if !text.starts_with(':') {
            return Self::Evaluate(text);
        }
        let (name, rest) = text.split_once(char::is_whitespace).unwrap_or((text, ""));
        let rest = rest.trim();
        let usage = || {
            let usage = COMMANDS.iter().find(|(other, ..)| *other == name);
            Self::Wrong(usage.map_or_else(String::new, |(name, takes, _)| format!("write {name} {takes}")))
        };
        match name {
            ":help" => Self::Help(rest),
            ":type" if !rest.is_empty() => Self::Type(rest),
            ":check" if !rest.is_empty() => Self::Check(rest),
            ":explain" if !rest.is_empty() => Self::Explain(rest),
            ":let" => match rest.split_once('=') {
                Some((name, expression)) if !expression.trim().is_empty() => Self::Let(name.trim(), expression.trim()),
                _ => usage(),
            },
            ":input" => match rest.rsplit_once(char::is_whitespace) {
                _ if rest.is_empty() => usage(),
                Some((file, number)) if number.bytes().all(|byte| byte.is_ascii_digit()) => {
                    number.parse().map_or_else(|_| usage(), |number| Self::Input(file.trim_end(), Some(number)))
                }
                _ => Self::Input(rest, None),
            },
            ":vars" => Self::Vars,
            ":quit" | ":q" | ":exit" => Self::Quit,
            ":type" | ":check" | ":explain" => usage(),
            other => {
                let near = weir_config::nearest(other, COMMANDS.iter().map(|(name, ..)| *name));
                let help = near.map_or(":help lists them".to_owned(), |near| format!("did you mean {near}?"));
                Self::Wrong(format!("there is no command {other}; {help}"))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_an_expression_or_a_command() {
        for (text, expected) in [
            ("  \n", Line::Nothing),
            ("// a comment", Line::Nothing),
            ("1 + 1 // two\n", Line::Evaluate("1 + 1 // two")),
            (":let a = b == c", Line::Let("a", "b == c")),
            (":let a", Line::Wrong("write :let NAME = EXPR".to_owned())),
            (":input my file.yaml", Line::Input("my file.yaml", None)),
            (":input my file.yaml 2", Line::Input("my file.yaml", Some(2))),
            (":type", Line::Wrong("write :type EXPR".to_owned())),
            (":help size", Line::Help("size")),
            (":tpye 1", Line::Wrong("there is no command :tpye; did you mean :type?".to_owned())),
            (":q", Line::Quit),
        ] {
            assert_eq!(Line::read(text), expected, "{text:?}");
        }
    }
}
