//! What is shown of a customer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Counts, Provider, Standing, Window};

/// A customer's standing and counts, as the API gives them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct CustomerView {
    /// Where it stands.
    #[serde(flatten)]
    pub standing: Standing,
    /// Counts of all its mail over the windows that end at the last tick.
    pub windows: BTreeMap<Window, Counts>,
    /// The same by mailbox provider.
    pub providers: BTreeMap<Provider, BTreeMap<Window, Counts>>,
}
