//! The doors that a check can come through.

/// Which protocol asked: a label of metrics and a field of the decision log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Door {
    /// `envoy.service.auth.v3.Authorization`.
    ExtAuthz,
    /// `weir.v1.Policy/Check`.
    Native,
    /// `weir.v1.Policy/CheckStream`.
    NativeStream,
}

impl Door {
    /// Every door.
    pub const ALL: [Door; 3] = [Door::ExtAuthz, Door::Native, Door::NativeStream];

    /// Its name in metrics and logs.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Door::ExtAuthz => "ext_authz",
            Door::Native => "weir",
            Door::NativeStream => "weir_stream",
        }
    }
}
