//! Why there is no answer.

/// Why a provider gave no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// The provider's timeout or the check's deadline is over.
    #[error("no answer in time; raise its timeout, or make it faster")]
    Late,
    /// Too many questions wait for it.
    #[error("too many questions wait for it; give it more capacity")]
    Busy,
    /// It could not be reached, or the connection broke.
    #[error("cannot be reached: {0}; see that it runs, and that service and port are right")]
    Unreachable(String),
    /// It answered with an error instead of a decision.
    #[error("answered with an error: {0}; see its log")]
    Error(String),
    /// Its answer cannot be understood or must not be followed.
    #[error("its answer cannot be used: {0}")]
    BadAnswer(String),
    /// The request cannot be put to it.
    #[error("the request cannot be put to it: {0}")]
    BadQuestion(String),
}

impl Failure {
    /// The word in metrics.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Failure::Late => "late",
            Failure::Busy => "busy",
            Failure::Unreachable(_) => "unreachable",
            Failure::Error(_) => "error",
            Failure::BadAnswer(_) => "bad_answer",
            Failure::BadQuestion(_) => "bad_question",
        }
    }
}

/// An error and what caused it, in one line.
pub(crate) fn chain(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause.filter(|_| text.len() < 512) {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
