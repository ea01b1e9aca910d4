//! What tells a metric's series apart.

use std::fmt;

/// A label of a metric.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Label {
    /// What it is called.
    pub name: &'static str,
    /// What it may say.
    pub values: Values,
}

/// What bounds the values of a label, and so the number of a metric's series.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// These words and no others.
    Words(Vec<&'static str>),
    /// Names that the configuration or the policy gives, of this kind of thing.
    Configured(&'static str),
    /// The partitions of the log.
    Partitions,
    /// The mailbox providers that Weir tells apart.
    Providers(Vec<&'static str>),
    /// The account's IP pools, by name.
    Pools,
    /// The routes of the operators' listener, as templates: `/v1/customers/{id}`.
    Routes,
    /// HTTP statuses.
    Statuses,
    /// The version that runs.
    Version,
}

impl Label {
    /// A label that says one of `words`.
    pub fn words(name: &'static str, words: impl IntoIterator<Item = &'static str>) -> Self {
        Self { name, values: Values::Words(words.into_iter().collect()) }
    }

    /// A label that says the name of a configured `thing`.
    pub const fn configured(name: &'static str, thing: &'static str) -> Self {
        Self { name, values: Values::Configured(thing) }
    }

    /// The label `partition`.
    pub const fn partition() -> Self {
        Self { name: "partition", values: Values::Partitions }
    }

    /// The label `pool`, an IP pool's name.
    pub const fn pool() -> Self {
        Self { name: "pool", values: Values::Pools }
    }
}

impl fmt::Display for Values {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Words(words) | Self::Providers(words) => {
                let words: Vec<_> = words.iter().map(|word| format!("`{word}`")).collect();
                f.write_str(&words.join(", "))
            }
            Self::Configured(thing) => write!(f, "the name of a configured {thing}"),
            Self::Partitions => f.write_str("a partition of the log"),
            Self::Pools => {
                f.write_str("the name of an IP pool, for the 100 pools with the most mail; `other` for the rest")
            }
            Self::Routes => f.write_str("a route's template"),
            Self::Statuses => f.write_str("an HTTP status"),
            Self::Version => f.write_str("the version that runs"),
        }
    }
}
