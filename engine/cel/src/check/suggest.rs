//! "Did you mean".

use std::ops::Range;

use crate::{env::Names, error::Error};

/// The error of a name that means nothing.
pub(super) fn undeclared(names: &Names, name: &str, span: Range<usize>) -> Error {
    let error = Error::new(span, format!("`{name}` is not declared"));
    let mut prefix = name;
    loop {
        if names.is_later(prefix) {
            return Error { message: format!("`{prefix}` is known only when the request is reported"), ..error }
                .help("a check can read request.*, source.*, destination.*, connection.* and remote.ip");
        }
        match prefix.rsplit_once('.') {
            Some((shorter, _)) => prefix = shorter,
            None => break,
        }
    }
    let mut inside: Vec<&str> =
        names.all().filter(|other| other.strip_prefix(name).is_some_and(|rest| rest.starts_with('.'))).collect();
    if !inside.is_empty() {
        inside.sort_unstable();
        inside.truncate(4);
        return Error { message: format!("`{name}` is only the beginning of a name"), ..error }
            .help(format!("name what is inside, such as `{}`", inside.join("`, `")));
    }
    if let Some(close) = closest(name, names.all()) {
        return error.help(format!("did you mean `{close}`?"));
    }
    // What follows an attribute may be a key of it.
    if let Some((head, _)) = name.rsplit_once('.')
        && let Some(close) = closest(head, names.all())
    {
        return error.help(format!("did you mean `{close}`?"));
    }
    if names.all().any(|other| other.starts_with("request.")) && !name.contains('.') {
        return error.help("quote a text: \"...\"; attributes have dots, such as `request.method`");
    }
    error
}

/// The name that is nearest, when it is near enough.
pub(crate) fn closest<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Option<&'n str> {
    let most = 1 + name.len() / 6;
    let distances = names.map(|other| (distance(name, other, most), other)).filter(|(distance, _)| *distance <= most);
    distances.min().map(|(_, other)| other)
}

/// The letters to insert, remove, replace or swap; anything above `most` may be any number above it.
fn distance(a: &str, b: &str, most: usize) -> usize {
    if a.len().abs_diff(b.len()) > most || a.len() > 64 {
        return most + 1;
    }
    let (a, b) = (a.as_bytes(), b.as_bytes());
    let mut before: Vec<usize> = vec![0; b.len() + 1];
    let mut previous: Vec<usize> = (0..=b.len()).collect();
    for (i, x) in a.iter().enumerate() {
        let mut current = vec![i + 1];
        for (j, y) in b.iter().enumerate() {
            let at = |row: &[usize], column: usize| row.get(column).copied().unwrap_or(usize::MAX / 2);
            let mut best =
                (at(&previous, j) + usize::from(x != y)).min(at(&previous, j + 1) + 1).min(at(&current, j) + 1);
            let swapped = i > 0 && j > 0 && a.get(i - 1) == Some(y) && b.get(j - 1) == Some(x);
            if swapped {
                best = best.min(at(&before, j - 1) + 1);
            }
            current.push(best);
        }
        before = std::mem::replace(&mut previous, current);
    }
    previous.last().copied().unwrap_or(most + 1)
}
