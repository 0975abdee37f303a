//! How long hostile input may take, and how much memory.
//!
//! The bounds are the product's: `make stress` holds an optimised engine to them, as `WEIR_STRICT` says. Elsewhere
//! the programs are not optimised and the machine is busy: only what is far beyond them fails, memory aside.

use std::time::Duration;

/// What may be resident more than usual, in bytes.
const MEMORY: u64 = 256 * 1024 * 1024;

/// How much longer what is not optimised may take.
const SLOWER: u32 = 30;

fn is_strict() -> bool {
    std::env::var_os("WEIR_STRICT").is_some()
}

fn bound(product: Duration) -> Duration {
    if is_strict() { product } else { product * SLOWER }
}

/// For one document, of CPU.
pub fn document(seconds: u64) -> Duration {
    bound(Duration::from_secs(seconds))
}

/// For one request, from its first byte to the answer.
pub fn request() -> Duration {
    bound(Duration::from_millis(10))
}

/// What was measured.
pub struct Table {
    rows: Vec<String>,
    beyond: Vec<String>,
}

impl Table {
    pub fn new(of: &str) -> Self {
        Self {
            rows: vec![format!("{of:<44} {:>12} {:>10} {:>12}", "took", "bound", "more memory")],
            beyond: Vec::new(),
        }
    }

    pub fn row(&mut self, name: &str, took: Duration, more: u64, bound: Duration) {
        let mib = more as f64 / f64::from(1 << 20);
        let row = format!("{name:<44} {:>9.1} ms {:>7} ms {mib:>8.1} MiB", took.as_secs_f64() * 1e3, bound.as_millis());
        if took > bound || more > MEMORY {
            self.beyond.push(row.clone());
        }
        self.rows.push(row);
    }

    /// Prints all of it; what was beyond a bound fails the story.
    pub fn end(self) {
        println!("{}", self.rows.join("\n"));
        assert!(self.beyond.is_empty(), "beyond their bounds:\n{}", self.beyond.join("\n"));
    }
}
