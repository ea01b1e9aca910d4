//! When a customer sends.

use model::{Millis, Timestamp};

use super::clock::Clock;
use super::scenario::Scenario;

/// How much a customer sends, and when.
#[derive(Clone, Debug)]
pub(super) struct Rhythm {
    pub(super) clock: Clock,
    /// Mails a day that go out one by one, about.
    pub(super) trickle: f64,
    pub(super) campaigns: Campaigns,
    pub(super) season: Season,
    pub(super) surge: Option<Surge>,
}

/// Bursts of an hour or so.
#[derive(Clone, Copy, Debug)]
pub(super) enum Campaigns {
    Never,
    /// With this chance each day, of about so many mails.
    Now {
        chance: f64,
        mails: f64,
    },
    /// Once a week, on this day.
    Weekly {
        weekday: u32,
        mails: f64,
    },
    /// A single one, which takes one to two hours.
    Once {
        day: u32,
        mails: f64,
    },
}

/// On which days it sends at all.
#[derive(Clone, Copy, Debug)]
pub(super) enum Season {
    Always,
    From(Timestamp),
    /// Two days of five.
    Intermittent(Timestamp),
}

/// A time during which it sends more.
#[derive(Clone, Copy, Debug)]
pub(super) struct Surge {
    pub(super) from: Timestamp,
    pub(super) until: Timestamp,
    pub(super) factor: f64,
}

impl Rhythm {
    /// So many mails a day, one by one.
    pub(super) const fn trickle(clock: Clock, a_day: f64) -> Self {
        Self { clock, trickle: a_day, campaigns: Campaigns::Never, season: Season::Always, surge: None }
    }

    /// Nothing but campaigns.
    pub(super) const fn campaigns(campaigns: Campaigns) -> Self {
        Self { campaigns, ..Self::trickle(Clock::Consumers, 0.0) }
    }

    /// The same, in this season.
    pub(super) const fn in_season(self, season: Season) -> Self {
        Self { season, ..self }
    }

    /// The same, with `factor` times as much mail for a while.
    pub(super) const fn with_surge(self, from: Timestamp, until: Timestamp, factor: f64) -> Self {
        Self { surge: Some(Surge { from, until, factor }), ..self }
    }

    /// How much of its usual mail it sends at this moment.
    pub(super) fn strength(&self, at: Timestamp) -> f64 {
        let surge = self.surge.filter(|surge| (surge.from..surge.until).contains(&at));
        let factor = surge.map_or(1.0, |surge| surge.factor);
        if self.season.covers(at) { factor } else { 0.0 }
    }
}

impl Season {
    fn covers(self, at: Timestamp) -> bool {
        match self {
            Self::Always => true,
            Self::From(from) => at >= from,
            Self::Intermittent(from) => {
                at >= from && at.since(from).get().rem_euclid(Millis::days(5).get()) < Millis::days(2).get()
            }
        }
    }
}

impl Campaigns {
    /// The average size of a campaign on this day, if there is one; `luck` is from 0 to 1.
    pub(super) fn on(self, day: u32, luck: f64) -> Option<f64> {
        match self {
            Self::Never => None,
            Self::Now { chance, mails } => (luck < chance).then_some(mails),
            Self::Weekly { weekday, mails } => (day % 7 == weekday).then_some(mails),
            Self::Once { day: only, mails } => (day == only).then_some(mails),
        }
    }
}

/// The day of a scenario that holds this moment, counted from 0.
pub(super) fn day_of(at: Timestamp) -> u32 {
    let day = at.since(Scenario::START).get().div_euclid(Millis::days(1).get());
    u32::try_from(day).unwrap_or_default()
}
