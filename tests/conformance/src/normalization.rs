//! The suite `normalization`: a path as it is sent, and what becomes of it in a mode.

use std::path::Path;

use serde::Deserialize;
use weir_policy::{document::Normalization as Mode, normalize};

use crate::{
    rows,
    suite::{Case, Malformed, Suite, Verdict},
};

/// Paths.
pub(crate) struct Normalization;

#[derive(Deserialize)]
struct Row {
    mode: Mode,
    #[serde(rename = "in")]
    told: String,
    out: String,
}

impl Suite for Normalization {
    fn name(&self) -> &'static str {
        "normalization"
    }

    fn cases(&self, path: &Path) -> Result<Vec<Case>, Malformed> {
        rows::cases(path, |row: &Row| format!("{:?} {}", row.mode, row.told), ask)
    }
}

fn ask(row: &Row) -> Verdict {
    let got = match normalize(row.mode, &row.told) {
        Ok(normal) if normal == row.out => return Verdict::Passed,
        Ok(normal) => normal.into_owned(),
        Err(error) => format!("400: {error}"),
    };
    Verdict::Failed { expected: row.out.clone(), got, rule: format!("{:?}", row.mode) }
}
