//! What was measured: two minima, their ratio, and the bar.

use serde_json::{Value, json};

/// Two contestants at the same work.
pub(crate) struct Line {
    pub(crate) name: String,
    /// The best batch, in nanoseconds a run.
    pub(crate) weir: f64,
    /// The same of `cel`.
    pub(crate) cel: f64,
    /// How many times faster it must be; none where nothing was promised.
    pub(crate) bar: Option<f64>,
}

impl Line {
    fn ratio(&self) -> f64 {
        self.cel / self.weir
    }

    pub(crate) fn passes(&self) -> bool {
        self.bar.is_none_or(|bar| self.ratio() >= bar)
    }
}

/// Prints a table; the same as JSON.
pub(crate) fn print(title: &str, lines: &[Line]) -> Value {
    println!("\n{title}\n{:<44} {:>12} {:>12} {:>9} {:>8}", "", "weir-cel ns", "cel ns", "faster", "bar");
    for line in lines {
        let (bar, outcome) = match line.bar {
            Some(bar) => (format!(">= {bar}"), if line.passes() { "ok" } else { "MISSED" }),
            None => (String::new(), ""),
        };
        let (weir, cel, ratio) = (line.weir, line.cel, line.ratio());
        println!("{:<44} {weir:>12.1} {cel:>12.1} {ratio:>8.1}x {bar:>8}  {outcome}", line.name);
    }
    let row = |line: &Line| {
        json!({"name": line.name, "weir_ns": line.weir, "cel_ns": line.cel, "faster": line.ratio(),
               "bar_faster": line.bar, "passes": line.passes()})
    };
    json!({"title": title, "rows": lines.iter().map(row).collect::<Vec<_>>()})
}
