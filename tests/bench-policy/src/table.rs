//! Timing and the table.

use std::{process::ExitCode, time::Instant};

/// One measured line: a cost, what it is compared with, and the highest ratio that is good.
#[derive(Debug)]
pub struct Line {
    name: &'static str,
    cost: f64,
    base: f64,
    bar: Option<f64>,
    /// The bar is known not to be reached yet: it is printed, and fails nothing.
    goal: bool,
}

impl Line {
    /// With no bar it is only printed.
    #[must_use]
    pub fn new(name: &'static str, cost: f64, base: f64, bar: Option<f64>) -> Self {
        Self { name, cost, base, bar, goal: false }
    }

    /// The same, its bar still a goal.
    #[must_use]
    pub fn goal(self) -> Self {
        Self { goal: true, ..self }
    }

    fn ratio(&self) -> f64 {
        self.cost / self.base
    }

    fn is_missed(&self) -> bool {
        self.bar.is_some_and(|bar| self.ratio() > bar)
    }
}

/// How many batches are timed; the best counts.
const BATCHES: usize = 40;

/// Something that is timed: how many things one call does, and the call.
pub type Timed<'t> = (usize, Box<dyn FnMut() + 't>);

/// Nanoseconds of one of the things that each does: the minimum of several batches. They take turns, batch by batch, so
/// that what else the machine does is everybody's.
pub fn in_turns<const N: usize>(mut timed: [Timed<'_>; N]) -> [f64; N] {
    let mut best = [f64::INFINITY; N];
    let times = timed.each_mut().map(|(_, run)| {
        // A batch takes about four milliseconds: the clock does not matter, and some are not interrupted.
        (4e6 / time(run, 1)).clamp(1.0, 1e5) as usize
    });
    for _ in 0..BATCHES {
        for (at, (_, run)) in timed.iter_mut().enumerate() {
            // Once in vain: what the others left in the caches does not matter.
            run();
            best[at] = best[at].min(time(run, times[at]));
        }
    }
    std::array::from_fn(|at| best[at] / timed[at].0 as f64)
}

fn time(run: &mut dyn FnMut(), times: usize) -> f64 {
    let start = Instant::now();
    (0..times).for_each(|_| run());
    start.elapsed().as_nanos() as f64 / times as f64
}

/// Prints a table with that title; fails when a bar is missed.
pub fn print(title: &str, lines: &[Line]) -> ExitCode {
    println!("\n{:<52} {:>14} {:>14} {:>9} {:>9}", title, "cost", "compared with", "ratio", "bar");
    for line in lines {
        let bar = line.bar.map_or(String::new(), |bar| format!("<= {bar:.2}"));
        let missed = match (line.is_missed(), line.goal) {
            (false, _) => "",
            (true, true) => "  not reached yet",
            (true, false) => "  missed",
        };
        println!("{:<52} {:>14.1} {:>14.1} {:>9.3} {bar:>9}{missed}", line.name, line.cost, line.base, line.ratio());
    }
    ExitCode::from(u8::from(lines.iter().any(|line| line.is_missed() && !line.goal)))
}
