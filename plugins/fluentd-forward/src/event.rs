//! Events in MessagePack, as the Forward protocol has them: `[TAG, [[TIME, {FIELD: VALUE}], …]]`, its Forward mode.

use rmp::encode::{self as pack, ByteBuf};
use weir::Cell;

/// Bytes of events after which a chunk is full: a sink takes 256 KiB at once.
const CHUNK_BYTES: usize = 64 << 10;

/// The type of an extension that is a time of seconds and nanoseconds.
const EVENT_TIME: i8 = 0;

/// Events on their way.
pub(crate) struct Chunk<'t> {
    tag: &'t str,
    events: ByteBuf,
    count: u32,
}

impl<'t> Chunk<'t> {
    pub(crate) fn new(tag: &'t str) -> Chunk<'t> {
        Chunk { tag, events: ByteBuf::new(), count: 0 }
    }

    /// Adds an event; gives the chunk when that filled it. `time` is in nanoseconds since 1970-01-01T00:00:00Z.
    pub(crate) fn add(&mut self, time: i64, fields: &[(&str, Cell<'_>)]) -> Option<Vec<u8>> {
        let to = &mut self.events;
        sure(pack::write_array_len(to, 2));
        let (seconds, nanos) = (time.div_euclid(1_000_000_000), time.rem_euclid(1_000_000_000));
        sure(pack::write_ext_meta(to, 8, EVENT_TIME));
        for part in [u32::try_from(seconds).unwrap_or(0), nanos as u32] {
            to.as_mut_vec().extend_from_slice(&part.to_be_bytes());
        }
        sure(pack::write_map_len(to, fields.len() as u32));
        for (name, value) in fields {
            sure(pack::write_str(to, name));
            write(to, *value);
        }
        self.count += 1;
        if self.events.as_vec().len() < CHUNK_BYTES { None } else { self.take() }
    }

    pub(crate) fn take(&mut self) -> Option<Vec<u8>> {
        if self.count == 0 {
            return None;
        }
        let mut whole = ByteBuf::new();
        sure(pack::write_array_len(&mut whole, 2));
        sure(pack::write_str(&mut whole, self.tag));
        sure(pack::write_array_len(&mut whole, self.count));
        let mut whole = whole.into_vec();
        whole.append(std::mem::take(&mut self.events).as_mut_vec());
        self.count = 0;
        Some(whole)
    }
}

fn write(to: &mut ByteBuf, value: Cell<'_>) {
    match value {
        Cell::Text(text) => sure(pack::write_str(to, &text)),
        Cell::Int(number) => sure(pack::write_sint(to, number)),
        Cell::Double(number) => sure(pack::write_f64(to, number)),
        Cell::Boolean(flag) => sure(pack::write_bool(to, flag)),
        Cell::Bytes(bytes) => sure(pack::write_bin(to, bytes)),
        // Nanoseconds since 1970-01-01T00:00:00Z.
        Cell::Timestamp(time) => sure(pack::write_sint(to, time.0)),
        Cell::Duration(time) => sure(pack::write_f64(to, time.as_secs_f64() * 1e3)),
        Cell::Pairs(pairs) => {
            let pairs: Vec<_> = pairs.iter().collect();
            sure(pack::write_map_len(to, pairs.len() as u32));
            for (name, value) in pairs {
                sure(pack::write_str(to, &name));
                sure(pack::write_str(to, &value));
            }
        }
        Cell::Texts(texts) => {
            let texts: Vec<_> = texts.iter().collect();
            sure(pack::write_array_len(to, texts.len() as u32));
            texts.iter().for_each(|text| sure(pack::write_str(to, text)));
        }
    }
}

/// Writing into memory does not fail.
fn sure<T, E>(written: Result<T, E>) {
    drop(written);
}

#[cfg(test)]
mod tests {
    use weir::{Cell, Text};

    use super::Chunk;

    #[test]
    fn an_event_is_a_time_and_a_map() {
        let mut chunk = Chunk::new("t");
        let fields = [("m", Cell::Text(Text::new("GET"))), ("c", Cell::Int(200))];
        assert_eq!(chunk.add(1_000_000_002, &fields), None);
        let head = [0x92, 0xa1, b't', 0x91, 0x92, 0xd7, 0, 0, 0, 0, 1, 0, 0, 0, 2];
        let map = [0x82, 0xa1, b'm', 0xa3, b'G', b'E', b'T', 0xa1, b'c', 0xcc, 200];
        assert_eq!(chunk.take(), Some([&head[..], &map[..]].concat()));
        assert_eq!(chunk.take(), None);
    }

    #[test]
    fn a_full_chunk_goes_at_once() {
        let (mut chunk, long) = (Chunk::new("t"), "x".repeat(1000));
        let full = (0..100).filter_map(|_| chunk.add(0, &[("a", Cell::Text(Text::new(&long)))])).count();
        assert_eq!(full, 1);
        assert!(chunk.take().is_some());
    }
}
