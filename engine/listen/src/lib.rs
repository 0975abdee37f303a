//! Accepts connections: workers of one thread each, TLS from watched files, limits, drain.
