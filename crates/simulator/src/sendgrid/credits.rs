//! How many mails a subuser may still send.

use serde::{Deserialize, Serialize};

/// A subuser's credits, as the API shows them.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credits {
    /// `unlimited`, `recurring` or `nonrecurring`.
    #[serde(rename = "type")]
    pub kind: String,
    /// When they are given anew: `monthly`, `weekly` or `daily`.
    #[serde(default)]
    pub reset_frequency: Option<String>,
    /// What is left.
    #[serde(default)]
    pub remain: Option<u64>,
    /// What is given each time.
    #[serde(default)]
    pub total: Option<u64>,
    /// What was used.
    #[serde(default)]
    pub used: Option<u64>,
}

impl Credits {
    pub(super) fn unlimited() -> Self {
        Self { kind: "unlimited".to_owned(), reset_frequency: None, remain: None, total: None, used: None }
    }

    /// What is kept of credits that a call sets: they start full, whatever was used before. A field and a sentence where
    /// the call makes no sense.
    pub(super) fn granted(self) -> Result<Self, (&'static str, &'static str)> {
        match self.kind.as_str() {
            "unlimited" => Ok(Self::unlimited()),
            "recurring" | "nonrecurring" if self.total.is_none_or(|total| total == 0) => {
                Err(("total", "total must be at least 1"))
            }
            "recurring" => {
                let known = matches!(self.reset_frequency.as_deref(), Some("monthly" | "weekly" | "daily"));
                if !known {
                    return Err(("reset_frequency", "reset_frequency must be monthly, weekly or daily"));
                }
                Ok(Self { remain: self.total, used: Some(0), ..self })
            }
            "nonrecurring" => Ok(Self { remain: self.total, total: None, used: None, reset_frequency: None, ..self }),
            _ => Err(("type", "Type should be set to 'recurring', 'nonrecurring', or 'unlimited'")),
        }
    }

    /// Adds `change` to what is left, never below zero; whether there is a number to change.
    pub(super) fn change(&mut self, change: i64) -> bool {
        let Some(left) = self.remain else { return false };
        self.remain = Some(left.saturating_add_signed(change));
        true
    }

    /// Takes one for a mail; whether there was one.
    pub(super) fn take(&mut self) -> bool {
        match self.remain {
            None => true,
            Some(0) => false,
            Some(left) => {
                self.remain = Some(left - 1);
                self.used = self.used.map(|used| used + 1);
                true
            }
        }
    }
}
