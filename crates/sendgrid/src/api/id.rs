//! Numbers that are names.

use std::fmt;

use serde::{Deserialize, Deserializer};
use serde_json::Number;

/// An id that SendGrid gave: a number in some answers and a string in others.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Id(String);

impl Id {
    /// The id `id`.
    pub fn new(id: impl Into<String>) -> Self {
        Self(id.into())
    }

    /// The id as it stands in a path.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Id {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Number(Number),
            Text(String),
        }
        Either::deserialize(deserializer).map(|id| match id {
            Either::Number(number) => Self(number.to_string()),
            Either::Text(text) => Self(text),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_is_the_same_as_a_number_and_as_a_string() {
        let ids: Vec<Id> = serde_json::from_str(r#"[12345,"12345"]"#).unwrap();
        assert_eq!(ids[0], ids[1]);
    }
}
