//! RequestAuthentication: tokens are found, validated and turned into the request's identity.

mod identity;

pub use identity::authenticated;
