//! One rule of a RequestAuthentication: whose tokens are taken, and what becomes of them.

use std::{sync::Arc, time::Duration};

use weir_attributes::Bag;

use super::{
    Admitted, ClaimHeader, Jwks, KeyPlace, Keys, Locations, VERIFICATIONS_MAX, fault::Fault, output, token::Token,
};
use crate::{
    query,
    verdict::{HeaderOperation, Side, Text},
};

/// Where the keys are.
#[derive(Clone, Debug)]
pub(crate) enum KeySource {
    Inline(Arc<Jwks>),
    /// Fetched by the runtime within that time.
    Remote(KeyPlace, Duration),
    /// Nobody said: no token can be verified.
    Nowhere,
}

/// One rule.
#[derive(Debug)]
pub(crate) struct JwtRule {
    /// None: any.
    pub(crate) issuer: Option<Box<str>>,
    /// As they are compared; none: no check.
    pub(crate) audiences: Box<[Box<str>]>,
    pub(crate) keys: KeySource,
    pub(crate) locations: Locations,
    /// The workload sees the token.
    pub(crate) forward: bool,
    pub(crate) payload_header: Option<Arc<str>>,
    pub(crate) claim_headers: Box<[ClaimHeader]>,
    /// Claims whose text is a list of words.
    pub(crate) words: Vec<String>,
}

impl JwtRule {
    /// Whether it takes that token, asked in Envoy's order: issuer, time, audience, signature.
    pub(super) fn takes(&self, token: &Token, now: i64, keys: &Keys, verified: &mut usize) -> Result<(), Fault> {
        if self.issuer.as_deref().is_some_and(|issuer| token.claims().str("iss") != Some(issuer)) {
            return Err(Fault::Issuer);
        }
        token.check_time(now)?;
        if !self.audiences.is_empty() && !token.is_for(&self.audiences) {
            return Err(Fault::Audience);
        }
        *verified += 1;
        if *verified > VERIFICATIONS_MAX {
            return Err(Fault::TooMany);
        }
        let verifies = match &self.keys {
            KeySource::Inline(jwks) => Some(jwks.verifies(token)),
            KeySource::Remote(place, _) => keys.verifies(place, token),
            KeySource::Nowhere => None,
        };
        match verifies {
            Some(true) => Ok(()),
            Some(false) => Err(Fault::Signature),
            None => Err(Fault::NoKeys),
        }
    }

    /// Takes the token out of the request and puts its claims into headers. A cookie stays, as in Envoy.
    pub(super) fn apply(&self, token: &Token, bag: &mut Bag, admitted: &mut Admitted) {
        let Admitted { headers, parameters, .. } = admitted;
        if !self.forward {
            let used: Vec<&str> = self.locations.used_headers(bag).collect();
            let used: Vec<String> = used.into_iter().map(str::to_owned).collect();
            for name in used {
                bag.remove_header(&name);
                headers.push(HeaderOperation::Remove(Side::Request, Text::Shared(name.into())));
            }
            let used = self.locations.used_parameters(bag);
            if !used.is_empty() {
                query::remove(bag, &used);
                parameters.extend(used.into_iter().map(|name| Text::Shared(name.into())));
            }
        }
        let mut set = |name: &Arc<str>, value: String| {
            bag.remove_header(name);
            bag.add_header(name, &value);
            output::put(
                headers,
                HeaderOperation::Set(Side::Request, Text::Shared(name.clone()), Text::Shared(value.into())),
            );
        };
        if let Some(name) = &self.payload_header {
            set(name, token.payload().to_owned());
        }
        for ClaimHeader { header, path } in &self.claim_headers {
            if let Some(value) = crate::matcher::claim(token.claims(), path).and_then(output::header_value) {
                set(header, value);
            }
        }
    }
}
