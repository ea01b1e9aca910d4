//! Under which policy a partition's fold goes on from its state.

use std::sync::Arc;

use model::PartitionId;
use policy::Policy;

use crate::Error;
use crate::store::RocksStore;

/// The policy that a record has put in force, or, while none has, the one `given` to the scorer.
///
/// # Errors
///
/// [`Error::Policy`], where another version put it in force and this one does not read it. Any other policy in its place would
/// move customers by what nobody has decided, and otherwise than the same log folded again.
pub(crate) fn policy_of(store: &RocksStore, id: PartitionId, given: Arc<Policy>) -> Result<Arc<Policy>, Error> {
    let Some(in_force) = store.policies().in_force() else { return Ok(given) };
    let refused = |source| Error::Policy { partition: id, state: store.path().to_owned(), source };
    Policy::parse(&in_force.text).map(Arc::new).map_err(refused)
}

#[cfg(test)]
mod tests {
    use model::{PolicyChange, PolicyInForce, PolicyOrigin, Timestamp};

    use super::*;
    use crate::store::{Budget, Opened};

    #[test]
    fn a_policy_that_this_version_does_not_read_is_not_replaced_by_another_and_it_is_said_what_to_do() {
        let folder = tempfile::tempdir().unwrap();
        let id = PartitionId::new(3);
        let Opened { mut store, .. } = RocksStore::open(folder.path(), id, Budget::default()).unwrap();
        let given = Arc::new(Policy::parse(policy::DEFAULT).unwrap());
        assert_eq!(policy_of(&store, id, Arc::clone(&given)).unwrap(), given);

        let change =
            PolicyChange { origin: PolicyOrigin::Api, by: "ana".to_owned(), reason: "test".to_owned(), file: None };
        let since = Timestamp::from_seconds(1_790_000_000);
        for (text, is_read) in
            [(format!("{}# Another.\n", policy::DEFAULT), true), ("version = 99\n".to_owned(), false)]
        {
            store.policies_mut().take(PolicyInForce { text: text.clone(), since, change: change.clone() });
            match policy_of(&store, id, Arc::clone(&given)) {
                Ok(policy) => assert_eq!((is_read, policy), (true, Arc::new(Policy::parse(&text).unwrap()))),
                Err(error) => {
                    assert!(!is_read && !error.may_pass() && !error.is_damage(), "{error}");
                    let told = error.to_string();
                    assert!(told.contains("partition 3") && told.contains("weir policy apply"), "{told}");
                }
            }
        }
    }
}
