//! The same cases in a worse world: a plugin may then have no answer, but must not trap, hang or waste memory.

use std::time::Duration;

use weir_adapters::{Cause, Limits};
use weir_attributes::{Bag, Type, vocabulary};

use super::case::{Answer, Case, Fail};
use super::run::{Rehearsal, Worse};
use super::{Report, run};
use crate::failure::Failure;

/// Time for a call, in the worst world: upstreams there have a second to be given up.
const PATIENCE: Duration = Duration::from_secs(4);
/// Bytes of a long text.
const LONG: usize = 64 << 10;

/// A way of making it worse.
struct Variation {
    name: &'static str,
    /// Whether it makes a difference to a plugin that asks for this.
    applies: fn(&weir_adapters::Capabilities) -> bool,
    change: fn(&mut Case, &mut Worse),
}

const VARIATIONS: [Variation; 9] = [
    Variation { name: "as it is, twice", applies: |_| true, change: |case, _| case.bags.extend(case.bags.clone()) },
    Variation { name: "nothing is told", applies: |_| true, change: |case, _| case.bags.fill(Bag::default()) },
    Variation { name: "texts of 64 KiB", applies: |_| true, change: |case, _| case.bags.iter_mut().for_each(lengthen) },
    Variation {
        name: "upstreams are unreachable",
        applies: |asked| !asked.http_out.is_empty(),
        change: |case, _| upstreams(case, &Answer { fail: Some(Fail::Unreachable), ..Answer::default() }),
    },
    Variation {
        name: "upstreams do not answer",
        applies: |asked| !asked.http_out.is_empty(),
        change: |case, _| upstreams(case, &Answer { fail: Some(Fail::Timeout), ..Answer::default() }),
    },
    Variation {
        name: "upstreams answer 503 with nonsense",
        applies: |asked| !asked.http_out.is_empty(),
        change: |case, _| upstreams(case, &Answer { status: Some(503), body: "<{".into(), ..Answer::default() }),
    },
    Variation {
        name: "stores forget at once",
        applies: |asked| !asked.kv.is_empty(),
        change: |_, worse| worse.stores_forget = true,
    },
    Variation {
        name: "tables are empty",
        applies: |asked| !asked.lookup.is_empty(),
        change: |_, worse| worse.tables_are_gone = true,
    },
    Variation {
        name: "sinks are unreachable",
        applies: |asked| !asked.sinks.is_empty(),
        change: |_, worse| worse.sinks_are_gone = true,
    },
];

/// Each case in each world.
pub(super) async fn cases(rehearsal: &Rehearsal, cases: &[Case]) -> Result<Vec<Report>, Failure> {
    let mut reports = Vec::new();
    let variations: Vec<_> = VARIATIONS.iter().filter(|one| (one.applies)(&rehearsal.asked)).collect();
    for (number, case) in cases.iter().enumerate() {
        for (which, variation) in variations.iter().enumerate() {
            let (mut case, mut worse) = (case.clone(), Worse::default());
            (variation.change)(&mut case, &mut worse);
            let limits = Limits { check_time: PATIENCE, report_time: PATIENCE, ..run::limits(&rehearsal.needs) };
            let outcome = rehearsal.run(&format!("chaos-{number}-{which}"), &case, &worse, limits).await?;
            let bad = outcome.cause.filter(|cause| {
                matches!(cause, Cause::Trap(_) | Cause::Timeout(_) | Cause::Memory(_) | Cause::Output(_))
            });
            reports.push(Report {
                name: format!("{}: {}", case.name, variation.name),
                place: case.place,
                problems: bad.map(|cause| format!("the plugin {cause}")).into_iter().collect(),
                actual: outcome.actual,
            });
        }
    }
    Ok(reports)
}

/// Every upstream answers every request so.
fn upstreams(case: &mut Case, answer: &Answer) {
    for answers in case.told.mocks.http.values_mut() {
        *answers = vec![answer.clone()];
    }
}

/// Every text that was told becomes long; a request that cannot be so is left as it is.
fn lengthen(bag: &mut Bag) {
    let long = "x".repeat(LONG);
    for attribute in vocabulary().iter().filter(|attribute| attribute.ty == Type::String) {
        if bag.str(attribute.slot).is_some() {
            bag.set_text(attribute.slot, &long);
        }
    }
}
