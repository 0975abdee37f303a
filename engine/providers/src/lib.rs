//! External authorizers: the providers of CUSTOM policies, asked over gRPC (`envoy.service.auth.v3`) and HTTP.
//!
//! [`Clients`] has one [`Client`] for each provider of a mesh that is asked over the network. [`Client::ask`] ends no later
//! than the provider's timeout and the check's own deadline, whichever is first. What no answer means is not decided here:
//! [`Failure`] says what went wrong, and the caller knows whether the provider fails open.
#![forbid(unsafe_code)]

mod client;
mod clients;
mod failure;
mod gate;
mod grpc;
mod headers;
mod http;
pub mod limits;

pub use client::Client;
pub use clients::Clients;
pub use failure::Failure;
