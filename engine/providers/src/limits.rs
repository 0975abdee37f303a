//! Every limit of this crate.

use std::time::Duration;

/// Questions to one provider at a time; further ones wait.
pub const CONCURRENT_MAX: usize = 512;

/// Questions that wait for their turn at one provider; further ones fail.
pub const WAITING_MAX: usize = 2048;

/// How long a connection may take to open.
pub const CONNECT_TIME: Duration = Duration::from_secs(5);

/// How long a connection is kept that nobody uses.
pub const IDLE_TIME: Duration = Duration::from_secs(60);

/// Bytes of one gRPC answer; a longer one is none.
pub const ANSWER_MAX: usize = 1 << 20;

/// Bytes of a denial's body that the client gets: of a longer one the beginning over gRPC, nothing over HTTP.
pub const DENIAL_BODY_MAX: usize = 64 << 10;

/// Headers that one answer changes; an allow with more is no answer, of a denial the rest is left out.
pub const HEADERS_MAX: usize = 128;
