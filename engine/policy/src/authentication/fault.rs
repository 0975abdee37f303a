//! Why a token is not taken.

use crate::verdict::{Decision, HeaderOperation, Reason, ReasonCode, Side, Text, Verdict};

/// Why a token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fault {
    /// Nobody trusts its issuer.
    Issuer,
    TooLong,
    Malformed,
    Algorithm,
    Early,
    Expired,
    Audience,
    /// The issuer's keys are not there yet.
    NoKeys,
    Signature,
    /// More tokens, or more keys to try, than a request may ask for.
    TooMany,
}

impl Fault {
    /// What the client and the log read.
    pub(crate) fn text(self) -> &'static str {
        match self {
            Fault::Issuer => "the token's issuer is not trusted",
            Fault::TooLong => "the token is too long",
            Fault::Malformed => "the token is malformed",
            Fault::Algorithm => "the token is not signed",
            Fault::Early => "the token is not valid yet",
            Fault::Expired => "the token is expired",
            Fault::Audience => "the token is for another audience",
            Fault::NoKeys => "the keys of the token's issuer are not available",
            Fault::Signature => "no key of the token's issuer made its signature",
            Fault::TooMany => "the request has too many tokens",
        }
    }

    /// Of two faults the one that says more: a wrong audience is another status, an unknown issuer says least.
    pub(crate) fn or(self, other: Fault) -> Fault {
        match (self, other) {
            (Fault::Audience, _) | (_, Fault::Audience) => Fault::Audience,
            (Fault::Issuer, other) => other,
            (mine, _) => mine,
        }
    }

    /// The denial: 403 for a wrong audience, else 401. It is never reused: keys and time go on.
    pub(crate) fn verdict(self) -> Verdict {
        let (status, error) = match self {
            Fault::Audience => (403, "Bearer error=\"insufficient_scope\""),
            _ => (401, "Bearer error=\"invalid_token\""),
        };
        let text = Text::Static(self.text());
        let reason = Reason { message: Some(text.clone()), ..ReasonCode::InvalidToken.into() };
        let challenge = HeaderOperation::Set(Side::Response, Text::Static("www-authenticate"), Text::Static(error));
        Verdict { headers: vec![challenge], ..Verdict::new(Decision::Deny, status, text, reason) }
    }
}
