//! Pilot customers: a daily cap that grows with good behaviour.

use crate::signal::Fraction;
use crate::tail;

/// How customers in the pilot phase are treated.
#[derive(Clone, Debug, PartialEq)]
pub struct Pilot {
    /// Whether a customer is one from its first event on, until a person or its good behaviour says otherwise.
    pub newcomers: bool,
    /// The rules' limits are multiplied by this; 0 < `strictness` <= 1.
    pub strictness: f64,
    /// The daily caps, lowest first; who has passed the last one is an active customer.
    pub daily_caps: Vec<u32>,
    /// A step is passed when the true rate of hard bounces is below this, with 95 % confidence.
    pub proof: f64,
}

/// How sure the proof of good behaviour must be.
const DOUBT: f64 = 0.05;

impl Pilot {
    /// The cap at `step`; beyond the last step the last one's, since only a good day makes an active customer.
    pub fn daily_cap(&self, step: usize) -> Option<u32> {
        self.daily_caps.get(step).or(self.daily_caps.last()).copied()
    }

    /// Whether no step comes after this one.
    pub fn is_last(&self, step: usize) -> bool {
        step.saturating_add(1) >= self.daily_caps.len()
    }

    /// Whether the last day's hard bounces prove that the customer may send more than at `step`: half of what it may
    /// send must have been sent, since a step that nobody needs proves nothing.
    pub fn is_passed(&self, step: usize, day: Fraction) -> bool {
        let Some(cap) = self.daily_cap(step) else { return false };
        day.mails >= cap.div_ceil(2) && tail::upper_bound(day.hits, day.mails, DOUBT) < self.proof
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_step_is_passed_on_evidence_only() {
        let pilot = Pilot { newcomers: true, strictness: 0.5, daily_caps: vec![200, 500], proof: 0.03 };
        let passed = |hits, mails| pilot.is_passed(0, Fraction { hits, mails });
        assert!(!passed(0, 99), "too few mails");
        assert!(passed(0, 100), "none of a hundred: below 3 %");
        assert!(!passed(2, 100), "two of a hundred may be 6 %");
        assert!(passed(1, 200));
        assert_eq!(pilot.daily_cap(7), Some(500), "a policy with fewer steps sets nobody free");
        assert_eq!([0, 1, 7].map(|step| pilot.is_last(step)), [false, true, true]);
    }
}
