//! The known differences, and who is right: at most ten.

/// A known difference, and who is right.
pub(super) struct Class {
    /// What differs, and what decides.
    pub(super) name: &'static str,
    /// A source that shows it, and what it is in this crate; none when it is refused or fails.
    pub(super) example: (&'static str, Option<&'static str>),
    pub(super) applies: fn(&Difference) -> bool,
}

/// What one gave and the other did not.
pub(super) struct Difference {
    pub(super) source: String,
    pub(super) ours: Result<String, String>,
    pub(super) theirs: Result<String, String>,
}

pub(super) const CLASSES: &[Class] = &[
    Class {
        name: "the parts of a timestamp are in UTC unless a zone is given (language definition, timestamps), not in the \
               zone that it was written in",
        example: ("timestamp('1999-12-31T23:59:59-05:00').getHours()", Some("4")),
        applies: |it| {
            [":59-05:00'", ":00+02:00'"].iter().any(|zone| it.source.contains(zone)) && it.source.contains(".get")
        },
    },
    Class {
        name: "or and orValue evaluate their argument only when they need it, as cel-go does",
        example: ("optional.of(1).orValue(1 / 0)", Some("1")),
        applies: |it| it.source.contains(".or") && it.ours.is_ok() && it.theirs.is_err(),
    },
    Class {
        name: "a literal that is no timestamp, duration or base64 is refused when it is compiled, even where it is never read",
        example: ("false ? duration('a') : duration('1s')", None),
        applies: |it| it.theirs.is_ok() && it.ours.as_ref().is_err_and(|error| error.contains("this is not ")),
    },
    Class {
        name: "no number is less or greater than NaN, which is false and no error (language definition, ordering)",
        example: ("0.0 / 0.0 < 1.0 ? 1 : 2", Some("2")),
        applies: |it| {
            let numbers = |error: &String| error.contains("overload for '_") && error.contains("double");
            // Theirs may fail later on, where NaN was absorbed.
            let nan =
                it.theirs.is_err() && ["(d / d)", "'NaN'", "math.sqrt("].iter().any(|nan| it.source.contains(nan));
            it.ours.is_ok() && (nan || it.theirs.as_ref().is_err_and(numbers))
        },
    },
    Class {
        name: "a text with more than a duration in it is no duration (language definition, duration)",
        example: ("duration('16h' + 'x').getSeconds()", None),
        applies: |it| {
            let refused = |error: &String| error.contains("cannot be converted");
            it.source.contains("duration(") && it.theirs.is_ok() && it.ours.as_ref().is_err_and(refused)
        },
    },
    Class {
        name: "a duration is read to the nanosecond, not by way of a double",
        example: (
            "duration(string(timestamp('2024-02-29T12:34:56.789Z') - timestamp(1))) == \
             timestamp('2024-02-29T12:34:56.789Z') - timestamp(1) ? 1 : 2",
            Some("1"),
        ),
        applies: |it| {
            it.source.contains("duration(") && it.source.contains("string(") && it.ours.is_ok() && it.theirs.is_ok()
        },
    },
    Class {
        name: "the milliseconds of a duration are those within its second, as the conformance rows have it",
        example: ("duration('61.25s').getMilliseconds()", Some("250")),
        applies: |it| it.source.contains(").getMilliseconds()"),
    },
    Class {
        name: "a large or small double is written with an exponent and infinity as +Inf, as cel-go does, not with all digits",
        example: ("size(string(1e300))", Some("6")),
        applies: |it| {
            let has = |part: &str| it.source.contains(part);
            has("string(") && (has("1e") || (it.theirs.is_ok() && [" / ", " * ", "double("].into_iter().any(has)))
        },
    },
];
