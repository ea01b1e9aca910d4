//! What is shown of a customer.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{Counts, Provider, Standing, Timestamp, Window};

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
    /// How its rates went.
    #[serde(default)]
    pub series: Series,
}

/// How a customer's rates went, oldest first; buckets without mail are left out.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Series {
    /// By the hour, as far back as the window of a day reaches.
    pub hours: Vec<SeriesPoint>,
    /// By the day, in UTC, as far back as the window of 30 days reaches.
    pub days: Vec<SeriesPoint>,
}

/// What became of the mail that was sent in one bucket of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct SeriesPoint {
    /// When the bucket begins.
    pub at: Timestamp,
    /// Mails that SendGrid tried to deliver.
    pub mails: u32,
    /// By signal, as the policy file names them: the bad events, and the mails that they are held against.
    pub signals: BTreeMap<String, [u32; 2]>,
}
