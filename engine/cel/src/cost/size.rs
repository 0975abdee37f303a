//! How large the values of attributes and variables are taken to be.

use weir_attributes::{Slot, slot};

use super::{
    bounds::Bounds,
    extent::{Extent, Whole},
};
use crate::{
    limits::{
        SIZE_DYN_BYTES, SIZE_DYN_PARTS, SIZE_ENTRIES, SIZE_HEADER_LINES, SIZE_HEADER_NAME, SIZE_LABEL_NAME,
        SIZE_LABEL_VALUE, SIZE_LABELS, SIZE_TARGET, SIZE_TEXT,
    },
    types::Type,
};

/// How large the value of a variable or attribute is at most, for [`crate::EnvBuilder::size_hint`].
///
/// ```
/// use weir_cel::{Env, Size, Type};
///
/// let groups = Type::list(Type::String);
/// let env = Env::builder().variable("groups", groups).size_hint("groups", Size::list(20, Size::text(64))).build();
/// let program = env.compile("groups.exists(g, g.contains('admin'))")?;
/// assert!(program.cost().steps.1 < 200);
/// # Ok::<(), weir_cel::Errors>(())
/// ```
#[derive(Clone, Debug)]
pub struct Size(Kind);

#[derive(Clone, Debug)]
enum Kind {
    Text(u64),
    List(u64, Box<Size>),
    Map(u64, Box<Size>, Box<Size>),
    Any(u64, u64),
}

impl Size {
    /// A text, or bytes, of at most that many bytes; also any number, time or truth value.
    #[must_use]
    pub fn text(bytes: u64) -> Self {
        Self(Kind::Text(bytes))
    }

    /// A list of at most that many elements.
    #[must_use]
    pub fn list(elements: u64, element: Size) -> Self {
        Self(Kind::List(elements, Box::new(element)))
    }

    /// A map of at most that many entries; of the header maps, that many header lines. For the maps of JSON, claims and
    /// metadata, say [`Size::any`].
    #[must_use]
    pub fn map(entries: u64, key: Size, value: Size) -> Self {
        Self(Kind::Map(entries, Box::new(key), Box::new(value)))
    }

    /// A value of any type that is made of at most that many values, itself and everything inside of it, and whose texts
    /// have at most that many bytes together.
    #[must_use]
    pub fn any(values: u64, bytes: u64) -> Self {
        Self(Kind::Any(values, bytes))
    }

    pub(super) fn extent(&self) -> Extent {
        match &self.0 {
            Kind::Text(bytes) => Extent::text(Bounds::at_most(*bytes)),
            Kind::List(elements, element) => Extent::list(Bounds::at_most(*elements), element.extent()),
            Kind::Map(entries, key, value) => Extent::map(Bounds::at_most(*entries), key.extent(), value.extent()),
            Kind::Any(parts, bytes) => Extent::any(Whole { parts: *parts, bytes: *bytes, counting: 0 }),
        }
    }

    /// Of an attribute: what is not said of a map keeps its default.
    pub(super) fn of_attribute(&self, slot: Slot) -> Extent {
        match (&self.0, slot.attribute().ty) {
            (Kind::Map(lines, key, value), weir_attributes::Type::Map | weir_attributes::Type::ListMap) => {
                Extent::lines(*lines, key.extent(), value.extent())
            }
            (_, weir_attributes::Type::Map | weir_attributes::Type::ListMap) => attribute(slot),
            (Kind::Any(parts, bytes), weir_attributes::Type::Struct) => Extent::json(*parts, *bytes),
            (_, weir_attributes::Type::Struct) => attribute(slot),
            _ => self.extent(),
        }
    }
}

fn text(bytes: u64) -> Extent {
    Extent::text(Bounds::at_most(bytes))
}

/// What an attribute is taken for: the common limits of servers and proxies. What a door lets through may be larger; it
/// is then the budget that judges.
pub(super) fn attribute(slot: Slot) -> Extent {
    let lines = |value: Extent| Extent::lines(SIZE_HEADER_LINES, text(SIZE_HEADER_NAME), value);
    match slot {
        slot::REQUEST_HEADERS | slot::RESPONSE_HEADERS => lines(text(SIZE_TARGET)),
        slot::REQUEST_HEADERS_ALL => {
            lines(Extent::list(Bounds::at_most(SIZE_HEADER_LINES), text(SIZE_TARGET)).of_bytes(SIZE_TARGET))
        }
        slot::DESTINATION_LABELS => Extent::lines(SIZE_LABELS, text(SIZE_LABEL_NAME), text(SIZE_LABEL_VALUE)),
        slot::REQUEST_PATH
        | slot::REQUEST_URL_PATH
        | slot::REQUEST_QUERY
        | slot::REQUEST_REFERER
        | slot::REQUEST_USERAGENT => text(SIZE_TARGET),
        _ if slot.attribute().ty == weir_attributes::Type::Struct => Extent::json(SIZE_DYN_PARTS, SIZE_DYN_BYTES),
        _ => of_type(&slot.attribute().ty.into()),
    }
}

/// What a value is taken for of which only the type is known.
pub(super) fn of_type(ty: &Type) -> Extent {
    match ty {
        Type::String | Type::Bytes => text(SIZE_TEXT),
        Type::List(element) => Extent::list(Bounds::at_most(SIZE_ENTRIES), of_type(element)),
        Type::Map(key, value) => Extent::map(Bounds::at_most(SIZE_ENTRIES), of_type(key), of_type(value)),
        Type::Optional(inner) => Extent::optional(of_type(inner)),
        Type::Wrapper(inner) => of_type(inner),
        Type::Dyn | Type::Never | Type::Param(_) | Type::Opaque(_) => {
            Extent::any(Whole { parts: SIZE_DYN_PARTS, bytes: SIZE_DYN_BYTES, counting: 0 })
        }
        _ => Extent::scalar(),
    }
}
