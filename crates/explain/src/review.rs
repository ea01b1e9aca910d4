//! A decision under review: record after record, until it can be explained.

use std::sync::Arc;

use model::{CustomerId, Decision, Offset, Order, Timestamp};
use policy::Policy;
use scoring::Input;

use crate::derive::Deriving;
use crate::recount::Recounting;
use crate::{Derived, Explanation, Told, words};

/// A decision as it was published.
#[derive(Clone, Debug)]
pub struct Recorded {
    /// What it says.
    pub decision: Decision,
    /// The very bytes: numbers may lose digits when they are read.
    pub bytes: Vec<u8>,
}

impl Recorded {
    /// Reads a published decision.
    ///
    /// # Errors
    ///
    /// Where it is none.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        Ok(Self { decision: serde_json::from_slice(bytes)?, bytes: bytes.to_vec() })
    }
}

/// A decision under review.
#[derive(Debug)]
pub struct Review {
    recorded: Recorded,
    history: Vec<Decision>,
    policy: Arc<Policy>,
    deriving: Deriving,
    /// `None` where the evidence names no mails that can be counted.
    recounting: Option<Recounting>,
    /// The order that brought the decision about.
    order: Option<Order>,
}

impl Review {
    /// The review of `recorded`, with what was decided about the same customer before, and the policy that was in force before
    /// the log named one.
    pub fn new(recorded: Recorded, history: Vec<Decision>, policy: Arc<Policy>) -> Self {
        let decision = &recorded.decision;
        let is_before = |earlier: &Decision| {
            earlier.customer == decision.customer
                && earlier.offset.partition == decision.offset.partition
                && earlier.offset.offset < decision.offset.offset
        };
        let history: Vec<_> = history.into_iter().filter(is_before).collect();
        let deriving = Deriving::new(decision, Arc::clone(&policy));
        let recounting = Recounting::of(decision);
        Self { recorded, history, policy, deriving, recounting, order: None }
    }

    /// Whether the events and commands of `customer` matter.
    pub fn concerns(&self, customer: &CustomerId) -> bool {
        *customer == self.recorded.decision.customer
    }

    /// Tells the time before the first tick: to be called for every record, also those that don't matter, with the moment
    /// at which it was appended.
    pub fn begin_at(&mut self, appended: Timestamp) {
        self.deriving.begin_at(appended);
        if let Some(recounting) = &mut self.recounting {
            recounting.begin_at(appended);
        }
    }

    /// Takes one record, which stands at `offset`: a tick, a policy, or what [concerns](Review::concerns) the customer.
    /// Those behind the decision's are left alone.
    pub fn take(&mut self, offset: Offset, input: Input<'_>) {
        let at = self.recorded.decision.offset.offset;
        if offset > at || !self.matters(&input) {
            return;
        }
        if let (Input::Command(_, command), true) = (&input, offset == at) {
            self.order = Some(command.order);
        }
        if let Some(recounting) = &mut self.recounting {
            recounting.take(offset, &input);
        }
        if let Input::Policy(policy) = &input {
            self.policy = Arc::clone(policy);
        }
        self.deriving.take(offset, input);
    }

    fn matters(&self, input: &Input<'_>) -> bool {
        match input {
            Input::Event(customer, ..) | Input::Command(customer, _) => self.concerns(customer),
            Input::Tick(_) | Input::Policy(_) => true,
        }
    }

    /// What came of it, where the log begins at `log_begins`.
    pub fn finish(self, log_begins: Offset) -> Explanation {
        let Self { recorded, history, policy, deriving, recounting, order } = self;
        let standing = deriving.standing(&recorded.decision.customer);
        let derived = if recorded.decision.policy == policy.digest() {
            deriving.compare(&recorded, &history, log_begins)
        } else {
            Derived::UnderAnotherPolicy { at_hand: policy.digest().to_owned() }
        };
        let case = words::Case { decision: &recorded.decision, history: &history, policy: &policy, order, standing };
        let Told { headline, grounds, comparison, set_aside, way_back, for_the_customer } = words::told(&case);
        Explanation {
            headline,
            facts: grounds.into_iter().chain([words::record(&recorded.decision)]).collect(),
            comparison,
            set_aside,
            sample_events: recorded.decision.evidence.iter().flat_map(|evidence| evidence.events.clone()).collect(),
            way_back,
            for_the_customer,
            recount: recounting.map(|recounting| recounting.finish(log_begins)),
            derived,
            decision: recorded.decision,
        }
    }
}
