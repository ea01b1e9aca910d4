//! A signal over a customer's window, bucket by bucket, with incidents set aside.

use model::{Blame, Bucket, Cell, Counts, Grain, Provider, SetAside, Window};

use crate::case::{Case, Excused, Mail};
use crate::incident::Place;
use crate::signal::{Fraction, Trouble};
use crate::{Policy, Signal, tail};

/// What is likelier than this may be chance.
const CHANCE: f64 = 0.01;

/// What a rule judges.
#[derive(Clone, Debug, Default)]
pub(crate) struct Tally {
    /// The buckets with mail in them, oldest first.
    pub(crate) buckets: Vec<(Bucket, Fraction)>,
    /// The buckets with bad events in them, whether or not these can be charged there, oldest first.
    pub(crate) bad: Vec<Bucket>,
    /// What was left out because of incidents.
    pub(crate) set_aside: Vec<SetAside>,
    /// All of the window, by provider. What a bucket can't charge because its mail is of another one is charged here.
    providers: Vec<(Provider, Fraction)>,
}

impl Tally {
    /// These buckets, oldest first, of mail without incidents.
    pub(crate) fn of_buckets(buckets: Vec<(Bucket, Fraction)>) -> Self {
        let all = buckets.iter().fold(Fraction::default(), |sum, (_, part)| sum.plus(*part));
        let bad = buckets.iter().filter(|(_, part)| part.hits > 0).map(|(bucket, _)| *bucket).collect();
        Self { buckets, bad, providers: vec![(Provider::Other, all)], ..Self::default() }
    }

    /// The signal over the window of `mail`.
    pub(crate) fn of(policy: &Policy, case: &Case<'_>, mail: &Mail<'_>, (signal, window): (Signal, Window)) -> Self {
        let mut counting = Counting { signal, tally: Self::default(), sums: Vec::new() };
        mail(window, &mut |cell, counts| counting.add(policy, case, (cell, counts)));
        counting.finish()
    }

    /// All of it.
    pub(crate) fn sum(&self) -> Fraction {
        self.providers.iter().fold(Fraction::default(), |sum, (_, part)| sum.plus(*part))
    }

    /// Whether one provider's mail alone may be what speaks against the customer: without it, chance could have brought
    /// about the rest. Then it may be the provider's fault.
    pub(crate) fn is_of_one_provider(&self, limit: f64) -> bool {
        let all = self.sum();
        self.providers.iter().any(|(_, part)| {
            let (hits, mails) = (all.hits.saturating_sub(part.hits), all.mails.saturating_sub(part.mails));
            tail::at_least(hits, mails, limit) > CHANCE
        })
    }
}

/// A tally in the making.
struct Counting {
    signal: Signal,
    tally: Tally,
    sums: Vec<(Provider, Counts)>,
}

impl Counting {
    fn finish(self) -> Tally {
        let sums = self.sums.iter().map(|(provider, counts)| (*provider, self.signal.fraction(*provider, counts)));
        let providers = sums.filter(|(_, part)| *part != Fraction::default()).collect();
        Tally { providers, ..self.tally }
    }

    fn add(&mut self, policy: &Policy, case: &Case<'_>, (cell, counts): (Cell, &Counts)) {
        let Some(trouble) = self.signal.trouble() else { return self.charge(cell, counts) };
        if cell.grain == Grain::Day {
            let excused = self.excuse(case.excused, trouble, cell);
            return self.charge(cell, &counts.without(&excused));
        }
        let place = Place { cell, own: counts, pool: case.pool };
        let suspected = trouble.befell(counts) && case.suspicions.cover(trouble, cell);
        match suspected.then(|| policy.blame(trouble, place, case.fleet)).flatten() {
            Some(blame) => self.leave_out(cell, counts, blame),
            None => self.charge(cell, counts),
        }
    }

    fn charge(&mut self, cell: Cell, counts: &Counts) {
        match self.sums.last_mut().filter(|(provider, _)| *provider == cell.provider) {
            Some((_, sum)) => *sum += counts,
            None => self.sums.push((cell.provider, *counts)),
        }
        if !self.signal.shows_in(cell.provider, counts) {
            return;
        }
        if self.signal.hits(counts) > 0
            && let Err(at) = self.tally.bad.binary_search(&cell.bucket)
        {
            self.tally.bad.insert(at, cell.bucket);
        }
        let part = self.signal.fraction(cell.provider, counts);
        let buckets = &mut self.tally.buckets;
        match buckets.binary_search_by_key(&cell.bucket, |(bucket, _)| *bucket) {
            Ok(at) => buckets[at].1 = buckets[at].1.plus(part),
            Err(at) => buckets.insert(at, (cell.bucket, part)),
        }
    }

    fn leave_out(&mut self, cell: Cell, counts: &Counts, blame: Blame) {
        self.tally.set_aside.push(SetAside {
            provider: cell.provider,
            from: cell.bucket.start(cell.grain),
            until: cell.bucket.next().start(cell.grain),
            mails: counts.attempted(),
            blame,
        });
    }

    /// The mail of the hours of this day that were left out.
    fn excuse(&mut self, excused: &[Excused], trouble: Trouble, day: Cell) -> Counts {
        let (from, until) = (day.bucket.start(Grain::Day), day.bucket.next().start(Grain::Day));
        let mut sum = Counts::ZERO;
        for hour in excused.iter().filter(|hour| hour.provider == day.provider && hour.trouble == trouble) {
            let cell = Cell { grain: Grain::Hour, bucket: hour.hour, provider: hour.provider };
            if (from..until).contains(&hour.hour.start(Grain::Hour)) {
                self.leave_out(cell, &hour.counts, hour.blame);
                sum += &hour.counts;
            }
        }
        sum
    }
}
