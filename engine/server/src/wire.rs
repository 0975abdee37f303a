//! Protocol buffers read where they lie: a frame is walked once, what is read borrows from it, and an error says where.
//!
//! Only what a check needs. Groups do not exist in proto3 and are refused.

mod fault;
mod write;

pub(crate) use fault::{Fault, What, Within};
pub(crate) use write::Writer;

/// The fields of one message, in the order of the wire.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Message<'a> {
    rest: &'a [u8],
    /// Where `rest` begins in the frame.
    at: usize,
}

/// How a field's value lies on the wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Varint,
    Fixed64,
    Length,
    Fixed32,
}

/// The head of a field.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tag {
    pub(crate) number: u32,
    kind: Kind,
    /// Where the field begins in the frame.
    at: usize,
}

impl<'a> Message<'a> {
    /// A whole frame.
    pub(crate) fn of(frame: &'a [u8]) -> Self {
        Self { rest: frame, at: 0 }
    }

    /// The head of the next field; none at the end. The caller reads or skips its value before it asks again.
    pub(crate) fn tag(&mut self) -> Result<Option<Tag>, Fault> {
        if self.rest.is_empty() {
            return Ok(None);
        }
        let at = self.at;
        let key = self.read_varint()?;
        let kind = match key & 7 {
            0 => Kind::Varint,
            1 => Kind::Fixed64,
            2 => Kind::Length,
            5 => Kind::Fixed32,
            3 | 4 => return Err(Fault::new(What::Group, at)),
            _ => return Err(Fault::new(What::WireType, at)),
        };
        match u32::try_from(key >> 3) {
            Ok(number @ 1..=0x1fff_ffff) => Ok(Some(Tag { number, kind, at })),
            _ => Err(Fault::new(What::FieldNumber, at)),
        }
    }

    /// The value of a varint field.
    pub(crate) fn varint(&mut self, tag: Tag) -> Result<u64, Fault> {
        tag.expect(Kind::Varint)?;
        self.read_varint()
    }

    /// The value of a `double` field.
    pub(crate) fn double(&mut self, tag: Tag) -> Result<f64, Fault> {
        tag.expect(Kind::Fixed64)?;
        let (value, rest) = self.rest.split_first_chunk().ok_or_else(|| Fault::new(What::Truncated, self.at))?;
        (self.rest, self.at) = (rest, self.at + value.len());
        Ok(f64::from_le_bytes(*value))
    }

    /// The value of a `bytes` field.
    pub(crate) fn bytes(&mut self, tag: Tag) -> Result<&'a [u8], Fault> {
        tag.expect(Kind::Length)?;
        let at = self.at;
        let length = self.read_varint()?;
        let split = usize::try_from(length).ok().and_then(|length| self.rest.split_at_checked(length));
        let (value, rest) = split.ok_or_else(|| Fault::new(What::Truncated, at))?;
        self.at += value.len();
        self.rest = rest;
        Ok(value)
    }

    /// The value of a `string` field, which is UTF-8 in every valid frame.
    pub(crate) fn text(&mut self, tag: Tag) -> Result<&'a str, Fault> {
        let value = self.bytes(tag)?;
        let begin = self.at - value.len();
        std::str::from_utf8(value).map_err(|problem| Fault::new(What::Utf8, begin + problem.valid_up_to()))
    }

    /// The message in a message field.
    pub(crate) fn message(&mut self, tag: Tag) -> Result<Message<'a>, Fault> {
        let rest = self.bytes(tag)?;
        Ok(Message { rest, at: self.at - rest.len() })
    }

    /// Passes over a field that this reader does not know.
    pub(crate) fn skip(&mut self, tag: Tag) -> Result<(), Fault> {
        let skipped = match tag.kind {
            Kind::Varint => self.read_varint().map(drop),
            Kind::Length => self.bytes(tag).map(drop),
            Kind::Fixed64 => self.advance(8),
            Kind::Fixed32 => self.advance(4),
        };
        skipped.map_err(|fault| fault.within_unknown(tag.number))
    }

    /// Where the next byte lies in the frame.
    pub(crate) fn offset(&self) -> usize {
        self.at
    }

    fn advance(&mut self, count: usize) -> Result<(), Fault> {
        self.rest = self.rest.get(count..).ok_or_else(|| Fault::new(What::Truncated, self.at))?;
        self.at += count;
        Ok(())
    }

    fn read_varint(&mut self) -> Result<u64, Fault> {
        // One byte says almost every tag and length.
        if let Some((&byte @ 0..=0x7f, rest)) = self.rest.split_first() {
            (self.rest, self.at) = (rest, self.at + 1);
            return Ok(u64::from(byte));
        }
        let mut value = 0_u64;
        for (index, &byte) in self.rest.iter().take(10).enumerate() {
            if index == 9 && byte > 1 {
                break;
            }
            value |= u64::from(byte & 0x7f) << (7 * index);
            if byte < 0x80 {
                self.advance(index + 1)?;
                return Ok(value);
            }
        }
        let what = if self.rest.len() < 10 { What::Truncated } else { What::Varint };
        Err(Fault::new(what, self.at))
    }
}

impl Tag {
    fn expect(self, kind: Kind) -> Result<(), Fault> {
        if self.kind == kind {
            Ok(())
        } else {
            Err(Fault::new(What::Mismatch { expected: kind, found: self.kind }, self.at))
        }
    }
}

#[cfg(test)]
mod tests;
