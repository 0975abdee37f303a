//! What a check decides, and why.

use std::{borrow::Cow, fmt, sync::Arc, time::Duration};

use crate::normalize::InvalidPath;

/// How long a verdict of pure phases may be reused while its snapshot serves.
pub const REUSE: Duration = Duration::from_secs(60);

/// How many audit marks one verdict carries; further ones are left out.
pub const AUDIT_MARKS_MAX: usize = 16;

/// What a denied client reads unless a rule says otherwise.
pub const DENIED: &str = "RBAC: access denied";

/// Text that is built in or shared with a rule: cheap to clone.
#[derive(Clone, Debug)]
pub enum Text {
    /// Built in.
    Static(&'static str),
    /// Shared.
    Shared(Arc<str>),
}

impl Text {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Text::Static(text) => text,
            Text::Shared(text) => text,
        }
    }
}

impl PartialEq for Text {
    fn eq(&self, other: &Self) -> bool {
        self.as_str() == other.as_str()
    }
}

impl Eq for Text {}

impl From<Cow<'static, str>> for Text {
    fn from(text: Cow<'static, str>) -> Self {
        match text {
            Cow::Borrowed(text) => Text::Static(text),
            Cow::Owned(text) => Text::Shared(text.into()),
        }
    }
}

impl fmt::Display for Text {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// What is decided.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Decision {
    /// The request goes on.
    Allow,
    /// It does not.
    Deny,
}

impl Decision {
    /// `allow` or `deny`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Decision::Allow => "allow",
            Decision::Deny => "deny",
        }
    }
}

/// Declares the reason codes with their names.
macro_rules! codes {
    ($($(#[$doc:meta])* $code:ident = $name:literal,)*) => {
        /// Why, in one word: for metrics and logs.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub enum ReasonCode {
            $($(#[$doc])* $code,)*
        }

        impl ReasonCode {
            /// Every code.
            pub const ALL: &[ReasonCode] = &[$(ReasonCode::$code,)*];

            /// The word.
            #[must_use]
            pub fn as_str(self) -> &'static str {
                match self {
                    $(ReasonCode::$code => $name,)*
                }
            }
        }
    };
}

codes! {
    /// A rule of an ALLOW policy holds.
    AllowedByRule = "allowed-by-rule",
    /// No ALLOW policy applies to the workload, and no rule of a DENY policy holds.
    NotDenied = "not-denied",
    /// No policy applies to the workload.
    NoPolicy = "no-policy",
    /// A rule of a DENY policy holds.
    DeniedByRule = "denied-by-rule",
    /// An ALLOW policy applies to the workload, and no rule of one holds.
    DefaultDeny = "default-deny",
    /// The expression of a DENY rule failed.
    ErrorInRule = "error-in-rule",
    /// A check adapter said so.
    Adapter = "adapter",
    /// A check adapter gave no answer.
    AdapterFailed = "adapter-failed",
    /// The provider of a CUSTOM policy said so.
    Provider = "provider",
    /// The provider of a CUSTOM policy gave no answer.
    ProviderFailed = "provider-failed",
    /// A CUSTOM policy names a provider that nobody has configured.
    NoProvider = "no-provider",
    /// A PeerAuthentication requires mutual TLS, and the peer is not authenticated.
    PeerNotAuthenticated = "peer-not-authenticated",
    /// A token is invalid, or of nobody who is trusted.
    InvalidToken = "invalid-token",
    /// The path cannot be normalized.
    InvalidPath = "invalid-path",
    /// The request is malformed, or beyond a limit of its door.
    InvalidRequest = "invalid-request",
    /// Nobody knows the workload that the request is for.
    UnknownWorkload = "unknown-workload",
    /// There is no good configuration.
    NoConfig = "no-config",
    /// The engine could not be asked, or failed itself.
    EngineFailed = "engine-failed",
}

/// Which rule of a policy.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleId {
    /// Its place in the policy, from 0.
    pub index: u32,
    /// Its name, when it has one.
    pub name: Option<Arc<str>>,
}

impl fmt::Display for RuleId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.name {
            Some(name) => f.write_str(name),
            None => write!(f, "{}", self.index),
        }
    }
}

/// Why a check decided as it did. It stays in logs, metrics and the admin port; the client reads [`Verdict::message`].
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reason {
    /// Why, in one word.
    pub code: ReasonCode,
    /// The policy or adapter that decided, as `NAMESPACE/NAME`.
    pub policy: Option<Arc<str>>,
    /// The rule of that policy.
    pub rule: Option<RuleId>,
    /// More, for people.
    pub message: Option<Text>,
    /// Whether another reading of the request would have been decided otherwise.
    pub in_doubt: bool,
}

impl From<ReasonCode> for Reason {
    #[inline(always)]
    fn from(code: ReasonCode) -> Self {
        Self { code, policy: None, rule: None, message: None, in_doubt: false }
    }
}

/// That a rule of an AUDIT policy holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuditMark {
    /// The policy, as `NAMESPACE/NAME`.
    pub policy: Arc<str>,
    /// The rule.
    pub rule: RuleId,
}

/// What the dry-run policies of one side would have decided, had they been enforced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shadow {
    /// What they would have decided.
    pub decision: Decision,
    /// The policy whose rule holds, as `NAMESPACE/NAME`.
    pub policy: Option<Arc<str>>,
    /// That rule.
    pub rule: Option<RuleId>,
}

/// The results of dry-run policies: two sides that know nothing of each other, nor of the enforced policies.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Shadows {
    /// The DENY side; none without such a policy.
    pub deny: Option<Shadow>,
    /// The ALLOW side; none without such a policy.
    pub allow: Option<Shadow>,
}

/// Whose headers an operation changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Side {
    /// The request, on its way to the workload.
    Request,
    /// The response, on its way to the client.
    Response,
}

/// A change to header lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderOperation {
    /// Replaces all lines of that name by one.
    Set(Side, Text, Text),
    /// Adds a line.
    Append(Side, Text, Text),
    /// Removes all lines of that name.
    Remove(Side, Text),
}

impl HeaderOperation {
    /// Whose headers it changes.
    #[must_use]
    pub fn side(&self) -> Side {
        match self {
            HeaderOperation::Set(side, ..) | HeaderOperation::Append(side, ..) | HeaderOperation::Remove(side, _) => {
                *side
            }
        }
    }
}

/// What a check decides. Cheap to clone: everything in it is built in, shared or usually empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Verdict {
    /// What is decided.
    pub decision: Decision,
    /// The HTTP status: 200 for an allow.
    pub status: u16,
    /// What the client may read; empty for an allow.
    pub message: Text,
    /// Why.
    pub reason: Reason,
    /// The AUDIT rules that hold, at most [`AUDIT_MARKS_MAX`].
    pub audit: Vec<AuditMark>,
    /// What dry-run policies would have decided; none when none applies.
    pub shadows: Option<Box<Shadows>>,
    /// How long it may be reused for requests that agree in what was read; none means not at all.
    pub ttl: Option<Duration>,
    /// How often it may be reused; none means as often as wanted.
    pub max_uses: Option<u32>,
    /// Changes to headers. Lines are only appended to lines that are there: a proxy may do no other (Envoy's ext_authz).
    pub headers: Vec<HeaderOperation>,
    /// Query parameters that the workload must not see, by their names as they stand in the path
    /// ([`crate::without_parameters`]).
    pub parameters: Vec<Text>,
}

impl Verdict {
    #[inline(always)]
    pub(crate) fn new(decision: Decision, status: u16, message: Text, reason: Reason) -> Self {
        let (audit, headers, parameters) = Default::default();
        Self { decision, status, message, reason, audit, shadows: None, ttl: None, max_uses: None, headers, parameters }
    }

    /// An allow that may not be reused.
    #[must_use]
    #[inline(always)]
    pub fn allow(reason: impl Into<Reason>) -> Self {
        Self::new(Decision::Allow, 200, Text::Static(""), reason.into())
    }

    /// A denial with status 403 that may not be reused.
    #[must_use]
    #[inline(always)]
    pub fn deny(reason: impl Into<Reason>) -> Self {
        Self::new(Decision::Deny, 403, Text::Static(DENIED), reason.into())
    }

    /// The denial of a request whose path cannot be normalized: 400.
    #[must_use]
    pub fn invalid_path(error: InvalidPath) -> Self {
        let reason =
            Reason { message: Some(Text::Shared(error.to_string().into())), ..Reason::from(ReasonCode::InvalidPath) };
        Self::new(Decision::Deny, 400, Text::Static("bad request: invalid path"), reason)
    }

    /// The denial with that reason and an explanation for the log.
    #[must_use]
    pub fn deny_because(code: ReasonCode, message: impl Into<Arc<str>>) -> Self {
        Self::deny(Reason { message: Some(Text::Shared(message.into())), ..Reason::from(code) })
    }

    /// Whether the request goes on.
    #[must_use]
    pub fn is_allow(&self) -> bool {
        self.decision == Decision::Allow
    }
}
