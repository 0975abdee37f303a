//! The house DSL: what the story tests and the demo are written in.
//!
//! A [`house::House`] is an engine, a sidecar and an upstream on free ports, with a config folder of its own and a
//! throw-away [`ca::Authority`]. Everything that runs is a real process of the built binary, or a real Envoy.
// Indexes here are into what the house itself made; a wrong one is a broken story and may panic.
#![allow(clippy::indexing_slicing)]

pub mod ca;
pub mod client;
pub mod collector;
pub mod echo;
pub mod envoy;
pub mod house;
pub mod issuer;
pub mod patience;
pub mod process;
pub mod random;
pub mod repository;
pub mod table;
pub mod tools;
pub mod tour;
pub mod usage;

/// Whatever went wrong while the house was set up or used; its text says what to look at.
pub type Trouble = Box<dyn std::error::Error + Send + Sync>;

/// What most of the DSL returns.
pub type Outcome<T> = Result<T, Trouble>;
