//! A fold goes on after its state was lost: from profiles, and from the events that the log still has.
//!
//! What persons ordered and rules decided is in the profiles, whatever retention has deleted since. So the records behind which
//! profiles were told are counted again and judged no more.

use model::{Offset, Profile, Standing};

use super::Fold;
use crate::{Customer, Store};

impl Fold {
    /// From here on, records up to the one at `to` are only counted: what came of them is in the profiles.
    pub fn only_count_to(&mut self, to: Offset) {
        self.counted_only_to = Some(to);
    }

    /// Whether the record at `offset` is only counted.
    pub(super) fn only_counts(&self, offset: Offset) -> bool {
        self.counted_only_to.is_some_and(|to| offset <= to)
    }

    /// Puts a customer where its profile says.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn adopt<S: Store>(&mut self, store: &mut S, profile: Profile) -> Result<(), S::Error> {
        let id = profile.customer.clone();
        self.change(store, &id, |customer| customer.adopt(profile))
    }

    /// Puts a customer that has no profile where its standing says.
    ///
    /// # Errors
    ///
    /// Those of the store.
    pub fn adopt_standing<S: Store>(&mut self, store: &mut S, standing: Standing) -> Result<(), S::Error> {
        let id = standing.customer.clone();
        self.change(store, &id, |customer| customer.adopt_standing(standing))
    }

    fn change<S: Store>(
        &mut self,
        store: &mut S,
        id: &model::CustomerId,
        change: impl FnOnce(&mut Customer),
    ) -> Result<(), S::Error> {
        let customer = store.customer(id)?;
        let before = (!customer.is_new()).then_some(customer.stage);
        change(customer);
        self.partition.moved(before, customer.stage);
        let wanted = customer.needs_attention();
        store.attend(id, wanted);
        Ok(())
    }
}
