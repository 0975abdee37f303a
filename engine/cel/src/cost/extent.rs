//! How large a value can be, before it is there.

use std::sync::Arc;

use super::bounds::Bounds;

/// How large a value can be, and what is inside of it.
#[derive(Clone, Debug)]
pub(crate) struct Extent {
    /// Bytes of a text, elements of a list, entries of a map; nothing for a number.
    len: Bounds,
    inner: Inner,
    whole: Whole,
    /// The most values inside of one another, in it.
    depth: u32,
    /// When it is an int, it is no larger.
    most: u64,
}

#[derive(Clone, Debug)]
enum Inner {
    /// No value, as the element of an empty list.
    Never,
    /// A number, a text, or anything else that has no values inside.
    Flat,
    List(Arc<Extent>),
    Map(Arc<Pairs>),
    Optional(Arc<Extent>),
    /// Any kind of value.
    Any,
}

#[derive(Debug)]
struct Pairs {
    key: Extent,
    value: Extent,
    /// Whether it is surely a map of the request.
    lined: bool,
}

/// A value and all that is inside of it, at most.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Whole {
    /// Values.
    pub(crate) parts: u64,
    /// Bytes of texts.
    pub(crate) bytes: u64,
    /// The steps of counting the keys of all maps of the request in it, as `Map::counting` has them; as many are enough
    /// for looking every key up.
    pub(crate) counting: u64,
}

impl Whole {
    fn times(self, count: u64) -> Self {
        Self {
            parts: self.parts.saturating_mul(count),
            bytes: self.bytes.saturating_mul(count),
            counting: self.counting.saturating_mul(count),
        }
    }

    fn and(self, other: Self) -> Self {
        Self {
            parts: self.parts.saturating_add(other.parts),
            bytes: self.bytes.saturating_add(other.bytes),
            counting: self.counting.saturating_add(other.counting),
        }
    }

    fn or(self, other: Self) -> Self {
        Self {
            parts: self.parts.max(other.parts),
            bytes: self.bytes.max(other.bytes),
            counting: self.counting.max(other.counting),
        }
    }
}

impl Extent {
    fn of(len: Bounds, inner: Inner) -> Self {
        let one = Whole { parts: 1, ..Whole::default() };
        let (whole, depth) = match &inner {
            Inner::Never => (Whole::default(), 0),
            Inner::Flat => (Whole { bytes: len.max, ..one }, 0),
            Inner::List(element) => (one.and(element.whole.times(len.max)), element.depth + 1),
            Inner::Map(pair) => {
                let (key, value) = (&pair.key, &pair.value);
                (one.and(key.whole.and(value.whole).times(len.max)), key.depth.max(value.depth) + 1)
            }
            Inner::Optional(inner) => (one.and(inner.whole), inner.depth + 1),
            Inner::Any => (one, 0),
        };
        Self { len, inner, whole, depth, most: u64::MAX }
    }

    pub(crate) fn never() -> Self {
        Self::of(Bounds::ZERO, Inner::Never)
    }

    /// A number, a truth value, a time, an address.
    pub(crate) fn scalar() -> Self {
        Self::of(Bounds::ZERO, Inner::Flat)
    }

    /// An int that is no larger than that.
    pub(crate) fn number(most: u64) -> Self {
        Self { most, ..Self::scalar() }
    }

    /// A text or bytes.
    pub(crate) fn text(len: Bounds) -> Self {
        Self::of(len, Inner::Flat)
    }

    pub(crate) fn list(len: Bounds, element: Extent) -> Self {
        Self::of(len, Inner::List(Arc::new(element)))
    }

    pub(crate) fn map(len: Bounds, key: Extent, value: Extent) -> Self {
        Self::of(len, Inner::Map(Arc::new(Pairs { key, value, lined: false })))
    }

    /// The same list, whose texts have at most that many bytes together.
    pub(crate) fn of_bytes(mut self, bytes: u64) -> Self {
        self.whole.bytes = self.whole.bytes.min(bytes);
        self
    }

    /// A map of JSON, which makes its lists anew each time that they are read.
    pub(crate) fn json(parts: u64, bytes: u64) -> Self {
        let whole = Whole { parts, bytes, counting: parts };
        let mut map = Self::map(Bounds::at_most(parts), Self::text(Bounds::at_most(bytes)), Self::any(whole));
        map.whole = whole;
        map
    }

    /// A map of the request, made of at most `lines` lines; its values are texts, or lists of lines.
    pub(crate) fn lines(lines: u64, key: Extent, value: Extent) -> Self {
        let line = if value.may_be_list() { value.element() } else { value.clone() };
        let mut map = Self::of(Bounds::at_most(lines), Inner::Map(Arc::new(Pairs { key, value, lined: true })));
        if let Inner::Map(pairs) = &map.inner {
            // Each line is the value of one key.
            let each = Whole { parts: 3, bytes: pairs.key.whole.bytes.saturating_add(line.whole.bytes), counting: 0 };
            map.whole = Whole { parts: 1, bytes: 0, counting: counting(lines) }.and(each.times(lines));
        }
        map
    }

    /// Whether it is a map of the request, and nothing else.
    pub(crate) fn is_lined(&self) -> bool {
        matches!(&self.inner, Inner::Map(pairs) if pairs.lined)
    }

    pub(crate) fn optional(inner: Extent) -> Self {
        Self::of(Bounds::at_most(1), Inner::Optional(Arc::new(inner)))
    }

    /// Any value that has at most that many values and bytes in it.
    pub(crate) fn any(whole: Whole) -> Self {
        let mut any = Self::of(Bounds::at_most(whole.parts.max(whole.bytes)), Inner::Any);
        any.whole = whole;
        any
    }

    /// Bytes of a text, elements of a list, entries of a map.
    pub(crate) fn len(&self) -> Bounds {
        self.len
    }

    /// The elements of a list, the entries of a map.
    pub(crate) fn count(&self) -> Bounds {
        match self.inner {
            Inner::Any => Bounds::at_most(self.whole.parts.min(self.len.max)),
            Inner::Flat => Bounds::ZERO,
            _ => self.len,
        }
    }

    /// The largest int that it can be.
    pub(crate) fn most(&self) -> u64 {
        self.most
    }

    /// Whether there may be a map in it.
    pub(crate) fn may_hold_maps(&self) -> bool {
        match &self.inner {
            Inner::Map(_) | Inner::Any => true,
            Inner::List(inner) | Inner::Optional(inner) => inner.may_hold_maps(),
            Inner::Flat | Inner::Never => false,
        }
    }

    pub(crate) fn whole(&self) -> Whole {
        self.whole
    }

    pub(crate) fn depth(&self) -> u32 {
        self.depth
    }

    pub(crate) fn is_any(&self) -> bool {
        matches!(self.inner, Inner::Any)
    }

    /// Whether it may be a text, a number or another value that has none inside.
    pub(crate) fn may_be_flat(&self) -> bool {
        matches!(self.inner, Inner::Flat | Inner::Any | Inner::Never)
    }

    pub(crate) fn may_be_list(&self) -> bool {
        matches!(self.inner, Inner::List(_) | Inner::Any | Inner::Never)
    }

    pub(crate) fn may_be_map(&self) -> bool {
        matches!(self.inner, Inner::Map(_) | Inner::Any | Inner::Never)
    }

    pub(crate) fn may_be_optional(&self) -> bool {
        matches!(self.inner, Inner::Optional(_) | Inner::Any | Inner::Never)
    }

    /// What is in it, when it is surely an optional.
    pub(crate) fn held(&self) -> Option<Extent> {
        match &self.inner {
            Inner::Optional(inner) => Some((**inner).clone()),
            _ => None,
        }
    }

    /// Whether it may be a map of the request, whose keys have to be searched for.
    pub(crate) fn counting(&self) -> u64 {
        if self.may_be_map() { self.whole.counting } else { 0 }
    }

    /// What a list has inside, a map at its keys, an optional when it is not empty; as it is itself where that is not known.
    pub(crate) fn element(&self) -> Extent {
        match &self.inner {
            Inner::List(element) | Inner::Optional(element) => (**element).clone(),
            Inner::Map(pair) => pair.value.clone(),
            Inner::Any => self.clone(),
            Inner::Flat | Inner::Never => Self::never(),
        }
    }

    /// The keys of a map, the places of a list.
    pub(crate) fn key(&self) -> Extent {
        match &self.inner {
            Inner::Map(pair) => pair.key.clone(),
            Inner::Any => self.clone(),
            _ => Self::scalar(),
        }
    }

    /// What the one variable of a macro stands for.
    pub(crate) fn item(&self) -> Extent {
        if matches!(self.inner, Inner::Map(_)) { self.key() } else { self.element() }
    }

    /// What is one or the other.
    pub(crate) fn or(&self, other: &Extent) -> Extent {
        let len = self.len.or(other.len);
        match (&self.inner, &other.inner) {
            (Inner::Never, _) => other.clone(),
            (_, Inner::Never) => self.clone(),
            (Inner::Flat, Inner::Flat) => Self { most: self.most.max(other.most), ..Self::text(len) },
            (Inner::List(a), Inner::List(b)) => {
                Self::list(len, a.or(b)).of_bytes(self.whole.bytes.max(other.whole.bytes))
            }
            (Inner::Optional(a), Inner::Optional(b)) => Self::optional(a.or(b)),
            (Inner::Map(a), Inner::Map(b)) => {
                let (key, value) = (a.key.or(&b.key), a.value.or(&b.value));
                let mut map = Self::of(len, Inner::Map(Arc::new(Pairs { key, value, lined: a.lined && b.lined })));
                map.whole = self.whole.or(other.whole);
                map
            }
            _ => {
                let mut any = Self::any(self.whole.or(other.whole));
                any.len = Bounds { min: len.min, max: any.len.max.max(len.max) };
                any.depth = self.depth.max(other.depth);
                any
            }
        }
    }
}

/// The steps of finding out which keys that many lines have.
pub(crate) fn counting(lines: u64) -> u64 {
    lines.saturating_mul(lines) / 16
}
