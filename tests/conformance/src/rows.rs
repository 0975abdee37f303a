//! Files of rows.

use std::{fs, path::Path};

use serde::de::DeserializeOwned;
use serde_json::Value as Json;

use crate::suite::{Case, Malformed, Task, Verdict};

/// The largest file that is read: more is no table of cases.
const FILE_BYTES_MAX: u64 = 64 * 1024 * 1024;

/// The text of a file.
pub(crate) fn text(file: &Path) -> Result<String, Malformed> {
    let refuse = |problem: String| Malformed { place: file.display().to_string(), problem };
    let length = fs::metadata(file).map_err(|error| refuse(error.to_string()))?.len();
    if length > FILE_BYTES_MAX {
        return Err(refuse(format!("{length} bytes are more than {FILE_BYTES_MAX}")));
    }
    fs::read_to_string(file).map_err(|error| refuse(error.to_string()))
}

/// The rows of a file that has one JSON value a line, each with its place; empty lines are none.
pub(crate) fn lines<T: DeserializeOwned>(file: &Path) -> Result<Vec<(String, T)>, Malformed> {
    let text = text(file)?;
    let lines = text.lines().enumerate().filter(|(_, line)| !line.trim().is_empty());
    lines
        .map(|(at, line)| {
            let place = format!("{}:{}", file.display(), at + 1);
            match serde_json::from_str(line) {
                Ok(row) => Ok((place, row)),
                Err(error) => Err(Malformed { place, problem: error.to_string() }),
            }
        })
        .collect()
}

/// The cases of such a file: a row that is a `T` is asked, and called what `title` says; any other fails.
pub(crate) fn cases<T: DeserializeOwned + Send + 'static>(
    file: &Path,
    title: fn(&T) -> String,
    ask: fn(&T) -> Verdict,
) -> Result<Vec<Case>, Malformed> {
    let case = |(place, row)| match serde_json::from_value::<T>(row) {
        Ok(row) => {
            let name = format!("{place} {}", title(&row));
            Case { name, task: Task::Ask(Box::new(move || ask(&row))) }
        }
        Err(error) => Case::unreadable(place, error.to_string()),
    };
    Ok(lines::<Json>(file)?.into_iter().map(case).collect())
}
