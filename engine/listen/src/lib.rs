//! Accepts connections: workers of one thread each, TLS from watched files, limits, drain.
//!
//! A [`Listener`] binds a port; [`Listener::serve`] accepts on it and hands each [`Connection`] to the worker that has the
//! fewest. A worker is one thread with a runtime of its own, so a connection never changes threads. What a connection
//! speaks is the handler's business: this crate knows neither HTTP nor policies.
#![forbid(unsafe_code)]

mod connection;
mod counts;
mod drain;
mod error;
mod limits;
mod listener;
mod tls;
mod workers;

pub use connection::{Connection, Io};
pub use counts::{Counts, Reading};
pub use drain::Drain;
pub use error::Error;
pub use limits::Limits;
pub use listener::{Listener, Running};
pub use tls::{ClientCertificate, Security, TlsFiles, TlsInfo, TlsStatus, TlsSwap};
pub use workers::Workers;
