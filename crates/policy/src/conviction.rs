//! How many mails of which kind convict: what a rule's limits and its share of the budget come to.

use model::Bucket;

use crate::Rule;
use crate::measure::Measure;
use crate::rule::Method;
use crate::signal::Fraction;
use crate::tally::Tally;

/// How a customer's mail lies in the window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sending {
    /// Evenly: 50 mails a bucket, or more where the window's buckets are too few for that; for a bound, over as many
    /// buckets as must hold bad events.
    Spread,
    /// All of it in one bucket.
    AtOnce,
}

/// Mails a bucket at which it hardly matters that the mails of one bucket are alike.
const PORTION: u32 = 50;

/// More bad events than this are not tried.
pub const MOST_TRIED: u32 = 10_000;

impl Rule {
    /// The fewest mails after which a customer is convicted whose bad events come exactly at `rate` (above 0, at most 1),
    /// and how many these are; `None` where [`MOST_TRIED`] are not enough.
    pub fn convicting_rate(&self, rate: f64, sending: Sending) -> Option<Fraction> {
        let own = |hits| Fraction { hits, mails: mails_for(hits, rate) };
        (self.minimum..=MOST_TRIED).map(own).find(|own| self.convicts(*own, sending))
    }

    /// The fewest bad events of so many `mails` that convict; `None` where not even all do.
    pub fn convicting_hits(&self, mails: u32, sending: Sending) -> Option<u32> {
        (self.minimum..=mails).find(|hits| self.convicts(Fraction { hits: *hits, mails }, sending))
    }

    fn convicts(&self, own: Fraction, sending: Sending) -> bool {
        let portions = match sending {
            Sending::Spread => self.portions(own.mails),
            Sending::AtOnce => 1,
        };
        Measure::new(self, &Tally::of_buckets(divided(own, portions))).is_over()
    }

    /// In how many buckets so many mails lie that are sent evenly.
    fn portions(&self, mails: u32) -> u32 {
        match self.method {
            Method::Bound { spread } => spread.max(1),
            Method::Sequential { .. } => {
                let whole = self.window.span().get() / self.window.grain().width().get();
                mails.div_ceil(PORTION).clamp(1, u32::try_from(whole).unwrap_or(u32::MAX))
            }
        }
    }
}

/// The fewest mails among which so many hits are expected at `rate`.
fn mails_for(hits: u32, rate: f64) -> u32 {
    // A quotient that is whole but for its last digits is that whole number.
    let mails = (f64::from(hits) / rate - 1e-9).ceil();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "positive, and held at the range's end"
    )]
    let mails = mails as u32;
    mails.max(hits)
}

/// Buckets of equal size with equally many hits, as far as whole numbers go.
fn divided(own: Fraction, portions: u32) -> Vec<(Bucket, Fraction)> {
    let share = |of: u32, part: u32, whole: u32| u64::from(of) * u64::from(part) / u64::from(whole.max(1));
    let share = |of, part, whole| u32::try_from(share(of, part, whole)).unwrap_or(u32::MAX);
    // Hits by the mails so far, so that no bucket has more hits than mails.
    let until = |portion| {
        let mails = share(own.mails, portion, portions);
        Fraction { hits: share(own.hits, mails, own.mails), mails }
    };
    let bucket = |portion: u32| {
        let (before, after) = (until(portion), until(portion + 1));
        let own = Fraction { hits: after.hits - before.hits, mails: after.mails - before.mails };
        (Bucket::new(portion), own)
    };
    (0..portions).map(bucket).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_lost_by_dividing() {
        for (hits, mails, portions) in [(8, 8, 3), (7, 99, 30), (0, 10, 1), (3, 2_000_000_000, 24), (1, 2, 7)] {
            let own = Fraction { hits, mails };
            let buckets = divided(own, portions);
            assert_eq!(buckets.iter().fold(Fraction::default(), |sum, (_, part)| sum.plus(*part)), own);
            assert!(buckets.iter().all(|(_, part)| part.hits <= part.mails), "{buckets:?}");
        }
    }

    #[test]
    fn so_many_mails_are_needed_for_so_many_hits() {
        assert_eq!(mails_for(9, 0.3), 30);
        assert_eq!(mails_for(10, 0.3), 34);
        assert_eq!(mails_for(8, 1.0), 8);
    }
}
