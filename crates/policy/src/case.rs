//! One customer's case: everything that a verdict rests on.

use std::fmt;

use model::{
    Blame, Bucket, Cell, Counter, Counts, CustomerId, Fleet, Offset, Phase, PoolName, Provider, Stage, Timestamp,
    Window,
};

use crate::signal::Trouble;
use crate::{Rule, Signal, Suspicions};

/// Takes one bucket's counts at one provider.
pub type Visit<'v> = dyn FnMut(Cell, &Counts) + 'v;

/// A customer's mail: hands out the buckets of a window, provider by provider, oldest first.
pub type Mail<'m> = dyn Fn(Window, &mut Visit<'_>) + 'm;

/// Why the case is looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// A bad event of this kind has just been counted: only going up is in question.
    Event(Counter),
    /// Time has passed.
    Tick,
}

/// An hour of the customer's mail at one provider that was caught in an incident.
#[derive(Clone, Copy, Debug, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
pub struct Excused {
    /// The hour.
    pub hour: Bucket,
    /// Whose mailboxes.
    pub provider: Provider,
    /// In what the incident showed.
    pub trouble: Trouble,
    /// Whose fault it was.
    pub blame: Blame,
    /// All mail of that hour there.
    pub counts: Counts,
}

/// Everything that a verdict rests on.
pub struct Case<'a> {
    /// Why it is looked at.
    pub moment: Moment,
    /// Who it is.
    pub customer: &'a CustomerId,
    /// The time of the last tick.
    pub now: Timestamp,
    /// Where the customer is in its life on the platform.
    pub phase: Phase,
    /// Where the customer stands.
    pub stage: Stage,
    /// Since when.
    pub since: Timestamp,
    /// Since when every rate has been below its exit, if it is.
    pub calm_since: Option<Timestamp>,
    /// When rules have moved it to throttled or worse, oldest first.
    pub offences: &'a [Timestamp],
    /// Whether a person has exempted it from going up.
    pub exempt: bool,
    /// The rules in shadow that need not be said again.
    pub shadowed: &'a [String],
    /// The pool that its mail leaves from.
    pub pool: Option<&'a PoolName>,
    /// The customer's mail, never from before its last release.
    pub mail: &'a Mail<'a>,
    /// All of it, as the fleet's counts have it.
    pub whole: &'a Mail<'a>,
    /// When that release was, and its record.
    pub released: Option<(Timestamp, Offset)>,
    /// The last record that is counted in `mail`.
    pub counted_to: Offset,
    /// The mail as it was when the fleet's counts were taken, and the last record in it, if it was looked at then. Signals
    /// that need the fleet are judged on this, so that both sides of the comparison saw the same minutes.
    pub settled: Option<(&'a Mail<'a>, Offset)>,
    /// Hours caught in an incident.
    pub excused: &'a [Excused],
    /// Everyone's mail.
    pub fleet: &'a Fleet,
    /// [`Policy::suspicions`](crate::Policy::suspicions) of it.
    pub suspicions: &'a Suspicions,
    /// The latest bad events of a signal, for the evidence.
    pub events: &'a dyn Fn(Signal) -> Vec<String>,
}

impl fmt::Debug for Case<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Case")
            .field("moment", &self.moment)
            .field("customer", &self.customer)
            .field("now", &self.now)
            .field("stage", &self.stage)
            .field("since", &self.since)
            .finish_non_exhaustive()
    }
}

impl Case<'_> {
    /// Whether the rule is in question at this moment, and would take the customer up.
    pub(crate) fn asks(&self, rule: &Rule) -> bool {
        let fed = match self.moment {
            Moment::Event(counter) => rule.signal.is_fed_by(counter),
            Moment::Tick => true,
        };
        fed && rule.stage > self.stage && !rule.signal.is_caused_at(self.stage)
    }
}
