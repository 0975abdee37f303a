//! The language of format texts: text, `%%`, and clauses such as `%s` and `%.3f`.

use crate::types::Type;

/// The most digits after the point that a clause may ask for.
pub(crate) const PRECISION_MAX: usize = 1000;

/// Those when it asks for none.
const PRECISION_DEFAULT: usize = 6;

/// What has a text, beside numbers, lists and maps.
static TEXTS: [Type; 7] =
    [Type::Null, Type::Bool, Type::String, Type::Bytes, Type::Timestamp, Type::Duration, Type::Type];

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    /// `%s`
    Text,
    /// `%d`
    Decimal,
    /// `%f`
    Fixed,
    /// `%e`
    Scientific,
    /// `%b`
    Binary,
    /// `%o`
    Octal,
    /// `%x` and `%X`
    Hex { upper: bool },
}

impl Verb {
    fn of(letter: char) -> Option<Self> {
        Some(match letter {
            's' => Self::Text,
            'd' => Self::Decimal,
            'f' => Self::Fixed,
            'e' => Self::Scientific,
            'b' => Self::Binary,
            'o' => Self::Octal,
            'x' => Self::Hex { upper: false },
            'X' => Self::Hex { upper: true },
            _ => return None,
        })
    }

    pub(crate) fn letter(self) -> char {
        match self {
            Self::Text => 's',
            Self::Decimal => 'd',
            Self::Fixed => 'f',
            Self::Scientific => 'e',
            Self::Binary => 'b',
            Self::Octal => 'o',
            Self::Hex { upper: false } => 'x',
            Self::Hex { upper: true } => 'X',
        }
    }

    /// Whether a value of that type may be one that it takes.
    pub(crate) fn takes(self, ty: &Type) -> bool {
        let number = matches!(ty, Type::Int | Type::Uint | Type::Double);
        match ty {
            ty if ty.is_loose() => true,
            Type::Wrapper(inner) => self.takes(inner),
            Type::List(element) => self == Self::Text && self.takes(element),
            Type::Map(key, value) => self == Self::Text && self.takes(key) && self.takes(value),
            ty => match self {
                Self::Text => number || TEXTS.contains(ty),
                Self::Decimal | Self::Fixed | Self::Scientific => number,
                Self::Binary => matches!(ty, Type::Int | Type::Uint | Type::Bool),
                Self::Octal => matches!(ty, Type::Int | Type::Uint),
                Self::Hex { .. } => matches!(ty, Type::Int | Type::Uint | Type::String | Type::Bytes),
            },
        }
    }

    /// What it takes, for people.
    pub(crate) fn wants(self) -> &'static str {
        match self {
            Self::Text => "what has a text: no optionals, addresses and the like",
            Self::Decimal | Self::Fixed | Self::Scientific => "a number",
            Self::Binary => "an int, uint or bool",
            Self::Octal => "an int or uint",
            Self::Hex { .. } => "an int, uint, string or bytes",
        }
    }
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Clause {
    pub(crate) verb: Verb,
    pub(crate) precision: usize,
}

#[derive(Clone, Copy, Debug)]
pub(crate) enum Piece<'t> {
    Text(&'t str),
    Clause(Clause),
}

/// The pieces of a format text; after an error there are no more.
#[derive(Debug)]
pub(crate) struct Pieces<'t>(&'t str);

impl<'t> Pieces<'t> {
    pub(crate) fn of(text: &'t str) -> Self {
        Self(text)
    }

    fn clause(&mut self) -> Result<Piece<'t>, String> {
        let rest = std::mem::take(&mut self.0);
        let (precision, rest) = match rest.strip_prefix('.') {
            None => (PRECISION_DEFAULT, rest),
            Some(rest) => {
                let (digits, rest) = rest.split_at(rest.find(|c: char| !c.is_ascii_digit()).unwrap_or(rest.len()));
                match digits.parse() {
                    Ok(precision) if precision <= PRECISION_MAX => (precision, rest),
                    _ => return Err(format!("a precision is a number up to {PRECISION_MAX}, not `{digits}`")),
                }
            }
        };
        let letter = rest.chars().next().ok_or("it ends within a clause")?;
        let verb = Verb::of(letter).ok_or_else(|| format!("`%{letter}` is no clause"))?;
        self.0 = rest.get(1..).unwrap_or_default();
        Ok(Piece::Clause(Clause { verb, precision }))
    }
}

impl<'t> Iterator for Pieces<'t> {
    /// An error says what is wrong, for people.
    type Item = Result<Piece<'t>, String>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let Some(after) = self.0.strip_prefix('%') else {
            let (text, rest) = self.0.split_at(self.0.find('%').unwrap_or(self.0.len()));
            self.0 = rest;
            return Some(Ok(Piece::Text(text)));
        };
        self.0 = after;
        if let Some(rest) = after.strip_prefix('%') {
            self.0 = rest;
            return Some(Ok(Piece::Text("%")));
        }
        Some(self.clause())
    }
}
