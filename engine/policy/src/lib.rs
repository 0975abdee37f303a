//! Policies compiled into one ruleset per workload, and the verdict it gives. Pure: no clock, no files, no tasks; time
//! and data are arguments.
//!
//! [`compile`] turns documents into a [`PolicySet`] or into [`Problem`]s. For one check, [`Workloads::resolve`] finds the
//! workload, [`PolicySet::ruleset`] what applies to it, [`prepare`] fills in what follows from what the door told, and
//! [`Evaluation`] gives the [`Verdict`].
#![forbid(unsafe_code)]

mod authentication;
mod chain;
mod compile;
mod condition;
pub mod document;
mod doubt;
mod evaluation;
mod expression;
mod facts;
mod head;
mod matcher;
mod mesh;
mod normalize;
mod peer;
mod policy;
mod prepare;
mod problem;
mod provider;
mod query;
mod referenced;
mod ruleset;
mod truth;
mod verdict;
mod workload;

pub use authentication::{Fetched, Jwks, JwksError, KEYS_MAX, KeyPlace, Keys, TOKEN_BYTES_MAX, authenticated};
pub use compile::{compile, compile_after};
pub use document::{Document, Documents};
pub use doubt::PIECES_MAX;
pub use evaluation::{Answer, Ask, Evaluation, Step};
pub use head::{is_header_name, is_method};
pub use mesh::Mesh;
pub use normalize::{InvalidPath, normalize};
pub use peer::PeerModes;
pub use policy::Scope;
pub use prepare::{Doubts, prepare};
pub use problem::{Problem, Severity};
pub use provider::{BodyLimit, Endpoint, HeaderNames, HttpExchange, Provider, Transport};
pub use query::without_parameters;
pub use referenced::Referenced;
pub use ruleset::{AdapterRef, PolicySet, RULESETS_MAX, Ruleset};
pub use verdict::{
    AUDIT_MARKS_MAX, AuditMark, DENIED, Decision, HeaderOperation, REUSE, Reason, ReasonCode, RuleId, Shadow, Shadows,
    Side, Text, Verdict,
};
pub use workload::{Claim, DESCRIBED_MAX, LABELS_MAX, UnknownWorkload, WorkloadIdentity, Workloads};
