//! A customer that is placed elsewhere than when Weir moved it: its placement in the configuration was changed since.
//!
//! What was done at the former place is taken back first, by the way back that was recorded for it; then the customer is moved
//! where it is now.

use model::CustomerId;

use crate::placement::Placement;
use crate::{Enforcer, Error};

impl Enforcer {
    /// Where a customer is to be looked at: where Weir has changed something about it, until that is taken back, and otherwise
    /// where it is placed.
    pub(crate) fn placement_of(&self, customer: &CustomerId) -> Placement {
        let changed = self.memory.get(customer).filter(|case| case.before.is_some());
        let former = changed.and_then(|case| case.placement.clone());
        former.unwrap_or_else(|| self.config.placements.of(customer))
    }

    /// Whether something has to be taken back at a former place.
    pub(crate) fn is_at_former_place(&self, customer: &CustomerId) -> bool {
        self.placement_of(customer) != self.config.placements.of(customer)
    }

    /// Begins anew with a customer that is placed elsewhere by now, where nothing has to be taken back.
    pub(crate) async fn forget_former_place(&mut self, customer: &CustomerId) -> Result<(), Error> {
        let placement = self.config.placements.of(customer);
        let is_other = self.memory.get(customer).is_some_and(|case| {
            case.before.is_none() && case.placement.as_ref().is_some_and(|former| *former != placement)
        });
        if is_other {
            self.memory.close(customer, self.now()).await?;
            self.watched.set(customer, None);
        }
        Ok(())
    }
}
