//! The filter's memory: every pointer is checked, whatever the filter says.

use wasmtime::{AsContext as _, AsContextMut as _, Caller};

use crate::abi::{Fault, Outcome, Status};
use crate::guest::Guest;

/// So many bytes at that address, and the guest beside them.
pub(crate) fn slice<'a>(caller: &'a Caller<'_, Guest>, address: u32, length: u32) -> Result<&'a [u8], Status> {
    let memory = caller.data().memory.ok_or(Status::InvalidMemoryAccess)?;
    let end = (address as usize).checked_add(length as usize).ok_or(Status::InvalidMemoryAccess)?;
    memory.data(caller.as_context()).get(address as usize..end).ok_or(Status::InvalidMemoryAccess)
}

/// A copy of them, for what changes the guest.
pub(crate) fn copy(caller: &Caller<'_, Guest>, address: u32, length: u32) -> Result<Vec<u8>, Status> {
    slice(caller, address, length).map(<[u8]>::to_vec)
}

/// Text; bytes that are no UTF-8 are a bad argument.
pub(crate) fn text(caller: &Caller<'_, Guest>, address: u32, length: u32) -> Result<String, Status> {
    let bytes = slice(caller, address, length)?;
    std::str::from_utf8(bytes).map(str::to_owned).map_err(|_| Status::BadArgument)
}

/// Writes bytes to that address.
pub(crate) fn put(caller: &mut Caller<'_, Guest>, address: u32, bytes: &[u8]) -> Result<(), Status> {
    let memory = caller.data().memory.ok_or(Status::InvalidMemoryAccess)?;
    memory.write(caller.as_context_mut(), address as usize, bytes).map_err(|_| Status::InvalidMemoryAccess)
}

/// Writes a 32-bit number to that address.
pub(crate) fn put_u32(caller: &mut Caller<'_, Guest>, address: u32, number: u32) -> Result<(), Status> {
    put(caller, address, &number.to_le_bytes())
}

/// Hands bytes to the filter: in memory that its own allocator gives, whose address and size go where it asked. No bytes
/// are address 0.
pub(crate) async fn give(caller: &mut Caller<'_, Guest>, bytes: &[u8], address_to: u32, size_to: u32) -> Outcome {
    let mut address = 0;
    if !bytes.is_empty() {
        let allocate = caller.data().allocate.clone().ok_or(Status::InvalidMemoryAccess)?;
        let size = u32::try_from(bytes.len()).map_err(|_| Status::InvalidMemoryAccess)?;
        address = allocate.call_async(caller.as_context_mut(), size).await.map_err(Fault::Trap)?;
        if address == 0 {
            return Err(Status::InvalidMemoryAccess.into());
        }
        put(caller, address, bytes)?;
    }
    put_u32(caller, address_to, address)?;
    put_u32(caller, size_to, bytes.len() as u32)?;
    Ok(())
}
