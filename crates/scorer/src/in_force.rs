//! Under which policy a partition's fold goes on from its state.

use std::sync::Arc;

use model::PartitionId;
use policy::Policy;

use crate::store::RocksStore;

/// The policy that a record has put in force, or, while none has, the one `given` to the scorer.
pub(crate) fn policy_of(store: &mut RocksStore, id: PartitionId, given: Arc<Policy>) -> Arc<Policy> {
    let Some(in_force) = store.policies().in_force() else { return given };
    match Policy::parse(&in_force.text) {
        Ok(policy) => Arc::new(policy),
        // A fold of this version that met the record would have left it out, too.
        Err(error) => {
            tracing::error!(
                partition = %id,
                error = &error as &dyn std::error::Error,
                "the policy in force was written for another version; the configured one is in force"
            );
            store.policies_mut().forget();
            given
        }
    }
}
