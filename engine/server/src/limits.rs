//! The limits of the doors.

use weir_runtime::Limit;

use crate::{grpc, refusal};

/// The limits of the doors, for `/limits` and `/config`.
pub(crate) fn own() -> [Limit; 11] {
    let limit = |name, value, unit, beyond| Limit { name, value, unit, beyond };
    let bytes = "bytes";
    let listen = weir_listen::Limits::default();
    [
        limit("grpc.connections", listen.connections as u64, "connections", "closed at once"),
        limit("grpc.first-byte", listen.first_byte.as_secs(), "seconds", "closed"),
        limit("grpc.handshake", listen.handshake.as_secs(), "seconds", "closed"),
        limit("grpc.streams", grpc::STREAMS_MAX.into(), "streams a connection", "the stream is refused"),
        limit("grpc.message", grpc::MESSAGE_MAX as u64, bytes, "RESOURCE_EXHAUSTED"),
        limit("grpc.header-list", grpc::HEADER_LIST_MAX.into(), bytes, "431"),
        limit("grpc.idle", grpc::IDLE.as_secs(), "seconds", "GOAWAY"),
        limit("check.header-lines", refusal::HEADER_LINES_MAX as u64, "lines", "denied with 400"),
        limit("check.header-name", refusal::HEADER_NAME_MAX as u64, bytes, "denied with 400"),
        limit("check.header-value", refusal::HEADER_VALUE_MAX as u64, bytes, "denied with 400"),
        limit("check.path", refusal::PATH_MAX as u64, bytes, "denied with 400"),
    ]
}
