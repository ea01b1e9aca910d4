//! A change of the policy: a record on `weir.events` like any other.

use serde::{Deserialize, Serialize};

use crate::{OrderError, Timestamp};

/// Where the text of a policy comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum PolicyOrigin {
    /// The file that a process was started with.
    File,
    /// The operators' API.
    Api,
    /// What is in force already, told again for a fold that begins on a log whose beginning retention has cut. A fold that
    /// was told a policy by any other origin passes it over.
    Repeat,
}

/// What stands beside a policy's text: who put it in force, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyChange {
    /// Where the text comes from.
    pub origin: PolicyOrigin,
    /// Who put it in force.
    pub by: String,
    /// Why, in the author's words.
    pub reason: String,
    /// The digest of the latest policy that came from a file: this one's where it is such a one.
    pub file: Option<String>,
}

impl PolicyChange {
    const ORIGIN: &'static str = "origin";
    const BY: &'static str = "by";
    const REASON: &'static str = "reason";
    const FILE: &'static str = "file";

    /// Refuses a change without author or reason.
    ///
    /// # Errors
    ///
    /// [`OrderError`] names what is missing.
    pub fn checked(self) -> Result<Self, OrderError> {
        OrderError::check(&self.by, &self.reason)?;
        Ok(self)
    }

    /// The headers of the record whose value is the policy's text.
    pub fn headers(&self) -> impl Iterator<Item = (&'static str, &str)> {
        let always = [(Self::ORIGIN, self.origin.name()), (Self::BY, &self.by), (Self::REASON, &self.reason)];
        always.into_iter().chain(self.file.iter().map(|file| (Self::FILE, file.as_str())))
    }

    /// Reads the headers of such a record; `None` where they are not those of a change.
    pub fn read<'h>(header: impl Fn(&str) -> Option<&'h str>) -> Option<Self> {
        let origins = [PolicyOrigin::File, PolicyOrigin::Api, PolicyOrigin::Repeat];
        let named = header(Self::ORIGIN)?;
        Some(Self {
            origin: origins.into_iter().find(|origin| origin.name() == named)?,
            by: header(Self::BY)?.to_owned(),
            reason: header(Self::REASON)?.to_owned(),
            file: header(Self::FILE).map(str::to_owned),
        })
    }
}

impl PolicyOrigin {
    /// Whether a policy of this origin replaces what is in force, given whence that came (`None` while no record has put
    /// anything in force): what is only repeated does not replace what was put in force.
    pub fn replaces(self, in_force: Option<Self>) -> bool {
        self != Self::Repeat || in_force.is_none_or(|in_force| in_force == Self::Repeat)
    }

    /// The name in headers and in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::File => "file",
            Self::Api => "api",
            Self::Repeat => "repeat",
        }
    }
}

/// A policy that a record of the log has put in force.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct PolicyInForce {
    /// The policy file's text, as it was given.
    pub text: String,
    /// When it was appended to the log.
    pub since: Timestamp,
    /// Who put it in force, and why.
    pub change: PolicyChange,
}

/// What is shown of the policy that a scorer judges by.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyView {
    /// The digest that decisions carry.
    pub digest: String,
    /// The record that put it in force; `None` while no record has, and the file that the scorer was started with is.
    pub record: Option<PolicyInForce>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_change_reads_back_from_the_headers_that_it_wrote() {
        for (origin, file) in [(PolicyOrigin::Api, None), (PolicyOrigin::Repeat, Some("sha256:0".to_owned()))] {
            let change =
                PolicyChange { origin, by: "ana".to_owned(), reason: "zu streng für München".to_owned(), file };
            let headers: Vec<_> = change.headers().collect();
            let header = |name: &str| headers.iter().find(|(known, _)| *known == name).map(|(_, value)| *value);
            assert_eq!(PolicyChange::read(header), Some(change.clone()));
            assert_eq!(PolicyChange::read(|name| header(name).filter(|_| name != "by")), None);
        }
    }

    #[test]
    fn an_anonymous_change_is_refused() {
        let change =
            PolicyChange { origin: PolicyOrigin::Api, by: " ".to_owned(), reason: "why".to_owned(), file: None };
        assert_eq!(change.checked(), Err(OrderError::NoAuthor));
    }
}
