//! A rule: which rate, held against what, by which test, leads where.

use model::{Mode, Stage, Test, Window};

use crate::Signal;
use crate::likelihood::Contrast;
use crate::slice::Slice;

/// One rule of the policy.
#[derive(Clone, Debug, PartialEq)]
pub struct Rule {
    /// Its name, in decisions and reasons.
    pub name: String,
    /// What it looks at.
    pub signal: Signal,
    /// Over which window.
    pub window: Window,
    /// By which test.
    pub method: Method,
    /// A true rate above this leads to `stage`; 0 < `enter` < 1.
    pub enter: f64,
    /// A rate below this no longer holds the customer there; 0 < `exit` <= `enter`.
    pub exit: f64,
    /// The rule's share of the false-alarm budget: the probability, for each mail of a customer exactly at `enter`, of a
    /// false alarm.
    pub alpha: f64,
    /// Bad events needed at least.
    pub minimum: u32,
    /// Where it leads.
    pub stage: Stage,
    /// For whom it is carried out; for the others it is only said.
    pub carried_out: Slice,
}

/// How a rule judges.
#[derive(Clone, Debug, PartialEq)]
pub enum Method {
    /// The exact binomial tail of the window's rate.
    Bound {
        /// In how many buckets of the window there must be bad events: one bad import is one cause.
        spread: u32,
    },
    /// The likelihood ratio of the stretch of buckets that speaks most against the customer.
    Sequential {
        /// The rate at `enter` against worse ones.
        contrasts: Vec<Contrast>,
    },
}

/// By how many times the limit the alternatives of a sequential test exceed it. With steps of two a customer at whatever
/// rate in between costs less than a tenth more mails than if its rate had been known.
pub const ALTERNATIVES: [f64; 4] = [2.0, 4.0, 8.0, 16.0];

impl Rule {
    /// By which kind of test it judges.
    pub const fn test(&self) -> Test {
        match self.method {
            Method::Bound { .. } => Test::Bound,
            Method::Sequential { .. } => Test::Sequential,
        }
    }

    /// The weight of evidence, in nats, at which the rule moves somebody.
    pub fn needed(&self) -> f64 {
        -libm::log(self.alpha)
    }

    /// Whether it is carried out for `customer`, in a policy of this mode.
    pub fn mode(&self, customer: &model::CustomerId, policy: Mode) -> Mode {
        if self.carried_out.holds(customer) { policy } else { Mode::Shadow }
    }
}
