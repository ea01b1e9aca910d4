//! What the account, a pool or a provider may do altogether: SendGrid and the mailbox providers judge the account as a
//! whole, and it can be paused while every single customer looks fair.

use std::collections::BTreeMap;

use model::{Contributor, Counts, CustomerId, Fleet, PoolName, Provider, Stage, Window};

use crate::signal::Fraction;
use crate::{Signal, tail};

/// A limit of the parent account.
#[derive(Clone, Debug, PartialEq)]
pub struct Limit {
    /// Its name, in decisions.
    pub name: String,
    /// Whose mail is taken together.
    pub of: Whole,
    /// Which rate, over the last 24 hours.
    pub signal: Signal,
    /// The limit; 0 < `enter` < 1.
    pub enter: f64,
    /// Its share of the false-alarm budget: it moves only who would be above `enter` by chance with at most this probability.
    pub alpha: f64,
    /// How far ahead the crossing is looked for, in hours.
    pub ahead_hours: f64,
    /// Where the customers go that weigh most.
    pub stage: Stage,
    /// How many of them at most at a time; where more would be needed nobody is moved, and a person must decide.
    pub at_most: usize,
}

/// Whose mail is taken together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Whole {
    /// All of it.
    Account,
    /// Each pool's.
    Pool,
    /// Each provider's.
    Provider,
}

/// What is taken together.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Scope {
    /// The account.
    Account,
    /// One pool.
    Pool(PoolName),
    /// One provider.
    Provider(Provider),
}

/// A limit that is crossed, or will be.
#[derive(Clone, Debug, PartialEq)]
pub struct Crossing<'p> {
    /// Which limit.
    pub limit: &'p Limit,
    /// Of what.
    pub scope: Scope,
    /// Bad events and mails of the last 24 hours, all customers together.
    pub whole: Fraction,
    /// In how many hours it is crossed if the last hour goes on; 0 if it is already.
    pub in_hours: f64,
    /// The smallest set of customers without whom the limit is kept by those who may still send freely, heaviest first; now
    /// where it is crossed already, else at the end of the time that is looked ahead. `None` where no `at_most` of those
    /// known are enough.
    pub heaviest: Option<Vec<Share>>,
}

/// A customer's part in a crossing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// Which customer.
    pub customer: CustomerId,
    /// Its bad events and mails of the last 24 hours.
    pub own: Fraction,
}

impl Limit {
    /// Where this limit is crossed or will be, by the fleet's counts.
    pub fn crossings(&self, fleet: &Fleet) -> Vec<Crossing<'_>> {
        self.scopes(fleet).into_iter().filter_map(|scope| self.crossing(scope, fleet)).collect()
    }

    /// Bad events of a customer above what the limit allows for its mails; negative where it is below.
    pub fn excess(&self, part: Fraction) -> f64 {
        excess(self.enter, part)
    }

    fn scopes(&self, fleet: &Fleet) -> Vec<Scope> {
        let day = fleet.windows.get(&Window::Day);
        match self.of {
            Whole::Account => vec![Scope::Account],
            Whole::Pool => day.map_or_else(Vec::new, |day| day.pools.keys().cloned().map(Scope::Pool).collect()),
            Whole::Provider => Provider::ALL.map(Scope::Provider).to_vec(),
        }
    }

    fn crossing(&self, scope: Scope, fleet: &Fleet) -> Option<Crossing<'_>> {
        let whole =
            Course { day: self.fraction(&scope, Window::Day, fleet), hour: self.fraction(&scope, Window::Hour, fleet) };
        let in_hours = hours_until(self.enter, whole.day, whole.hour)?;
        if in_hours > self.ahead_hours {
            return None;
        }
        let heaviest = self.heaviest(&scope, whole, in_hours, fleet);
        Some(Crossing { limit: self, scope, whole: whole.day, in_hours, heaviest })
    }

    /// The smallest set that would have to be held back beside those who are.
    fn heaviest(&self, scope: &Scope, whole: Course, in_hours: f64, fleet: &Fleet) -> Option<Vec<Share>> {
        let hours = if in_hours > 0.0 { self.ahead_hours } else { 0.0 };
        let parts = fleet.contributors.iter().map(|contributor| (contributor, self.part(scope, contributor)));
        let (held_back, free): (Vec<_>, Vec<_>) = parts.partition(|(contributor, _)| contributor.stage >= self.stage);
        // What was sent before they were held back weighs for a day; nobody else must pay for it.
        let rest = held_back.iter().fold(whole, |rest, (_, part)| rest.without(*part));
        let convicts = |part: Course| tail::at_least(part.day.hits, part.day.mails, self.enter) <= self.alpha;
        let parts = free.into_iter().filter(|(_, part)| convicts(*part)).map(|(contributor, part)| {
            let share = Share { customer: contributor.customer.clone(), own: part.day };
            (part.excess(self.enter, hours), share)
        });
        smallest_set(rest.excess(self.enter, hours), parts.collect(), self.at_most)
    }

    /// The signal over all mail of the scope.
    ///
    /// Complaints by pool are held against all mail delivered from it: counts by pool know no provider.
    fn fraction(&self, scope: &Scope, window: Window, fleet: &Fleet) -> Fraction {
        let of = |provider: Provider| self.signal.fraction(provider, &fleet.provider(window, provider));
        match scope {
            Scope::Account => Provider::ALL.into_iter().map(of).fold(Fraction::default(), Fraction::plus),
            Scope::Provider(provider) => of(*provider),
            Scope::Pool(pool) => {
                let counts = fleet.windows.get(&window).and_then(|counts| counts.pools.get(pool));
                self.signal.fraction(Provider::Other, &counts.copied().unwrap_or(Counts::ZERO))
            }
        }
    }

    /// A customer's part in it.
    fn part(&self, scope: &Scope, contributor: &Contributor) -> Course {
        let of = |counts: &BTreeMap<Provider, Counts>| match scope {
            Scope::Account => self.by_provider(counts),
            Scope::Provider(provider) => {
                counts.get(provider).map(|counts| self.signal.fraction(*provider, counts)).unwrap_or_default()
            }
            Scope::Pool(pool) if contributor.pool.as_ref() == Some(pool) => {
                self.signal.fraction(Provider::Other, &counts.values().sum())
            }
            Scope::Pool(_) => Fraction::default(),
        };
        Course { day: of(&contributor.day), hour: of(&contributor.hour) }
    }

    fn by_provider(&self, counts: &BTreeMap<Provider, Counts>) -> Fraction {
        let parts = counts.iter().map(|(provider, counts)| self.signal.fraction(*provider, counts));
        parts.fold(Fraction::default(), Fraction::plus)
    }
}

/// A signal over the last 24 hours and over the last one.
#[derive(Clone, Copy, Debug)]
struct Course {
    day: Fraction,
    hour: Fraction,
}

impl Course {
    fn without(self, part: Self) -> Self {
        let without = |whole: Fraction, part: Fraction| Fraction {
            hits: whole.hits.saturating_sub(part.hits),
            mails: whole.mails.saturating_sub(part.mails),
        };
        Self { day: without(self.day, part.day), hour: without(self.hour, part.hour) }
    }

    /// Bad events of the last 24 hours above what the limit allows, after so many hours more like the last one.
    ///
    /// After `h` hours a share `h / 24` of the day's counts has been replaced by `h` times the last hour's, so the excess is
    /// linear in `h`.
    fn excess(self, limit: f64, hours: f64) -> f64 {
        let (day, hour) = (excess(limit, self.day), excess(limit, self.hour));
        hours.mul_add(hour - day / 24.0, day)
    }
}

/// A part of a mail so small that only rounding makes it.
const ROUNDING: f64 = 1e-9;

/// Bad events above what the limit allows for so many mails.
fn excess(limit: f64, part: Fraction) -> f64 {
    f64::from(part.mails).mul_add(-limit, f64::from(part.hits))
}

/// In how many hours a 24-hour rate reaches the limit if every hour is like the last one; `None` for never.
pub fn hours_until(limit: f64, day: Fraction, hour: Fraction) -> Option<f64> {
    let (now, gain) = (excess(limit, day), excess(limit, hour) - excess(limit, day) / 24.0);
    if now > 0.0 {
        return Some(0.0);
    }
    let hours = -now / gain;
    (gain > 0.0 && hours <= 24.0 && hour.hits > 0).then_some(hours)
}

/// The fewest parts without which the whole has no excess over its limit, the greatest excess first.
///
/// Taking a part away lowers the whole's excess by the part's own, so the greatest ones are the smallest set. `None` where no
/// `at_most` of them are enough; empty where the whole has none.
pub fn smallest_set(whole: f64, mut parts: Vec<(f64, Share)>, at_most: usize) -> Option<Vec<Share>> {
    parts.sort_by(|(a, one), (b, other)| b.total_cmp(a).then_with(|| one.customer.cmp(&other.customer)));
    let mut left = whole;
    let mut set = Vec::new();
    for (excess, part) in parts {
        if left <= ROUNDING {
            break;
        }
        left -= excess.max(0.0);
        set.push(part);
    }
    (left <= ROUNDING && set.len() <= at_most).then_some(set)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn parts(sizes: &[(u32, u32)]) -> Vec<Share> {
        let part = |(n, (hits, mails)): (usize, &(u32, u32))| Share {
            customer: CustomerId::new(&format!("customer-{n}")).unwrap(),
            own: Fraction { hits: *hits, mails: hits + mails },
        };
        sizes.iter().enumerate().map(part).collect()
    }

    fn sum<'a>(parts: impl IntoIterator<Item = &'a Share>) -> Fraction {
        parts.into_iter().fold(Fraction::default(), |sum, part| sum.plus(part.own))
    }

    /// The size of the smallest set, by trying all.
    fn by_trying(limit: f64, all: &[Share]) -> Option<u32> {
        let works = |set: u32| {
            let rest = all.iter().enumerate().filter(|(n, _)| set & 1 << n == 0).map(|(_, part)| part);
            excess(limit, sum(rest)) <= ROUNDING
        };
        (0..1_u32 << all.len()).filter(|set| works(*set)).map(u32::count_ones).min()
    }

    proptest! {
        #[test]
        fn the_smallest_set_is_what_trying_all_finds(sizes in prop::collection::vec((0_u32..30, 0_u32..2_000), 1..9)) {
            let limit = 0.01;
            let all = parts(&sizes);
            let parts = all.iter().map(|part| (excess(limit, part.own), part.clone())).collect();
            let found = smallest_set(excess(limit, sum(&all)), parts, all.len());
            // Without anybody there is nothing over the limit, so a set always exists.
            let found = u32::try_from(found.unwrap().len()).unwrap();
            prop_assert_eq!(Some(found), by_trying(limit, &all));
        }

        #[test]
        fn the_forecast_is_when_hour_by_hour_gets_there(
            day in (0_u32..40, 5_000_u32..20_000), hour in (0_u32..200, 0_u32..5_000),
        ) {
            let limit = 0.002;
            let (day, hour) = (Fraction { hits: day.0, mails: day.1 }, Fraction { hits: hour.0, mails: hour.1.max(hour.0) });
            let after = |h: f64| {
                let mix = |day: u32, hour: u32| f64::from(day) * (1.0 - h / 24.0) + f64::from(hour) * h;
                mix(day.hits, hour.hits) - limit * mix(day.mails, hour.mails)
            };
            match hours_until(limit, day, hour) {
                Some(h) if h > 0.0 => prop_assert!(after(h).abs() < 1e-6 && after(h * 0.9) < ROUNDING),
                Some(_) => prop_assert!(after(0.0) > -ROUNDING),
                None => prop_assert!(after(0.0) < ROUNDING && (after(24.0) < 1e-6 || hour.hits == 0)),
            }
        }
    }
}
