//! Generated wire types and nothing else. Envoy's are in the crate `envoy-types`.
#![allow(missing_docs, clippy::all)]

/// `weir.v1`: `proto/weir/v1/weir.proto`.
pub mod v1 {
    tonic::include_proto!("weir.v1");
}

/// The descriptors of `weir.v1`, for gRPC reflection.
pub const DESCRIPTORS: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/weir.bin"));
