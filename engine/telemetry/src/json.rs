//! JSON written by hand into one buffer that is used again: the decision log's cost is here.

use std::io::Write;

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends that text as a JSON string.
pub(crate) fn string(buffer: &mut Vec<u8>, text: &str) {
    buffer.push(b'"');
    escape(buffer, text);
    buffer.push(b'"');
}

/// Appends that text as the inside of a JSON string.
pub(crate) fn escape(buffer: &mut Vec<u8>, text: &str) {
    let bytes = text.as_bytes();
    let mut rest = bytes;
    while let Some(at) = rest.iter().position(|byte| matches!(byte, 0..=31 | b'"' | b'\\' | 127)) {
        let (plain, from) = rest.split_at(at);
        buffer.extend_from_slice(plain);
        let Some((byte, after)) = from.split_first() else { return };
        match byte {
            b'"' => buffer.extend_from_slice(b"\\\""),
            b'\\' => buffer.extend_from_slice(b"\\\\"),
            b'\n' => buffer.extend_from_slice(b"\\n"),
            b'\r' => buffer.extend_from_slice(b"\\r"),
            b'\t' => buffer.extend_from_slice(b"\\t"),
            byte => {
                buffer.extend_from_slice(b"\\u00");
                buffer.extend([byte >> 4, byte & 15].iter().filter_map(|nibble| HEX.get(usize::from(*nibble))));
            }
        }
        rest = after;
    }
    buffer.extend_from_slice(rest);
}

/// Appends `,"name":` (without the comma after an opening brace). The name needs no escape.
pub(crate) fn key(buffer: &mut Vec<u8>, name: &str) {
    if buffer.last() != Some(&b'{') {
        buffer.push(b',');
    }
    buffer.push(b'"');
    buffer.extend_from_slice(name.as_bytes());
    buffer.extend_from_slice(b"\":");
}

/// Appends `"name":"text"`, escaped.
pub(crate) fn text(buffer: &mut Vec<u8>, name: &str, text: &str) {
    key(buffer, name);
    string(buffer, text);
}

/// Appends a whole number.
pub(crate) fn int(buffer: &mut Vec<u8>, number: i64) {
    buffer.extend_from_slice(itoa::Buffer::new().format(number).as_bytes());
}

/// Appends a float; null when it is not finite, for JSON has no word for it.
pub(crate) fn float(buffer: &mut Vec<u8>, number: f64) {
    if number.is_finite() {
        // Writing to a Vec cannot fail.
        let _ = write!(buffer, "{number}");
    } else {
        buffer.extend_from_slice(b"null");
    }
}

/// Appends those bytes in hexadecimal digits.
pub(crate) fn hex(buffer: &mut Vec<u8>, bytes: &[u8]) {
    let nibbles = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    buffer.extend(nibbles.filter_map(|nibble| HEX.get(usize::from(nibble)).copied()));
}

/// Writes times as RFC 3339 in UTC with nine digits of a second; remembers the last second, most lines share it.
#[derive(Debug, Default)]
pub(crate) struct Clock {
    second: Option<i64>,
    text: Vec<u8>,
}

impl Clock {
    /// Appends that time, given in nanoseconds since 1970-01-01T00:00:00Z, as a JSON string.
    pub(crate) fn time(&mut self, buffer: &mut Vec<u8>, ns: i64) {
        let (second, fraction) = (ns.div_euclid(1_000_000_000), ns.rem_euclid(1_000_000_000));
        if self.second != Some(second) {
            self.second = Some(second);
            self.text.clear();
            let (year, month, day) = date(second.div_euclid(86_400));
            let time = second.rem_euclid(86_400);
            let (hour, minute, second) = (time / 3600, time / 60 % 60, time % 60);
            let _ = write!(self.text, "\"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}.");
        }
        buffer.extend_from_slice(&self.text);
        let mut digits = *b"000000000Z\"";
        let mut left = fraction;
        for digit in digits.iter_mut().take(9).rev() {
            *digit = b'0' + (left % 10) as u8;
            left /= 10;
        }
        buffer.extend_from_slice(&digits);
    }
}

/// Year, month and day of a day counted from 1970-01-01, in the proleptic Gregorian calendar.
///
/// Years are counted from March, so that the leap day is the last one; 400 years have 146 097 days.
fn date(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let of_era = days.rem_euclid(146_097);
    let year_of_era = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let from_march = (5 * of_year + 2) / 153;
    let day = of_year - (153 * from_march + 2) / 5 + 1;
    let month = if from_march < 10 { from_march + 3 } else { from_march - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn every_text_comes_back_from_a_json_parser(text in any::<String>()) {
            let mut buffer = Vec::new();
            string(&mut buffer, &text);
            prop_assert!(!buffer.contains(&b'\n'));
            let back: String = serde_json::from_slice(&buffer).expect("valid JSON");
            prop_assert_eq!(back, text);
        }
    }

    #[test]
    fn control_characters_are_escaped_so_that_a_line_is_one_line() {
        let mut buffer = Vec::new();
        string(&mut buffer, "a\"b\\c\nd\re\tf\u{0}g\u{1b}h\u{7f}é");
        assert_eq!(String::from_utf8(buffer).expect("UTF-8"), r#""a\"b\\c\nd\re\tf\u0000g\u001bh\u007fé""#);
    }

    #[test]
    fn times_are_rfc_3339_in_utc() {
        let mut clock = Clock::default();
        // From another implementation: date -u -d @SECONDS
        for (ns, expected) in [
            (0, "\"1970-01-01T00:00:00.000000000Z\""),
            (1, "\"1970-01-01T00:00:00.000000001Z\""),
            (-1, "\"1969-12-31T23:59:59.999999999Z\""),
            (951_827_696_123_456_789, "\"2000-02-29T12:34:56.123456789Z\""),
            (1_709_251_199_000_000_000, "\"2024-02-29T23:59:59.000000000Z\""),
            (1_709_251_200_000_000_000, "\"2024-03-01T00:00:00.000000000Z\""),
            (4_107_542_399_000_000_000, "\"2100-02-28T23:59:59.000000000Z\""),
            (4_107_542_400_000_000_000, "\"2100-03-01T00:00:00.000000000Z\""),
            (i64::MAX, "\"2262-04-11T23:47:16.854775807Z\""),
            (i64::MIN, "\"1677-09-21T00:12:43.145224192Z\""),
        ] {
            let mut buffer = Vec::new();
            clock.time(&mut buffer, ns);
            assert_eq!(String::from_utf8(buffer).expect("UTF-8"), expected);
        }
    }

    #[test]
    fn numbers_are_valid_json() {
        for (number, expected) in
            [(1.0, "1"), (0.25, "0.25"), (f64::NAN, "null"), (f64::INFINITY, "null"), (-0.5, "-0.5")]
        {
            let mut buffer = Vec::new();
            float(&mut buffer, number);
            assert_eq!(String::from_utf8(buffer).expect("UTF-8"), expected);
        }
    }
}
