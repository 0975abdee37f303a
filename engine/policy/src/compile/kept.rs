//! Policies that are not compiled again, because the text of their document has not changed.

use std::{collections::HashMap, sync::Arc};

use crate::{
    document::Document,
    policy::Policy,
    problem::{Problem, Problems},
};

/// A policy and what was said about its document.
#[derive(Clone, Debug)]
pub(crate) struct Once {
    policy: Arc<Policy>,
    warnings: Box<[Problem]>,
}

/// Compiled policies by the digest of their document.
pub(crate) type ByDigest = HashMap<[u8; 32], Once>;

/// Collects the policies of a configuration, old ones where they are the same.
#[derive(Debug)]
pub(crate) struct Kept<'p> {
    previous: Option<&'p ByDigest>,
    policies: Vec<Arc<Policy>>,
    by_digest: ByDigest,
}

impl<'p> Kept<'p> {
    pub(crate) fn after(previous: Option<&'p ByDigest>) -> Self {
        Self { previous, policies: Vec::new(), by_digest: ByDigest::new() }
    }

    /// The policy of a document, compiled when it is not known. One with an error is left out.
    pub(crate) fn policy<T>(
        &mut self,
        document: &Document<T>,
        problems: &mut Vec<Problem>,
        compile: impl FnOnce(&mut Problems<'_>) -> Option<Policy>,
    ) {
        let known = document.digest.and_then(|digest| self.previous?.get(&digest));
        let once = match known {
            Some(once) => {
                let about = |warning: &Problem| Problem { document: document.id, ..warning.clone() };
                problems.extend(once.warnings.iter().map(about));
                once.clone()
            }
            None => {
                let before = problems.len();
                let Some(policy) = compile(&mut Problems::of(document.id, problems)) else { return };
                let warnings = problems.get(before..).unwrap_or_default().into();
                Once { policy: Arc::new(policy), warnings }
            }
        };
        self.policies.push(once.policy.clone());
        if let Some(digest) = document.digest {
            self.by_digest.insert(digest, once);
        }
    }

    pub(crate) fn into_parts(self) -> (Vec<Arc<Policy>>, ByDigest) {
        (self.policies, self.by_digest)
    }
}
