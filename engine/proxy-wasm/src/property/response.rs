//! `response.*`: from the headers as they now are, and from what is known of the response.

use weir_attributes::slot;

use super::{Encoded, fact_int, fact_text, int, map_of};
use crate::abi::Status;
use crate::transaction::Scene;

/// Envoy's short flags, in the order of their bits.
const FLAGS: [&str; 26] = [
    "LH", "UH", "UT", "LR", "UR", "UF", "UC", "UO", "NR", "DI", "FI", "RL", "UAEX", "RLSE", "DC", "URX", "SI", "IH",
    "DPE", "UMSDR", "RFCF", "NFCF", "DT", "UPE", "NC", "OM",
];

pub(super) fn get(scene: &Scene, rest: &[&str]) -> Encoded {
    let (headers, facts) = (&scene.response_headers, &scene.facts);
    match rest {
        ["headers", rest @ ..] => map_of(headers, rest),
        ["trailers", rest @ ..] => map_of(&scene.response_trailers, rest),
        ["code"] => fact_int(facts, slot::RESPONSE_CODE),
        ["code_details"] => fact_text(facts, slot::RESPONSE_CODE_DETAILS),
        ["flags"] => Ok(int(flags(facts.str(slot::RESPONSE_FLAGS).unwrap_or_default()))),
        ["grpc_status"] => fact_int(facts, slot::RESPONSE_GRPC_STATUS),
        ["size"] => Ok(int(facts.int(slot::RESPONSE_SIZE).unwrap_or(0))),
        ["headers_bytes"] => Ok(int(headers.bytes() as i64)),
        ["total_size"] => {
            let head = headers.bytes() + scene.response_trailers.bytes();
            Ok(int(facts.int(slot::RESPONSE_SIZE).unwrap_or(0) + head as i64))
        }
        ["backend_latency"] => fact_int(facts, slot::RESPONSE_BACKEND_LATENCY),
        [] => Err(Status::SerializationFailure),
        _ => Err(Status::NotFound),
    }
}

fn flags(told: &str) -> i64 {
    let bit = |flag: &str| FLAGS.iter().position(|known| *known == flag).map_or(0, |place| 1 << place);
    told.split(',').map(bit).fold(0, |all, bit| all | bit)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_envoys_bits() {
        assert_eq!(flags(""), 0);
        assert_eq!(flags("UF"), 0x20);
        assert_eq!(flags("UAEX"), 0x1000);
        assert_eq!(flags("DC,UC"), 0x4040);
        assert_eq!(flags("UPE"), 0x80_0000);
    }
}
