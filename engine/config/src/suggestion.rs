//! "Did you mean": the known word nearest to an unknown one.

/// The one of `known` that `word` most likely was meant to be; case is ignored. None when nothing is near.
pub fn nearest<'a>(word: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    // A word far longer than any known one is no typing mistake, and comparing it costs its length.
    if word.len() > 64 {
        return None;
    }
    let lower = word.to_lowercase();
    let budget = (lower.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|candidate| (strsim::damerau_levenshtein(&lower, &candidate.to_lowercase()), candidate))
        .filter(|(distance, _)| *distance <= budget)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Help for an unknown `word`: the nearest of `known`, or the list of them when it is short enough to read.
pub(crate) fn help(word: &str, known: &[&str]) -> Option<String> {
    if let Some(nearest) = nearest(word, known.iter().copied()) {
        return Some(format!("did you mean `{nearest}`?"));
    }
    match known {
        [] => None,
        [one] => Some(format!("expected `{one}`")),
        known if known.len() <= 12 => {
            Some(format!("expected one of {}", known.iter().map(|k| format!("`{k}`")).collect::<Vec<_>>().join(", ")))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typing_mistake_finds_the_word_and_a_stranger_does_not() {
        let known = ["selector", "rules", "action", "provider"];
        for (word, expected) in [
            ("selectr", Some("selector")),
            ("Rules", Some("rules")),
            ("rule", Some("rules")),
            ("acitons", Some("action")),
            ("zebra", None),
            ("", None),
        ] {
            assert_eq!(nearest(word, known), expected, "{word}");
        }
    }
}
