//! Shared data: keys and values that all virtual machines of one `vm_id` see, with compare-and-swap.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

use bytes::Bytes;

use crate::abi::Status;
use crate::{SHARED_BYTES_MAX, SHARED_ENTRIES_MAX};

/// All shared data of a host.
#[derive(Debug, Default)]
pub(crate) struct SharedData(Mutex<Table>);

#[derive(Debug, Default)]
struct Table {
    /// By `vm_id` and key.
    entries: HashMap<(String, Vec<u8>), Entry>,
    bytes: usize,
    last: u32,
}

#[derive(Debug)]
struct Entry {
    value: Bytes,
    cas: u32,
}

impl SharedData {
    fn table(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The value of that key and the number that its next change may be tied to.
    pub(crate) fn get(&self, vm_id: &str, key: &[u8]) -> Result<(Bytes, u32), Status> {
        let table = self.table();
        let entry = table.entries.get(&(vm_id.to_owned(), key.to_vec())).ok_or(Status::NotFound)?;
        Ok((entry.value.clone(), entry.cas))
    }

    /// Sets it; with a `cas` that is not 0 only when nobody else has since.
    pub(crate) fn set(&self, vm_id: &str, key: &[u8], value: &[u8], cas: u32) -> Result<(), Status> {
        let mut table = self.table();
        let place = (vm_id.to_owned(), key.to_vec());
        let before = table.entries.get(&place);
        if before.is_some_and(|entry| cas != 0 && cas != entry.cas) {
            return Err(Status::CasMismatch);
        }
        let freed = before.map_or(0, |entry| key.len() + entry.value.len());
        let bytes = table.bytes - freed + key.len() + value.len();
        if bytes > SHARED_BYTES_MAX || before.is_none() && table.entries.len() >= SHARED_ENTRIES_MAX {
            return Err(Status::InternalFailure);
        }
        // 0 would mean that the caller does not care.
        table.last = table.last.checked_add(1).unwrap_or(1);
        let entry = Entry { value: Bytes::copy_from_slice(value), cas: table.last };
        table.bytes = bytes;
        table.entries.insert(place, entry);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]
    use super::*;

    #[test]
    fn a_change_tied_to_an_old_number_is_refused() {
        let data = SharedData::default();
        assert_eq!(data.get("vm", b"k"), Err(Status::NotFound));
        // As Envoy: without an entry there is nothing to mismatch.
        assert_eq!(data.set("vm", b"k", b"1", 77), Ok(()));
        let (value, cas) = data.get("vm", b"k").unwrap();
        assert_eq!(&value[..], b"1");
        assert_eq!(data.set("vm", b"k", b"2", cas), Ok(()));
        assert_eq!(data.set("vm", b"k", b"3", cas), Err(Status::CasMismatch));
        assert_eq!(data.set("vm", b"k", b"4", 0), Ok(()));
        assert_eq!(data.get("other", b"k"), Err(Status::NotFound));
    }

    #[test]
    fn entries_and_bytes_have_an_end_and_a_smaller_value_gives_room_back() {
        let data = SharedData::default();
        let half = vec![0; SHARED_BYTES_MAX / 2];
        assert_eq!(data.set("vm", b"a", &half, 0), Ok(()));
        assert_eq!(data.set("vm", b"b", &half, 0), Err(Status::InternalFailure));
        assert_eq!(data.set("vm", b"a", b"", 0), Ok(()));
        assert_eq!(data.set("vm", b"b", &half, 0), Ok(()));
        for number in 2..SHARED_ENTRIES_MAX {
            assert_eq!(data.set("vm", &number.to_le_bytes(), b"", 0), Ok(()));
        }
        assert_eq!(data.set("vm", b"one more", b"", 0), Err(Status::InternalFailure));
    }
}
