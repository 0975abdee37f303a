//! How the values of a policy's field are compared with a request: one file for each way of comparing.
//!
//! Semantics are Istio's, measured on Envoy 1.40; each file says which.

mod claims;
mod identity;
mod metadata;
mod network;
mod paths;
mod patterns;

pub(crate) use claims::{RequestPrincipals, claim, claim_texts};
pub(crate) use identity::{
    Namespaces, Principals, ServiceAccounts, TrustDomains, account_tails, namespaces_of, with_aliases,
};
pub(crate) use metadata::Metadata;
pub(crate) use network::{Networks, parse_block};
pub(crate) use paths::{Paths, Template, TemplateError};
pub(crate) use patterns::{Pattern, Patterns, Presence};

#[cfg(test)]
mod tests;
