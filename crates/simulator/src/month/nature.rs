//! What makes up a customer: what only the simulator knows.

use std::ops::Range;

use model::{Millis, Provider, Timestamp};

use super::Badness;
use super::chances::{Chances, Spread};
use super::dice::Dice;
use super::recipients::Recipients;
use super::rhythm::Rhythm;

/// What makes up a customer.
#[derive(Clone, Debug)]
pub(super) struct Nature {
    pub(super) recipients: Recipients,
    pub(super) rhythm: Rhythm,
    pub(super) course: Course,
    pub(super) spread: Spread,
    pub(super) complaints: Complaints,
    /// The share of its mail that goes to somebody to whom it sent before.
    pub(super) returning: f64,
    pub(super) badness: Option<Badness>,
}

/// How its chances change over time.
#[derive(Clone, Debug)]
pub(super) enum Course {
    /// Not at all.
    Steady(Chances),
    /// Not at all; the mails with these numbers bounce, and no others.
    Dead(Chances, Vec<u32>),
    /// For a while they are others.
    During { usual: Chances, span: Range<Timestamp>, then: Chances },
    /// Hard bounces rise evenly.
    Rising { usual: Chances, span: Range<Timestamp>, worst: f64 },
}

/// When complaints come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Complaints {
    /// Hours after the mail, some of them days: half of them within three hours.
    Usual,
    /// Two to four days after the mail.
    Late,
}

impl Nature {
    /// A good customer of this rhythm, with chances that do not change.
    pub(super) fn good(rhythm: Rhythm, chances: Chances, dice: &mut Dice) -> Self {
        Self {
            recipients: Recipients::random(dice),
            rhythm,
            course: Course::Steady(chances),
            spread: Spread::random(dice),
            complaints: Complaints::Usual,
            returning: dice.between(0.2, 0.5),
            badness: None,
        }
    }

    /// The same, but bad; it seldom sends to anybody twice.
    pub(super) fn bad(rhythm: Rhythm, chances: Chances, badness: Badness, dice: &mut Dice) -> Self {
        let good = Self::good(rhythm, chances, dice);
        Self { returning: dice.between(0.02, 0.1), badness: Some(badness), ..good }
    }
}

impl Nature {
    /// To whom its mail with this number goes, and who has the mailbox.
    ///
    /// The address is that number, where it never wrote to them before, or that of the mail that did. A customer that is held
    /// back tries again and again with those whom it has.
    pub(super) fn recipient(&self, number: u32, restrained: bool, dice: &mut Dice) -> (u32, Provider) {
        let returning = if restrained { (self.returning * 3.0).min(0.6) } else { self.returning };
        let (returns, earlier) = (dice.chance(returning), dice.number(0, number as usize));
        let address = if returns { u32::try_from(earlier).unwrap_or(number) } else { number };
        (address, self.recipients.provider(dice))
    }
}

impl Course {
    /// The average chances of mail that is sent at this moment.
    pub(super) fn chances(&self, at: Timestamp) -> Chances {
        match self {
            Self::Steady(chances) | Self::Dead(chances, _) => *chances,
            Self::During { usual, span, then } => *if span.contains(&at) { then } else { usual },
            Self::Rising { usual, span, worst } => {
                let way = Dice::way(span.start, at, span.end);
                Chances { hard_bounce: usual.hard_bounce * (1.0 - way) + worst * way, ..*usual }
            }
        }
    }

    /// Whether it is settled that this mail bounces or does not.
    pub(super) fn settled(&self, number: u32) -> Option<bool> {
        match self {
            Self::Dead(_, dead) => Some(dead.contains(&number)),
            Self::Steady(_) | Self::During { .. } | Self::Rising { .. } => None,
        }
    }
}

/// The usual delay of complaints, log-normal: its median in hours, and the deviation of its logarithm.
const USUAL_DELAY: (f64, f64) = (3.0, 1.3);
/// No complaint takes longer.
const LONGEST_DELAY: Millis = Millis::days(10);
const LATE_DELAY: (Millis, Millis) = (Millis::days(2), Millis::days(4));

impl Complaints {
    /// The share of a mail's complaints that have come so long after it.
    pub(super) fn share_within(self, span: Millis) -> f64 {
        match self {
            Self::Usual if span <= Millis::ZERO => 0.0,
            Self::Usual if span >= LONGEST_DELAY => 1.0,
            Self::Usual => {
                let (median, deviation) = USUAL_DELAY;
                let deviations = libm::log(hours(span) / median) / deviation;
                0.5 * libm::erfc(-deviations * std::f64::consts::FRAC_1_SQRT_2)
            }
            Self::Late => {
                let (earliest, latest) = LATE_DELAY;
                (hours(span) - hours(earliest)) / (hours(latest) - hours(earliest))
            }
        }
        .clamp(0.0, 1.0)
    }

    /// How long after its delivery a mail is complained of.
    pub(super) fn after(self, dice: &mut Dice) -> Millis {
        match self {
            Self::Usual => {
                let (median, deviation) = USUAL_DELAY;
                let delay = rand_distr::Normal::new(libm::log(median), deviation).map(|delay| dice.draw(&delay));
                let delay = delay.map_or(median, libm::exp);
                Dice::share(delay.min(hours(LONGEST_DELAY)), Millis::hours(1))
            }
            Self::Late => dice.millis(LATE_DELAY.0.get(), LATE_DELAY.1.get()),
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "spans of days are far below 2^53 milliseconds")]
fn hours(span: Millis) -> f64 {
    span.get() as f64 / Millis::hours(1).get() as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn complaints_come_as_late_as_their_shares_say() {
        let mut dice = Dice::mails(1, 2, 3);
        for complaints in [Complaints::Usual, Complaints::Late] {
            let delays: Vec<_> = (0..20_000).map(|_| complaints.after(&mut dice)).collect();
            for hours in [-1, 0, 1, 3, 12, 60, 80, 240] {
                let span = Millis::hours(hours);
                let within = delays.iter().filter(|delay| **delay <= span).count();
                #[expect(clippy::cast_precision_loss, reason = "some thousands")]
                let share = within as f64 / 20_000.0;
                assert!((share - complaints.share_within(span)).abs() < 0.02, "{complaints:?} {hours}: {share}");
            }
        }
    }
}
