//! Results: each contestant's rounds, the median, the ratio to the floor.

use serde_json::{Value, json};

/// One line of the result.
#[derive(Debug)]
pub struct Row {
    /// What ran.
    pub name: String,
    /// CPU microseconds a request, one for each round.
    pub rounds: Vec<f64>,
    /// The bar: at most this many times the floor; none for the floor itself.
    pub bar: Option<f64>,
}

impl Row {
    /// The median of the rounds.
    #[must_use]
    pub fn median(&self) -> f64 {
        let mut sorted = self.rounds.clone();
        sorted.sort_by(f64::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
    }
}

/// Prints the table and returns it as JSON; the first row is the floor.
#[must_use]
pub fn print(title: &str, rows: &[Row]) -> Value {
    println!("\n{title}\n{:<44} {:>12} {:>8} {:>8}  rounds", "", "CPU us/req", "ratio", "bar");
    let floor = rows.first().map_or(f64::NAN, Row::median);
    for row in rows {
        let rounds = row.rounds.iter().map(|round| format!("{round:.2}")).collect::<Vec<_>>().join(" ");
        let bar = row.bar.map_or(String::new(), |bar| format!("<= {bar:.2}"));
        println!("{:<44} {:>12.2} {:>8.2} {bar:>8}  {rounds}", row.name, row.median(), row.median() / floor);
    }
    let rows = rows.iter().map(|row| json!({"name": row.name, "cpu_us": row.median(), "ratio": row.median() / floor, "bar": row.bar, "rounds": row.rounds}));
    json!({"title": title, "rows": rows.collect::<Vec<_>>()})
}
