//! JSON as a value: the claims of a token, the dynamic metadata of a proxy.
//!
//! How deep and how large it is is bounded when it is made, so that whoever walks or drops it needs no limit of its own.

mod parse;
mod text;

/// How many lists and maps one inside the other.
pub const JSON_DEPTH_MAX: usize = 32;

/// About how many bytes a value takes in memory, all that is in it included.
pub const JSON_BYTES_MAX: usize = 1 << 20;

/// Any value of JSON.
#[derive(Clone, Debug, PartialEq)]
pub enum Json {
    /// `null`.
    Null,
    /// True or false.
    Bool(bool),
    /// A number without fraction and exponent that fits 64 bits.
    Int(i64),
    /// Any other number; finite when it was parsed.
    Double(f64),
    /// Unicode text.
    String(Box<str>),
    /// A list.
    List(List),
    /// A map.
    Map(Struct),
}

/// A list of values.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct List {
    items: Box<[Json]>,
    depth: u8,
    bytes: u32,
}

/// A map of text to values, the keys in order.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Struct {
    entries: Box<[(Box<str>, Json)]>,
    depth: u8,
    bytes: u32,
}

/// Why there is no such value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum JsonError {
    /// More than [`JSON_DEPTH_MAX`] lists and maps one inside the other.
    TooDeep,
    /// More than [`JSON_BYTES_MAX`] bytes.
    TooLarge,
    /// Two entries of a map have the same key: which one counts is not for a policy to guess.
    Duplicate,
    /// It is not JSON from that byte on.
    Syntax(usize),
}

impl std::fmt::Display for JsonError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::TooDeep => write!(f, "more than {JSON_DEPTH_MAX} lists and maps one inside the other"),
            Self::TooLarge => write!(f, "more than {JSON_BYTES_MAX} bytes in memory"),
            Self::Duplicate => f.write_str("a map has the same key twice"),
            Self::Syntax(at) => write!(f, "not JSON at byte {at}"),
        }
    }
}

impl std::error::Error for JsonError {}

impl Json {
    /// A text.
    #[must_use]
    pub fn string(text: &str) -> Self {
        Self::String(text.into())
    }

    /// The text, when it is one.
    #[must_use]
    pub fn as_str(&self) -> Option<&str> {
        match self {
            Self::String(text) => Some(text),
            _ => None,
        }
    }

    /// The map, when it is one.
    #[must_use]
    pub fn as_map(&self) -> Option<&Struct> {
        match self {
            Self::Map(map) => Some(map),
            _ => None,
        }
    }

    /// The number of seconds or whatever it counts, when it is a number; what is beyond 64 bits is their end.
    #[must_use]
    pub fn as_number(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            // The cast ends at the ends of the type.
            Self::Double(number) => Some(number.floor() as i64),
            _ => None,
        }
    }

    fn depth(&self) -> u8 {
        match self {
            Self::List(list) => list.depth,
            Self::Map(map) => map.depth,
            _ => 0,
        }
    }

    /// About how many bytes it takes in memory.
    #[must_use]
    pub fn bytes(&self) -> usize {
        size_of::<Self>()
            + match self {
                Self::String(text) => text.len(),
                Self::List(list) => list.bytes as usize,
                Self::Map(map) => map.bytes as usize,
                _ => 0,
            }
    }
}

/// Depth and bytes of what is around such parts.
fn bound<'v>(parts: impl Iterator<Item = (usize, &'v Json)>) -> Result<(u8, u32), JsonError> {
    let (mut depth, mut bytes) = (0, 0_usize);
    for (key, value) in parts {
        depth = depth.max(value.depth());
        bytes = bytes.saturating_add(key + value.bytes());
    }
    if usize::from(depth) >= JSON_DEPTH_MAX {
        return Err(JsonError::TooDeep);
    }
    match u32::try_from(bytes) {
        Ok(bytes) if bytes as usize <= JSON_BYTES_MAX => Ok((depth + 1, bytes)),
        _ => Err(JsonError::TooLarge),
    }
}

impl List {
    /// A list of these.
    ///
    /// # Errors
    /// [`JsonError::TooDeep`] and [`JsonError::TooLarge`].
    pub fn new(items: Vec<Json>) -> Result<Self, JsonError> {
        let (depth, bytes) = bound(items.iter().map(|item| (0, item)))?;
        Ok(Self { items: items.into(), depth, bytes })
    }

    /// The elements.
    #[must_use]
    pub fn items(&self) -> &[Json] {
        &self.items
    }
}

impl Struct {
    /// A map of these.
    ///
    /// # Errors
    /// [`JsonError::TooDeep`], [`JsonError::TooLarge`] and [`JsonError::Duplicate`].
    pub fn new(mut entries: Vec<(Box<str>, Json)>) -> Result<Self, JsonError> {
        let (depth, bytes) = bound(entries.iter().map(|(key, value)| (size_of::<Box<str>>() + key.len(), value)))?;
        entries.sort_by(|(a, _), (b, _)| a.cmp(b));
        if entries.windows(2).any(|pair| matches!(pair, [(a, _), (b, _)] if a == b)) {
            return Err(JsonError::Duplicate);
        }
        Ok(Self { entries: entries.into(), depth, bytes })
    }

    /// Reads an object of JSON (RFC 8259); a text longer than [`JSON_BYTES_MAX`] is not read.
    ///
    /// # Errors
    /// Every [`JsonError`].
    pub fn parse(text: &[u8]) -> Result<Self, JsonError> {
        match parse::value(text)? {
            Json::Map(map) => Ok(map),
            _ => Err(JsonError::Syntax(0)),
        }
    }

    /// The value at that key.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        let at = self.entries.binary_search_by(|(other, _)| (**other).cmp(key)).ok()?;
        self.entries.get(at).map(|(_, value)| value)
    }

    /// The text at that key, when it is one.
    #[must_use]
    pub fn str(&self, key: &str) -> Option<&str> {
        self.get(key)?.as_str()
    }

    /// The entries in the order of their keys.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Json)> {
        self.entries.iter().map(|(key, value)| (&**key, value))
    }

    /// How many entries it has.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }
}

#[cfg(test)]
mod tests;
