//! Timing and the table.

use std::{process::ExitCode, time::Instant};

/// One measured line: a cost, what it is compared with, and the highest ratio that is good.
pub(crate) struct Line {
    name: &'static str,
    cost: f64,
    base: f64,
    bar: Option<f64>,
    /// The bar is known not to be reached yet: it is printed, and fails nothing.
    goal: bool,
}

impl Line {
    pub(crate) fn new(name: &'static str, cost: f64, base: f64, bar: Option<f64>) -> Self {
        Self { name, cost, base, bar, goal: false }
    }

    /// The same, its bar still a goal.
    pub(crate) fn goal(self) -> Self {
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
const BATCHES: usize = 15;

/// Nanoseconds of one of the `count` things that `run` does: the minimum of several batches.
pub(crate) fn nanoseconds(count: usize, mut run: impl FnMut()) -> f64 {
    let once = time(&mut run, 1);
    // A batch takes about two milliseconds, so that the clock does not matter.
    let times = (2e6 / once).clamp(1.0, 1e5) as usize;
    (0..BATCHES).map(|_| time(&mut run, times)).fold(once, f64::min) / count as f64
}

fn time(run: &mut impl FnMut(), times: usize) -> f64 {
    let start = Instant::now();
    (0..times).for_each(|_| run());
    start.elapsed().as_nanos() as f64 / times as f64
}

pub(crate) fn print(lines: &[Line]) -> ExitCode {
    println!("\n{:<52} {:>14} {:>14} {:>9} {:>9}", "policies", "cost", "compared with", "ratio", "bar");
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
