//! The texts of one batch, each once.

use std::collections::HashMap;
use std::sync::Arc;

/// Gives each different text of a batch a number.
#[derive(Debug, Default)]
pub(crate) struct Interner<'a> {
    numbers: HashMap<&'a str, u32>,
    texts: Vec<&'a str>,
}

impl<'a> Interner<'a> {
    pub(crate) fn number(&mut self, text: &'a str) -> u32 {
        *self.numbers.entry(text).or_insert_with(|| {
            self.texts.push(text);
            // A batch of ROWS_MAX rows has far fewer than 2^32 texts.
            (self.texts.len() - 1) as u32
        })
    }

    pub(crate) fn texts(&self) -> &[&'a str] {
        &self.texts
    }
}

/// The host's own copy, in which a plugin's labels are looked up while it runs.
#[derive(Debug, Default)]
pub(crate) struct Symbols {
    text: String,
    ends: Vec<usize>,
    shared: Vec<Option<Arc<str>>>,
}

impl Symbols {
    pub(crate) fn of(texts: &[&str]) -> Symbols {
        let mut symbols = Symbols {
            text: String::with_capacity(texts.iter().map(|text| text.len()).sum()),
            ends: Vec::with_capacity(texts.len()),
            shared: vec![None; texts.len()],
        };
        for text in texts {
            symbols.text.push_str(text);
            symbols.ends.push(symbols.text.len());
        }
        symbols
    }

    /// The text of that number; the same one again costs no copy.
    pub(crate) fn get(&mut self, number: u32) -> Option<Arc<str>> {
        let index = number as usize;
        let end = *self.ends.get(index)?;
        let start = index.checked_sub(1).and_then(|before| self.ends.get(before)).copied().unwrap_or(0);
        let shared = self.shared.get_mut(index)?;
        if shared.is_none() {
            *shared = Some(self.text.get(start..end)?.into());
        }
        shared.clone()
    }
}
