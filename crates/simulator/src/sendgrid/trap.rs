//! A call that is caught, so that whoever made it can be killed at that very moment.

use tokio::sync::oneshot;

use super::record::Call;

/// When a call is caught.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// Before it has had any effect, which it never has then; it is not answered.
    Before,
    /// Once it has had its effect; it is not answered.
    After,
    /// When it is answered, as ever.
    Answered,
}

/// Catches one call.
#[derive(Debug)]
pub(super) struct Trap {
    pub(super) moment: Moment,
    /// How many calls it lets go first.
    pub(super) passing: u64,
    /// Which calls it is for.
    pub(super) which: fn(&Call) -> bool,
    pub(super) caught: oneshot::Sender<()>,
}

impl Trap {
    /// Whether `call` is the one.
    pub(super) fn is_for(&mut self, call: &Call) -> bool {
        if !(self.which)(call) {
            return false;
        }
        let is_it = self.passing == 0;
        self.passing = self.passing.saturating_sub(1);
        is_it
    }

    /// Tells that the call was caught.
    pub(super) fn shut(self) {
        // Nobody may be waiting any more: then it caught nothing of interest.
        let _nobody_waits = self.caught.send(());
    }
}
