//! One call of one export in one instance, from its begin to what it emitted.

use tokio::time::Instant;
use wasmtime::component::Resource;

use crate::contract::v1::exports::weir::plugin::report::Batch;
use crate::contract::v1::weir::plugin::types::{Failure, ValueParam, ValueResult};
use crate::guest::{Guest, Request};
use crate::pool::{Exports, Instance, Plugin};
use crate::symbols::Symbols;
use crate::value::Value;
use crate::within::within;
use crate::{AdapterVerdict, Cause, Emission, Field, Input};

/// Why a call has no answer, and whether its instance can be entered again.
pub(crate) struct Broken {
    pub(crate) cause: Cause,
    pub(crate) instance_is_well: bool,
}

/// Which of a plugin's functions about itself.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Life {
    SelfTest,
    Tick,
    Drain,
}

/// The deadline of a call, and how long that is in words.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Until {
    pub(crate) deadline: Instant,
    pub(crate) time: std::time::Duration,
}

impl Until {
    pub(crate) fn after(time: std::time::Duration) -> Until {
        Until { deadline: Instant::now() + time, time }
    }
}

/// Runs the future of a call while the clock ticks; an instance that was interrupted or trapped is not well.
macro_rules! run {
    ($plugin:expr, $instance:expr, $until:expr, $call:expr) => {{
        let running = $plugin.machine.ticker.running();
        $plugin.fill_up(&mut $instance.store);
        let ended = within($until.deadline, $call).await;
        drop(running);
        $plugin.count_fuel(&$instance.store);
        match ended {
            Ok(Ok(answer)) => Ok(answer),
            Ok(Err(error)) => Err($plugin.cause(&$instance.store, &error, $until.time)),
            Err(_) => Err(Cause::Timeout($until.time)),
        }
        .map_err(|cause| Broken { cause, instance_is_well: false })?
    }};
}

impl Instance {
    pub(crate) async fn check(
        &mut self,
        plugin: &Plugin,
        until: Until,
        values: &[Option<ValueParam<'_>>],
        shown: Option<Request>,
    ) -> Result<(AdapterVerdict, Vec<Emission>), Broken> {
        let Exports::Check(exports) = &self.exports else { return Err(other_world()) };
        Guest::begin(&mut self.store, until.deadline, &plugin.limits);
        self.store.data_mut().request = shown;
        let answer = run!(plugin, self, until, exports.call_check(&mut self.store, values, Resource::new_borrow(0)));
        self.settled(answer, AdapterVerdict::of)
    }

    pub(crate) async fn enrich(
        &mut self,
        plugin: &Plugin,
        until: Until,
        values: &[Option<ValueParam<'_>>],
        shown: Option<Request>,
    ) -> Result<(Vec<Field>, Vec<Emission>), Broken> {
        let Exports::Enrich(exports) = &self.exports else { return Err(other_world()) };
        Guest::begin(&mut self.store, until.deadline, &plugin.limits);
        self.store.data_mut().request = shown;
        let answer = run!(plugin, self, until, exports.call_enrich(&mut self.store, values, Resource::new_borrow(0)));
        self.settled(answer, |found| promised(&plugin.manifest.outputs, found))
    }

    pub(crate) async fn report(
        &mut self,
        plugin: &Plugin,
        until: Until,
        batch: Batch<'_>,
    ) -> Result<((), Vec<Emission>), Broken> {
        let Exports::Report(exports) = &self.exports else { return Err(other_world()) };
        Guest::begin(&mut self.store, until.deadline, &plugin.limits);
        self.store.data_mut().symbols = Symbols::of(batch.symbols);
        let answer = run!(plugin, self, until, exports.call_report(&mut self.store, batch));
        self.settled(answer, Ok)
    }

    pub(crate) async fn live(
        &mut self,
        plugin: &Plugin,
        until: Until,
        life: Life,
    ) -> Result<((), Vec<Emission>), Broken> {
        Guest::begin(&mut self.store, until.deadline, &plugin.limits);
        let lifecycle = &self.lifecycle;
        let answer = match life {
            Life::SelfTest => run!(plugin, self, until, lifecycle.call_self_test(&mut self.store)),
            Life::Tick => run!(plugin, self, until, lifecycle.call_tick(&mut self.store)),
            Life::Drain => run!(plugin, self, until, lifecycle.call_drain(&mut self.store)),
        };
        self.settled(answer, Ok)
    }

    /// What was emitted counts only if the plugin answered, and with something that can be used.
    fn settled<T, U>(
        &mut self,
        answer: Result<T, Failure>,
        judge: impl FnOnce(T) -> Result<U, Cause>,
    ) -> Result<(U, Vec<Emission>), Broken> {
        match answer.map_err(refused).and_then(judge) {
            Ok(answer) => Ok((answer, self.store.data_mut().settle())),
            Err(cause) => Err(Broken { cause, instance_is_well: true }),
        }
    }
}

/// What an enrich plugin found, by the key of `metadata`, when it is what the manifest promises.
fn promised(outputs: &[Input], found: Vec<Option<ValueResult>>) -> Result<Vec<Field>, Cause> {
    if found.len() != outputs.len() {
        return Err(Cause::Output(format!("{} outputs, the manifest has {}", found.len(), outputs.len())));
    }
    let mut fields = Vec::with_capacity(outputs.len());
    for (output, value) in outputs.iter().zip(found) {
        match value.map(Value::of) {
            None if output.optional => {}
            Some(value) if value.is_of(output.ty) => {
                fields.push((output.key().unwrap_or_default().to_owned(), value));
            }
            _ => {
                let ty = output.ty.name();
                return Err(Cause::Output(format!("{output} is not the {ty} that the manifest promises")));
            }
        }
    }
    Ok(fields)
}

fn other_world() -> Broken {
    Broken { cause: Cause::World, instance_is_well: true }
}

/// What the plugin itself said.
pub(crate) fn refused(failure: Failure) -> Cause {
    Cause::Refused(match failure {
        Failure::InvalidInput(text) => format!("invalid input: {text}"),
        Failure::Unavailable(text) => format!("unavailable: {text}"),
        Failure::Internal(text) => text,
    })
}
