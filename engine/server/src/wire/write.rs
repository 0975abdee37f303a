//! Writing protocol buffers by hand, for answers whose shape is known.

/// Appends fields to a buffer.
#[derive(Debug, Default)]
pub(crate) struct Writer(Vec<u8>);

impl Writer {
    pub(crate) fn with_capacity(bytes: usize) -> Self {
        Self(Vec::with_capacity(bytes))
    }

    /// Leaves that many bytes free for whoever frames the message.
    pub(crate) fn reserve_prefix(&mut self, bytes: usize) {
        self.0.resize(self.0.len() + bytes, 0);
    }

    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.0
    }

    pub(crate) fn varint_field(&mut self, number: u32, value: u64) {
        self.varint(u64::from(number) << 3);
        self.varint(value);
    }

    pub(crate) fn bytes_field(&mut self, number: u32, value: &[u8]) {
        self.varint(u64::from(number) << 3 | 2);
        self.varint(value.len() as u64);
        self.0.extend_from_slice(value);
    }

    pub(crate) fn double_field(&mut self, number: u32, value: f64) {
        self.varint(u64::from(number) << 3 | 1);
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A message field. Its length is one byte, or is moved in when it turns out longer.
    pub(crate) fn message_field(&mut self, number: u32, fill: impl FnOnce(&mut Self)) {
        self.varint(u64::from(number) << 3 | 2);
        let place = self.0.len();
        self.0.push(0);
        fill(self);
        let length = self.0.len() - place - 1;
        match (u8::try_from(length), self.0.get_mut(place)) {
            (Ok(short @ 0..=0x7f), Some(byte)) => *byte = short,
            _ => {
                let mut prefix = Self::default();
                prefix.varint(length as u64);
                self.0.splice(place..=place, prefix.0);
            }
        }
    }

    fn varint(&mut self, mut value: u64) {
        while value >= 0x80 {
            self.0.push(value as u8 | 0x80);
            value >>= 7;
        }
        self.0.push(value as u8);
    }
}
