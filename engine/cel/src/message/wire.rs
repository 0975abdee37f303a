//! The wire format of protobuf, one field after the other.

/// What stands behind the tag of a field.
#[derive(Clone, Copy, Debug)]
pub(super) enum Payload<'w> {
    Varint(u64),
    Fixed64(u64),
    Fixed32(u32),
    Bytes(&'w [u8]),
}

/// The fields of a message, in order. Ends after the first thing that is not well-formed.
#[derive(Debug)]
pub(super) struct Fields<'w>(pub(super) &'w [u8]);

/// A message that is not well-formed.
#[derive(Debug)]
pub(super) struct Malformed;

impl<'w> Iterator for Fields<'w> {
    type Item = Result<(u32, Payload<'w>), Malformed>;

    fn next(&mut self) -> Option<Self::Item> {
        if self.0.is_empty() {
            return None;
        }
        let field = self.field().ok_or(Malformed);
        if field.is_err() {
            self.0 = &[];
        }
        Some(field)
    }
}

impl<'w> Fields<'w> {
    fn field(&mut self) -> Option<(u32, Payload<'w>)> {
        let tag = u32::try_from(self.varint()?).ok()?;
        let number = tag >> 3;
        let payload = match tag & 7 {
            0 => Payload::Varint(self.varint()?),
            1 => Payload::Fixed64(u64::from_le_bytes(self.take(8)?.try_into().ok()?)),
            2 => {
                let length = usize::try_from(self.varint()?).ok()?;
                Payload::Bytes(self.take(length)?)
            }
            5 => Payload::Fixed32(u32::from_le_bytes(self.take(4)?.try_into().ok()?)),
            // Groups are of proto2, which none of these messages is.
            _ => return None,
        };
        (number > 0).then_some((number, payload))
    }

    fn take(&mut self, length: usize) -> Option<&'w [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    /// Seven bits a byte, the lowest first; ten bytes at most.
    fn varint(&mut self) -> Option<u64> {
        let mut value = 0;
        for place in 0..10 {
            let byte = *self.take(1)?.first()?;
            let bits = u64::from(byte & 0x7f);
            if place == 9 && bits > 1 {
                return None;
            }
            value |= bits << (7 * place);
            if byte < 0x80 {
                return Some(value);
            }
        }
        None
    }
}
