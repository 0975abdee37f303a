//! The tour of the demo: a dozen telling requests through a running mesh, each with what it promises.

pub mod mesh;
pub mod run;
pub mod show;
pub mod steps;

use crate::client::Call;

/// Where a request was decided.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// By the engine, asked by the proxy.
    Engine,
    /// By a verdict that the sidecar kept.
    Cache,
    /// By the proxy alone.
    Proxy,
    /// By the engine's reading of its configuration.
    Configuration,
}

/// One thing that happens, and what is promised of it.
#[derive(Debug)]
pub struct Step {
    /// What a reader sees.
    pub title: &'static str,
    /// Whose certificate is shown, as `NAMESPACE/ACCOUNT`.
    pub caller: &'static str,
    /// What is done.
    pub act: Act,
    /// What must come of it.
    pub promise: Promise,
}

/// What is done.
#[derive(Debug)]
pub enum Act {
    /// A request to the cart.
    Cart(Call),
    /// A request to the checkout.
    Checkout(Call),
    /// A file dropped into the configuration folder that must not be served.
    BadPolicy(&'static str, &'static str),
    /// The engine killed without warning, then a request to the cart.
    KillThen(Call),
    /// The engine started again, then a request to the cart.
    RestartThen(Call),
}

/// What must come of a step.
#[derive(Debug, Clone, Copy)]
pub struct Promise {
    /// HTTP status; 0 where there is no response.
    pub status: u16,
    /// The policy or adapter that decides, with its rule: the text in the table.
    pub by: &'static str,
    /// Where.
    pub place: Place,
    /// What the client reads, at least.
    pub says: &'static str,
}

/// What came of a step.
#[derive(Debug, Clone, Default)]
pub struct Row {
    /// What a reader sees of the request.
    pub title: String,
    /// Who asked.
    pub caller: String,
    /// Status and word.
    pub verdict: String,
    /// Policy and rule, or the reason.
    pub by: String,
    /// Where it was decided.
    pub place: String,
    /// The decision's id, if it has one.
    pub id: Option<String>,
    /// What is not as promised; empty when all is well.
    pub broken: Vec<String>,
}
