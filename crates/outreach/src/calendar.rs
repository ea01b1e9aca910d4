//! When the digest is told.

use std::fmt;
use std::str::FromStr;

use model::{Millis, Timestamp};

/// A moment of each week, in UTC.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Weekly {
    /// Days behind Monday.
    day: u8,
    /// Minutes behind midnight.
    minute: u16,
}

/// A text that is no moment of a week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("give a day and a time in UTC, for example \"monday 08:00\", or \"off\"")]
pub struct NoWeekly;

const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];
/// The first Monday since the epoch.
const MONDAY: Timestamp = Timestamp::from_seconds(4 * 86_400);
pub(crate) const WEEK: Millis = Millis::days(7);

impl Weekly {
    /// The last such moment that is not behind `now`.
    pub(crate) fn last(self, now: Timestamp) -> Timestamp {
        let first = MONDAY + Millis::days(self.day.into()) + Millis::minutes(self.minute.into());
        let weeks = now.since(first).get().div_euclid(WEEK.get());
        first + Millis::new(weeks.saturating_mul(WEEK.get()))
    }
}

impl Default for Weekly {
    /// Mondays at eight.
    fn default() -> Self {
        Self { day: 0, minute: 8 * 60 }
    }
}

impl fmt::Display for Weekly {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let day = DAYS.get(usize::from(self.day)).copied().unwrap_or_default();
        write!(f, "{day} {:02}:{:02}", self.minute / 60, self.minute % 60)
    }
}

impl FromStr for Weekly {
    type Err = NoWeekly;

    fn from_str(text: &str) -> Result<Self, NoWeekly> {
        let (day, time) = text.trim().split_once(' ').ok_or(NoWeekly)?;
        let day = DAYS.iter().position(|known| known.eq_ignore_ascii_case(day)).ok_or(NoWeekly)?;
        let (hour, minute) = time.trim().split_once(':').ok_or(NoWeekly)?;
        let number = |text: &str, end: u16| -> Result<u16, NoWeekly> {
            let is_plain = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
            text.parse().ok().filter(|number| is_plain && *number < end).ok_or(NoWeekly)
        };
        let minute = number(hour, 24)? * 60 + number(minute, 60)?;
        Ok(Self { day: u8::try_from(day).map_err(|_| NoWeekly)?, minute })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_of_the_week_reads_back_and_what_is_none_is_refused() {
        for text in ["monday 08:00", "sunday 23:59", "thursday 00:00"] {
            assert_eq!(text.parse::<Weekly>().map(|weekly| weekly.to_string()), Ok(text.to_owned()));
        }
        for text in
            ["", "monday", "mon 08:00", "monday 8", "monday 24:00", "monday 08:60", "monday +8:00", "monday 8:00"]
        {
            assert_eq!(text.parse::<Weekly>(), Err(NoWeekly), "{text}");
        }
    }

    #[test]
    fn the_last_moment_is_within_the_week_before() {
        let weekly: Weekly = "wednesday 09:30".parse().unwrap();
        let at = |text: &str| text.parse::<Timestamp>().unwrap();
        for (now, last) in [
            ("2026-09-23T09:30:00Z", "2026-09-23T09:30:00Z"),
            ("2026-09-23T09:29:59Z", "2026-09-16T09:30:00Z"),
            ("2026-09-29T23:00:00Z", "2026-09-23T09:30:00Z"),
        ] {
            assert_eq!(weekly.last(at(now)), at(last), "{now}");
        }
    }
}
