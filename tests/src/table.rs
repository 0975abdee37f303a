//! Tables for people: aligned columns, colour only where a terminal shows it.

use std::fmt::Write;
use std::io::IsTerminal;

/// How a cell looks on a terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tone {
    /// As it is.
    Plain,
    /// Faint.
    Dim,
    /// Bold.
    Bold,
    /// Green.
    Good,
    /// Red.
    Bad,
    /// Yellow.
    Warn,
}

/// Whether to colour.
#[derive(Debug, Clone, Copy)]
pub struct Paint(bool);

impl Paint {
    /// Colours when stdout is a terminal and `NO_COLOR` is not set.
    pub fn for_stdout() -> Self {
        Self::when(std::io::stdout().is_terminal())
    }

    /// The same for stderr.
    pub fn for_stderr() -> Self {
        Self::when(std::io::stderr().is_terminal())
    }

    fn when(terminal: bool) -> Self {
        let refused = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self(terminal && !refused && std::env::var_os("TERM").is_none_or(|term| term != "dumb"))
    }

    /// Never colours.
    pub fn never() -> Self {
        Self(false)
    }

    /// `text` in a tone.
    pub fn text(self, tone: Tone, text: &str) -> String {
        let code = match tone {
            Tone::Plain => return text.to_owned(),
            Tone::Dim => "2",
            Tone::Bold => "1",
            Tone::Good => "32",
            Tone::Bad => "31",
            Tone::Warn => "33",
        };
        if self.0 { format!("\x1b[{code}m{text}\x1b[0m") } else { text.to_owned() }
    }
}

/// Rows of cells under a head.
#[derive(Debug)]
pub struct Table {
    head: Vec<String>,
    rows: Vec<Vec<(String, Tone)>>,
}

impl Table {
    /// An empty table with these columns.
    pub fn new(head: &[&str]) -> Self {
        Self { head: head.iter().map(|name| (*name).to_owned()).collect(), rows: Vec::new() }
    }

    /// Adds a row; a cell that is missing is empty.
    pub fn row(&mut self, cells: Vec<(String, Tone)>) {
        self.rows.push(cells);
    }

    /// The table as text: two spaces between columns, a rule under the head.
    pub fn render(&self, paint: Paint) -> String {
        let widths: Vec<usize> = (0..self.head.len())
            .map(|at| {
                let cells = self.rows.iter().filter_map(|row| row.get(at)).map(|(text, _)| width(text));
                cells.chain([width(&self.head[at])]).max().unwrap_or(0)
            })
            .collect();
        let head = self.head.iter().map(|name| (name.clone(), Tone::Bold)).collect::<Vec<_>>();
        let rule = widths.iter().map(|width| ("─".repeat(*width), Tone::Dim)).collect::<Vec<_>>();
        let mut out = String::new();
        for row in [&head, &rule].into_iter().chain(&self.rows) {
            let mut line = String::new();
            for (at, (text, tone)) in row.iter().enumerate() {
                let pad = widths.get(at).map_or(0, |wide| wide.saturating_sub(width(text)));
                let gap = if at + 1 < row.len() { " ".repeat(pad + 2) } else { String::new() };
                line.push_str(&paint.text(*tone, text));
                line.push_str(&gap);
            }
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{}", line.trim_end());
        }
        out
    }
}

/// Columns that a text takes: its characters, since the house prints no wide ones.
fn width(text: &str) -> usize {
    text.chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_cell_and_lines_end_without_blanks() {
        let mut table = Table::new(&["a", "long head"]);
        table.row(vec![("wider".into(), Tone::Good), ("x".into(), Tone::Plain)]);
        table.row(vec![("ä".into(), Tone::Plain)]);
        assert_eq!(table.render(Paint::never()), "a      long head\n─────  ─────────\nwider  x\nä\n");
        assert!(table.render(Paint(true)).contains("\x1b[32mwider\x1b[0m  x"));
    }
}
