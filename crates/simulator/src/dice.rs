//! Randomness that a customer shares with nobody.
//!
//! The same seed throws the same: logarithms and powers are `libm`'s here and wherever else a draw depends on them, since those
//! of the system differ in their last digit from one system to another. Inside `rand_distr`'s own draws they can't be chosen.

use model::{Millis, Timestamp};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use rand_distr::Distribution;

/// A stream of chance.
///
/// A customer has two of its own: one for who it is, one for its mails. Each mail has its own stretch of the latter, so
/// that it does not matter which of the others were sent.
pub(crate) struct Dice(ChaCha8Rng);

/// Words of a stream that a mail has for itself; it uses some hundred.
const WORDS_OF_A_MAIL: u128 = 1 << 12;
/// Words of a stream that a customer's day has for itself; a busy one uses some thousands, and two for each mail.
const WORDS_OF_A_DAY: u128 = 1 << 32;
/// Set in the numbers of the streams for days.
const DAYS: u64 = 1 << 62;
/// Set in the numbers of the streams for pairs.
const PAIRS: u64 = 1 << 61;

impl Dice {
    /// For what concerns everybody.
    pub(crate) fn everybodys(seed: u64) -> Self {
        Self::stream(seed, u64::MAX)
    }

    /// For who a customer is.
    pub(crate) fn customers(seed: u64, customer: usize) -> Self {
        Self::stream(seed, (customer as u64) << 1)
    }

    /// For what becomes of a customer's mail.
    pub(crate) fn mails(seed: u64, customer: usize, number: usize) -> Self {
        let mut dice = Self::stream(seed, (customer as u64) << 1 | 1);
        dice.0.set_word_pos(number as u128 * WORDS_OF_A_MAIL);
        dice
    }

    /// For what two neighbours have in common.
    pub(crate) fn pairs(seed: u64, pair: usize) -> Self {
        Self::stream(seed, PAIRS | pair as u64)
    }

    /// For when a customer sends on a day.
    pub(crate) fn days(seed: u64, customer: usize, day: u32) -> Self {
        let mut dice = Self::stream(seed, DAYS | customer as u64);
        dice.0.set_word_pos(u128::from(day) * WORDS_OF_A_DAY);
        dice
    }

    fn stream(seed: u64, stream: u64) -> Self {
        let mut rng = ChaCha8Rng::seed_from_u64(seed);
        rng.set_stream(stream);
        Self(rng)
    }

    /// Whether something with this chance happens.
    pub(crate) fn chance(&mut self, chance: f64) -> bool {
        self.0.random::<f64>() < chance
    }

    /// A number from `from` up to `to`.
    pub(crate) fn between(&mut self, from: f64, to: f64) -> f64 {
        from + (to - from) * self.0.random::<f64>()
    }

    /// A number from `from` up to `to`, as often from the lower half of its magnitudes as from the upper; `from` is above 0.
    pub(crate) fn magnitude(&mut self, from: f64, to: f64) -> f64 {
        libm::exp(self.between(libm::log(from), libm::log(to)))
    }

    /// A value of this distribution.
    pub(crate) fn draw<T>(&mut self, distribution: &impl Distribution<T>) -> T {
        distribution.sample(&mut self.0)
    }

    /// A whole number from `from` up to, without, `to`; `from` where there is none.
    pub(crate) fn number(&mut self, from: usize, to: usize) -> usize {
        if from < to { self.0.random_range(from..to) } else { from }
    }

    /// One of the choices.
    pub(crate) fn pick<T: Copy, const N: usize>(&mut self, choices: [T; N]) -> T {
        choices[self.number(0, N)]
    }

    /// 64 random bits.
    pub(crate) fn bits(&mut self) -> u64 {
        self.0.random()
    }

    /// A span of `from` to `to` milliseconds.
    pub(crate) fn millis(&mut self, from: i64, to: i64) -> Millis {
        Millis::new(self.0.random_range(from..=to))
    }

    /// A span of `from` to `to` seconds, to the millisecond.
    pub(crate) fn seconds(&mut self, from: i64, to: i64) -> Millis {
        self.millis(from * 1_000, to * 1_000)
    }

    /// A moment from `from` up to `to`; `from` where there is none.
    pub(crate) fn moment(&mut self, from: Timestamp, to: Timestamp) -> Timestamp {
        let span = to.since(from).get();
        if span > 0 { from + self.millis(0, span - 1) } else { from }
    }

    /// This share of a span.
    #[expect(
        clippy::cast_precision_loss,
        clippy::cast_possible_truncation,
        reason = "spans of a scenario are far below the 285,000 years up to which milliseconds are exact in a float"
    )]
    pub(crate) fn share(share: f64, span: Millis) -> Millis {
        Millis::new((share * span.get() as f64) as i64)
    }

    /// How far `at` is on the way from `from` to `to`, from 0 to 1.
    #[expect(clippy::cast_precision_loss, reason = "as above")]
    pub(crate) fn way(from: Timestamp, at: Timestamp, to: Timestamp) -> f64 {
        (at.since(from).get() as f64 / to.since(from).get().max(1) as f64).clamp(0.0, 1.0)
    }

    /// A number of mails, rounded down.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a float to integer cast saturates, and no scenario has a negative or huge number of mails"
    )]
    pub(crate) fn whole(mails: f64) -> usize {
        mails as usize
    }

    /// A number of mails to reckon with.
    #[expect(clippy::cast_precision_loss, reason = "no scenario has 2^53 mails")]
    pub(crate) fn float(mails: usize) -> f64 {
        mails as f64
    }
}
