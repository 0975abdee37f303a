//! Doubt about header lines: a proxy that joined the lines of one name by commas left open which commas separate lines.
//!
//! Each way to cut a joined value into lines is a reading of the request. Any run of neighbouring pieces is a line in
//! some reading; a reading has a hit when one of its lines matches.

use weir_attributes::Headers;

use crate::truth::Truth;

/// How many comma-separated pieces of one joined value are looked at. With more, doubt stays: the worst case holds.
pub const PIECES_MAX: usize = 32;

/// Whether a line of that header matches, in the readings that the proxy left open.
pub(crate) fn any_line(headers: Headers<'_>, name: &str, matches: &dyn Fn(&str) -> bool) -> Truth {
    if !headers.is_doubtful(name) {
        return headers.lines(name).any(matches).into();
    }
    headers.lines(name).map(|joined| cut(joined, matches)).fold(Truth::No, Truth::or)
}

/// Whether a line of the joined value matches: in no way to cut it, in some, or in all.
fn cut(joined: &str, matches: &dyn Fn(&str) -> bool) -> Truth {
    let mut starts = [0_usize; PIECES_MAX + 1];
    let mut count = 0;
    for start in std::iter::once(0).chain(joined.match_indices(',').map(|(comma, _)| comma + 1)) {
        let Some(place) = starts.get_mut(count) else { return Truth::Maybe };
        *place = start;
        count += 1;
    }
    if count > PIECES_MAX {
        return Truth::Maybe;
    }
    // One past the comma that ends the last piece, as if there were one.
    if let Some(place) = starts.get_mut(count) {
        *place = joined.len() + 1;
    }
    let at = |index: usize| starts.get(index).copied().unwrap_or(joined.len() + 1);
    // Bit n: the first n pieces can be cut so that no line matches.
    let mut avoidable = 1_u64;
    let mut possible = false;
    for end in 1..=count {
        for start in 0..end {
            let line = joined.get(at(start)..at(end) - 1).unwrap_or_default().trim_matches([' ', '\t']);
            if matches(line) {
                possible = true;
            } else if avoidable >> start & 1 == 1 {
                avoidable |= 1 << end;
            }
        }
    }
    match (possible, avoidable >> count & 1 == 1) {
        (false, _) => Truth::No,
        (true, true) => Truth::Maybe,
        (true, false) => Truth::Yes,
    }
}

#[cfg(test)]
mod tests;
