//! Why a call had no answer.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// What a failed check means for the request.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum FailurePolicy {
    /// The request is denied.
    #[default]
    Closed,
    /// The plugin has no opinion.
    Open,
}

/// Which export was called.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Call {
    /// `configure`, when an instance starts.
    Configure,
    /// `check`.
    Check,
    /// `report`.
    Report,
    /// `enrich`.
    Enrich,
    /// `self-test`, before a new generation serves.
    SelfTest,
    /// `tick`.
    Tick,
    /// `drain`, when an instance ends.
    Drain,
}

/// A call that had no answer. What the plugin emitted during it is dropped.
#[derive(Clone, Debug, thiserror::Error)]
#[error("adapter {adapter} ({plugin} {version}): {call} {cause}")]
pub struct Failure {
    /// The adapter's name in the configuration.
    pub adapter: Arc<str>,
    /// The plugin's name in its manifest.
    pub plugin: Arc<str>,
    /// The plugin's version in its manifest.
    pub version: Arc<str>,
    /// What was called.
    pub call: Call,
    /// Why it failed.
    pub cause: Cause,
}

/// Why a call failed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Cause {
    /// The instance trapped, a panic in Rust; it has been replaced.
    Trap(String),
    /// The instance took longer than this; it has been replaced.
    Timeout(Duration),
    /// The instance wanted more than so many bytes of memory; it has been replaced.
    Memory(usize),
    /// What came out is over a limit or malformed.
    Output(String),
    /// This required input is absent.
    Absent(String),
    /// The request can be read in more ways than a plugin is asked about.
    Doubt(String),
    /// The plugin itself said that it has no answer.
    Refused(String),
    /// No instance was free for so long.
    Busy(Duration),
    /// The other world's call.
    World,
    /// No generation of the plugin serves yet.
    Pending,
    /// It failed too often; it is called again after so long.
    Quarantined(Duration),
    /// An expression of the operator, a binding or the `match`, failed.
    Expression(String),
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Call::Configure => "configure",
            Call::Check => "check",
            Call::Report => "report",
            Call::Enrich => "enrich",
            Call::SelfTest => "self-test",
            Call::Tick => "tick",
            Call::Drain => "drain",
        })
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Cause::Trap(text) => write!(f, "trapped: {text}"),
            Cause::Timeout(time) => write!(f, "took longer than its limit of {time:?}"),
            Cause::Memory(bytes) => write!(f, "wanted more than its limit of {bytes} bytes of memory"),
            Cause::Output(text) => write!(f, "gave an unusable answer: {text}"),
            Cause::Absent(input) => {
                write!(f, "was not called: the request has no {input}, which the manifest requires")
            }
            Cause::Doubt(text) => write!(f, "was not called: the request is in doubt, {text}"),
            Cause::Refused(text) => write!(f, "failed: {text}"),
            Cause::Busy(time) => write!(f, "found no free instance within {time:?}"),
            Cause::Pending => write!(f, "was not called: the plugin is not ready yet"),
            Cause::Quarantined(left) => {
                write!(f, "was not called: the plugin failed too often and is quarantined for another {left:?}")
            }
            Cause::Expression(text) => write!(f, "was not called: {text}"),
            Cause::World => write!(f, "is not what this plugin does: it is of the other world"),
        }
    }
}

impl Cause {
    /// The kinds of causes, each a label of a metric.
    pub const KINDS: [&'static str; 12] = [
        "trap",
        "timeout",
        "memory",
        "output",
        "absent-input",
        "doubt",
        "refused",
        "busy",
        "world",
        "pending",
        "quarantined",
        "expression",
    ];

    /// The place of its kind in [`Cause::KINDS`].
    #[must_use]
    pub fn kind(&self) -> usize {
        match self {
            Cause::Trap(_) => 0,
            Cause::Timeout(_) => 1,
            Cause::Memory(_) => 2,
            Cause::Output(_) => 3,
            Cause::Absent(_) => 4,
            Cause::Doubt(_) => 5,
            Cause::Refused(_) => 6,
            Cause::Busy(_) => 7,
            Cause::World => 8,
            Cause::Pending => 9,
            Cause::Quarantined(_) => 10,
            Cause::Expression(_) => 11,
        }
    }

    /// Whether the plugin was not called because it is quarantined or not ready: as often as there are requests.
    #[must_use]
    pub fn is_held_back(&self) -> bool {
        matches!(self, Cause::Quarantined(_) | Cause::Pending)
    }

    /// Whether the plugin is to blame: what the breaker counts.
    pub(crate) fn is_misbehaviour(&self) -> bool {
        matches!(self, Cause::Trap(_) | Cause::Timeout(_) | Cause::Memory(_) | Cause::Output(_))
    }
}
