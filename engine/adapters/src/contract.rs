//! Generated from `sdk/wit`: one module for each major version of the contract. No type of theirs leaves this crate.

pub(crate) mod v1;
