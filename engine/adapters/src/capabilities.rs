//! The host's functions for plugins, one file an interface: each checks what it gets before it keeps it.

mod attributes;
mod http_out;
mod kv;
mod log;
mod lookup;
mod metrics;
mod records;
mod sinks;
mod spans;

pub(crate) use http_out::Upstream;
pub(crate) use kv::Store;
pub(crate) use lookup::Tables;
pub use lookup::{Row, Table};

use crate::contract::v1::weir::plugin::types::{self, Refusal};
use crate::guest::{Guest, Phase};
use crate::services::{invalid, limited};
use crate::value::{Field, Value};
use crate::{Emission, FIELDS_MAX};

/// What one emission costs beside its texts and values, in bytes.
const EMISSION_BYTES: usize = 64;

impl types::Host for Guest {}

impl Guest {
    /// Keeps an emission if this call may still emit `bytes` more.
    fn keep(&mut self, bytes: usize, emission: Emission) -> Result<(), Refusal> {
        self.spend(bytes)?;
        self.emissions.push(emission);
        Ok(())
    }

    /// Takes `bytes` and one emission from what this call may emit.
    fn spend(&mut self, bytes: usize) -> Result<(), Refusal> {
        if self.phase == Phase::Configure {
            return Err(invalid("nothing can be emitted in configure; do it in a later call"));
        }
        let left = self.output_left.checked_sub(bytes + EMISSION_BYTES);
        let (Some(output), Some(emissions)) = (left, self.emissions_left.checked_sub(1)) else {
            return Err(limited("this call has emitted as much as it may; emit less for each row"));
        };
        (self.output_left, self.emissions_left) = (output, emissions);
        Ok(())
    }
}

/// Fields of a record or span, and the bytes that they hold.
fn fields(wire: Vec<(String, types::ValueResult)>) -> Result<(Vec<Field>, usize), Refusal> {
    if wire.len() > FIELDS_MAX {
        return Err(limited(format!("{} attributes, the limit is {FIELDS_MAX}", wire.len())));
    }
    let mut bytes = wire.len() * size_of::<Field>();
    let fields = wire.into_iter().map(|(name, value)| {
        let value = Value::of(value);
        bytes += name.len() + value.size();
        (name, value)
    });
    Ok((fields.collect(), bytes))
}

/// 2 N hexadecimal digits that are not all zero, or nothing.
fn optional_id<const N: usize>(hex: &str, what: &str) -> Result<Option<[u8; N]>, Refusal> {
    if hex.is_empty() {
        return Ok(None);
    }
    let mut id = [0u8; N];
    let malformed = || invalid(format!("{what} must be {} hexadecimal digits, not all zero", 2 * N));
    if hex.len() != 2 * N {
        return Err(malformed());
    }
    for (byte, pair) in id.iter_mut().zip(hex.as_bytes().chunks_exact(2)) {
        let digit = |at: usize| pair.get(at).and_then(|b| char::from(*b).to_digit(16));
        let (Some(high), Some(low)) = (digit(0), digit(1)) else { return Err(malformed()) };
        *byte = (high << 4 | low) as u8;
    }
    match id.iter().any(|byte| *byte != 0) {
        true => Ok(Some(id)),
        false => Err(malformed()),
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::optional_id;

    #[test]
    fn ids_are_hexadecimal_of_full_length_and_not_zero() {
        assert_eq!(optional_id::<2>("", "id").unwrap(), None);
        assert_eq!(optional_id::<2>("aB01", "id").unwrap(), Some([0xab, 1]));
        for wrong in ["ab0", "ab012", "0000", "ab0g", "+1+1", "é0"] {
            assert!(optional_id::<2>(wrong, "id").is_err(), "{wrong}");
        }
    }
}
