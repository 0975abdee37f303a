//! How large a policy may be.

/// Rules of one policy, and entries of one `from`, `to` or `when` (Istio's CRD has the same).
pub(super) const RULES_MAX: usize = 512;
/// Values of one field.
pub(super) const VALUES_MAX: usize = 4096;
/// Characters of one value.
pub(super) const VALUE_LENGTH_MAX: usize = 8192;
/// Values of one `serviceAccounts` (Istio's limit).
pub(super) const SERVICE_ACCOUNTS_MAX: usize = 16;
/// Characters of one service account (Istio's limit).
pub(super) const SERVICE_ACCOUNT_LENGTH_MAX: usize = 320;
/// Characters of a label's value in a selector (Kubernetes' limit, and that of Istio's CRD).
pub(super) const LABEL_VALUE_LENGTH_MAX: usize = 63;
/// Variables of one CelPolicy.
pub(super) const VARIABLES_MAX: usize = 64;
