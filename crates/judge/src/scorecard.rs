//! What a scorecard says.

use model::{CustomerId, Evidence, Timestamp};
use serde::Serialize;
use simulator::month::Kind;

use crate::Quantiles;

/// How a policy did, and what rules of fixed percentages would have done.
#[derive(Clone, Debug, Serialize)]
pub struct Scorecard {
    /// Everything random follows from it.
    pub seed: u64,
    /// How many customers there were.
    pub customers: usize,
    /// How many days.
    pub days: u32,
    /// The policy file's digest.
    pub policy: String,
    /// Records that Weir folded.
    pub records: u64,
    /// The good customers altogether: Weir first, then the rivals.
    pub totals: Vec<Totals>,
    /// By kind.
    pub kinds: Vec<KindScore>,
    /// The good customers that Weir touched, and why.
    pub touches: Vec<Touch>,
}

/// A good customer that was throttled or worse.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Touch {
    /// Whom it concerned.
    pub customer: CustomerId,
    /// What it really is.
    pub kind: Kind,
    /// When, first.
    pub at: Timestamp,
    /// By which rule.
    pub rule: String,
    /// On what evidence.
    pub evidence: Option<Evidence>,
}

/// What a watcher did to the good customers altogether.
#[derive(Clone, Copy, Debug, PartialEq, Serialize)]
pub struct Totals {
    /// Whose figures they are.
    pub watcher: &'static str,
    /// Good customers that were throttled or worse.
    pub touched: usize,
    /// The same per 10,000 customers and 30 days.
    pub touched_per_10000_months: f64,
}

/// How customers of a kind fared.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct KindScore {
    /// Which.
    pub kind: Kind,
    /// Whether it must be left alone.
    pub good: bool,
    /// How many there were.
    pub customers: usize,
    /// The mails that the best sequential test of the policy's limits needs on average, at the same error rates: the median
    /// over the customers that Weir found, whose figures stand beside it. `None` where no sequential rule looks at what shows
    /// them.
    pub fewest_mails: Option<f64>,
    /// The mails at which Weir found them as a multiple of that, each mail counted as far as what shows that it is bad could
    /// have come by then. Nobody can know a complaint before it is made.
    pub ripe_ratio: Option<Quantiles>,
    /// Under Weir.
    pub weir: Score,
    /// Under the rivals, in their order.
    pub rivals: Vec<Score>,
}

/// How customers of a kind fared under a watcher. Figures of mails and time are of those that were found since they were bad:
/// who was held back before and still was then is found, and says nothing of how soon.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// How many were throttled or worse while they were bad.
    pub found: usize,
    /// How many were throttled or worse while they were good.
    pub touched: usize,
    /// How often one was moved up to watch.
    pub watched: u32,
    /// Mails sent, since it was bad, when it was found.
    pub mails: Option<Quantiles>,
    /// Those mails as a multiple of what the best sequential test needs on average.
    pub ratio: Option<Quantiles>,
    /// The rate at which it was found, of those whose rate rises.
    pub risen_to: Option<Quantiles>,
    /// Hours from its first mail since it was bad until it was found.
    pub hours: Option<Quantiles>,
}

/// Whether Weir did better than a rival.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Beaten {
    /// It did at least as well.
    Yes,
    /// It did not, but the rival touches too many good customers to be of use.
    Unusable,
    /// It did not.
    No,
}

/// A rival that touches more good customers than this, of 10,000 in 30 days, is of no use.
const USABLE: f64 = 1.0;

impl Scorecard {
    /// Whether Weir did at least as well as the rival with this number on customers of this kind: found as many of the bad
    /// from no more mails, touched no more of the good.
    pub fn beaten(&self, kind: &KindScore, rival: usize) -> Option<Beaten> {
        let other = kind.rivals.get(rival)?;
        // Whoever was held back beforehand, all of them perhaps, took no mail at all.
        let without = |score: &Score| if score.found > 0 { 0.0 } else { f64::INFINITY };
        let median = |score: &Score| score.mails.map_or_else(|| without(score), |mails| mails.median);
        let better = if kind.good {
            kind.weir.touched <= other.touched
        } else {
            kind.weir.found >= other.found && median(&kind.weir) <= median(other)
        };
        let unusable = self.totals.get(rival + 1).is_some_and(|totals| totals.touched_per_10000_months > USABLE);
        Some(match (better, unusable && !kind.good) {
            (true, _) => Beaten::Yes,
            (false, true) => Beaten::Unusable,
            (false, false) => Beaten::No,
        })
    }
}
