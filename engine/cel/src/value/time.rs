//! Timestamps and durations: calendar, text forms and ranges.

use crate::error::EvalErrorKind;

/// A point in time: seconds since 1970-01-01T00:00:00Z, years 1 to 9999, and nanoseconds within the second.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Timestamp {
    seconds: i64,
    nanoseconds: u32,
}

const SECONDS_MIN: i64 = -62_135_596_800;
const SECONDS_MAX: i64 = 253_402_300_799;
const BILLION: i64 = 1_000_000_000;
const DAY: i64 = 86_400;

/// A timestamp's parts in some time zone.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Civil {
    pub(crate) year: i64,
    /// 1 to 12.
    pub(crate) month: i64,
    /// 1 to 31.
    pub(crate) day: i64,
    /// 0 for the first of January.
    pub(crate) day_of_year: i64,
    /// 0 for Sunday.
    pub(crate) day_of_week: i64,
    pub(crate) second_of_day: i64,
}

impl Timestamp {
    /// That many seconds and nanoseconds; none outside the years 1 to 9999.
    #[must_use]
    pub fn new(seconds: i64, nanoseconds: u32) -> Option<Self> {
        let within = (SECONDS_MIN..=SECONDS_MAX).contains(&seconds) && i64::from(nanoseconds) < BILLION;
        within.then_some(Self { seconds, nanoseconds })
    }

    /// That many nanoseconds since 1970-01-01T00:00:00Z.
    #[must_use]
    pub fn from_nanoseconds(nanoseconds: i64) -> Self {
        Self { seconds: nanoseconds.div_euclid(BILLION), nanoseconds: nanoseconds.rem_euclid(BILLION) as u32 }
    }

    /// Whole seconds since 1970-01-01T00:00:00Z, rounded down.
    #[must_use]
    pub fn seconds(self) -> i64 {
        self.seconds
    }

    /// Nanoseconds within the second.
    #[must_use]
    pub fn subsecond_nanoseconds(self) -> u32 {
        self.nanoseconds
    }

    fn total(self) -> i128 {
        i128::from(self.seconds) * i128::from(BILLION) + i128::from(self.nanoseconds)
    }

    pub(crate) fn add(self, nanoseconds: i128) -> Option<Self> {
        let total = self.total() + nanoseconds;
        let billion = i128::from(BILLION);
        let seconds = i64::try_from(total.div_euclid(billion)).ok()?;
        Self::new(seconds, total.rem_euclid(billion) as u32)
    }

    pub(crate) fn since(self, other: Self) -> Option<i64> {
        i64::try_from(self.total() - other.total()).ok()
    }

    /// The parts at that many seconds east of UTC.
    pub(crate) fn civil(self, offset: i64) -> Civil {
        let local = self.seconds + offset;
        let days = local.div_euclid(DAY);
        let (year, month, day) = civil_from_days(days);
        Civil {
            year,
            month,
            day,
            day_of_year: days - days_from_civil(year, 1, 1),
            day_of_week: (days + 4).rem_euclid(7),
            second_of_day: local.rem_euclid(DAY),
        }
    }

    /// Reads RFC 3339.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let mut rest = Digits(text);
        let year = rest.take(4)?;
        rest.mark(&['-'])?;
        let month = rest.take(2)?;
        rest.mark(&['-'])?;
        let day = rest.take(2)?;
        rest.mark(&['T', 't'])?;
        let hour = rest.take(2)?;
        rest.mark(&[':'])?;
        let minute = rest.take(2)?;
        rest.mark(&[':'])?;
        let second = rest.take(2)?;
        let nanoseconds = rest.fraction()?;
        let offset = match rest.0 {
            "Z" | "z" => 0,
            zone => parse_offset(zone)?,
        };
        let valid = (1..=12).contains(&month) && (1..=days_in_month(year, month)).contains(&day);
        if !valid || hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        let seconds = days_from_civil(year, month, day) * DAY + hour * 3600 + minute * 60 + second - offset;
        Self::new(seconds, nanoseconds)
    }
}

impl std::fmt::Display for Timestamp {
    /// RFC 3339 in UTC, with as many digits of a second as are needed.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Civil { year, month, day, second_of_day, .. } = self.civil(0);
        let (hour, minute, second) = (second_of_day / 3600, second_of_day / 60 % 60, second_of_day % 60);
        write!(f, "{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}{}Z", Fraction(self.nanoseconds))
    }
}

/// `.5` for half a second, nothing for none.
struct Fraction(u32);

impl std::fmt::Display for Fraction {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 0 {
            return Ok(());
        }
        let digits = format!("{:09}", self.0);
        write!(f, ".{}", digits.trim_end_matches('0'))
    }
}

struct Digits<'s>(&'s str);

impl Digits<'_> {
    fn take(&mut self, count: usize) -> Option<i64> {
        let digits = self.0.get(..count)?;
        self.0 = self.0.get(count..)?;
        if digits.bytes().all(|byte| byte.is_ascii_digit()) { digits.parse().ok() } else { None }
    }

    fn mark(&mut self, marks: &[char]) -> Option<()> {
        self.0 = self.0.strip_prefix(marks)?;
        Some(())
    }

    /// A fraction of a second in nanoseconds, digits beyond those dropped.
    fn fraction(&mut self) -> Option<u32> {
        let Some(rest) = self.0.strip_prefix('.') else { return Some(0) };
        let length = rest.bytes().take_while(u8::is_ascii_digit).count();
        let (digits, after) = rest.split_at(length);
        self.0 = after;
        let kept = digits.get(..digits.len().min(9)).filter(|kept| !kept.is_empty())?;
        Some(kept.parse::<u32>().ok()? * 10u32.pow(9 - kept.len() as u32))
    }
}

/// Seconds east of UTC of `+01:00`, `-02:30` or, without a sign, `02:00`.
pub(crate) fn parse_offset(text: &str) -> Option<i64> {
    let (sign, text) = match text.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, text.strip_prefix('+').unwrap_or(text)),
    };
    let mut rest = Digits(text);
    let hours = rest.take(2)?;
    rest.mark(&[':'])?;
    let minutes = rest.take(2)?;
    (rest.0.is_empty() && hours <= 23 && minutes <= 59).then_some(sign * (hours * 3600 + minutes * 60))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar. The year is counted from March, so that a leap day is the
/// last day of its year, and in eras of 400 years, which all have the same length.
fn days_from_civil(year: i64, month: i64, day: i64) -> i64 {
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let year_of_era = year.rem_euclid(400);
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

fn civil_from_days(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * shifted_month + 2) / 5 + 1;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// Reads a duration such as `1h30m`, `-1.5s` or `100ms` into nanoseconds; none when it is not one or does not fit.
pub(crate) fn parse_duration(text: &str) -> Option<i64> {
    let (negative, mut rest) = match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    };
    if rest == "0" {
        return Some(0);
    }
    if rest.is_empty() {
        return None;
    }
    let mut total: i128 = 0;
    while !rest.is_empty() {
        let number = rest.bytes().take_while(|byte| byte.is_ascii_digit() || *byte == b'.').count();
        let (digits, after) = rest.split_at(number);
        let unit = after.find(|character: char| character.is_ascii_digit() || character == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at(unit);
        total += part(digits, unit_nanoseconds(unit)?)?;
        if total > 1 << 64 {
            return None;
        }
        rest = after;
    }
    i64::try_from(if negative { -total } else { total }).ok()
}

fn unit_nanoseconds(unit: &str) -> Option<i128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => 1_000_000_000,
        "m" => 60_000_000_000,
        "h" => 3_600_000_000_000,
        _ => return None,
    })
}

fn part(digits: &str, unit: i128) -> Option<i128> {
    let (whole, fraction) = digits.split_once('.').unwrap_or((digits, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: i128 = if whole.is_empty() { 0 } else { whole.parse::<u64>().ok()?.into() };
    let mut total = whole * unit;
    // 18 digits of a fraction are more than a nanosecond can tell.
    let kept = fraction.get(..fraction.len().min(18)).unwrap_or_default();
    if !kept.is_empty() {
        total += kept.parse::<i128>().ok()? * unit / 10i128.pow(kept.len() as u32);
    }
    Some(total)
}

/// Seconds with as many digits as are needed: `90s`, `-0.5s`.
pub(crate) fn format_duration(nanoseconds: i64) -> String {
    let sign = if nanoseconds < 0 { "-" } else { "" };
    let magnitude = nanoseconds.unsigned_abs();
    let billion = BILLION as u64;
    format!("{sign}{}{}s", magnitude / billion, Fraction((magnitude % billion) as u32))
}

/// A count of nanoseconds as a duration.
pub(crate) fn nanoseconds(total: i128) -> Result<i64, EvalErrorKind> {
    i64::try_from(total).map_err(|_| EvalErrorKind::Overflow)
}
