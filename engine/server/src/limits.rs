//! The limits of the doors.

use weir_runtime::Limit;

use crate::{admin, ext_authz, grpc, native, refusal, side};

/// The limits of the doors, for `/limits` and `/config`.
pub(crate) fn own() -> [Limit; 21] {
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
        limit("grpc.preface", grpc::PREFACE.as_secs(), "seconds", "closed"),
        limit("grpc.arrival", grpc::ARRIVAL.as_secs(), "seconds a check's message", "DEADLINE_EXCEEDED"),
        limit("grpc.idle", grpc::IDLE.as_secs(), "seconds", "GOAWAY"),
        limit("grpc.pong", (grpc::PING + grpc::PONG).as_secs(), "seconds without a sign of life", "closed"),
        limit("weir.stream-in-flight", native::IN_FLIGHT_MAX as u64, "checks a stream", "the next one is read later"),
        limit("weir.report-entries", native::ENTRIES_MAX as u64, "entries a message", "INVALID_ARGUMENT"),
        limit("check.proxy", ext_authz::PROXY_MAX as u64, "bytes of a proxy's name", "called by its address"),
        limit("side.connections", side::CONNECTIONS_MAX as u64, "connections a port", "closed at once"),
        limit("side.head", side::HEAD.as_secs(), "seconds", "closed"),
        limit("side.head-bytes", side::HEAD_MAX as u64, bytes, "431"),
        limit("admin.body", admin::BODY_MAX as u64, bytes, "413"),
        limit("check.header-lines", refusal::HEADER_LINES_MAX as u64, "lines", "denied with 400"),
        limit("check.header-name", refusal::HEADER_NAME_MAX as u64, bytes, "denied with 400"),
        limit("check.header-value", refusal::HEADER_VALUE_MAX as u64, bytes, "denied with 400"),
        limit("check.path", refusal::PATH_MAX as u64, bytes, "denied with 400"),
    ]
}
