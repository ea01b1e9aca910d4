//! Whose webhook it is.

use std::fmt;

use sendgrid::api::{Account, Client, Error};

/// The account itself, or one of its subusers.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct User(Option<String>);

impl User {
    /// The account itself.
    pub(super) const OWN: Self = Self(None);

    /// The subuser of this name; without a name, the account itself.
    pub(super) const fn new(subuser: Option<String>) -> Self {
        Self(subuser)
    }

    /// The subuser's name; none for the account itself.
    pub(super) fn subuser(&self) -> Option<&str> {
        self.0.as_deref()
    }

    /// The calls that concern it.
    pub(super) fn account(&self, client: &Client) -> Result<Account, Error> {
        self.0.as_ref().map_or_else(|| Ok(client.own()), |subuser| client.on_behalf_of(subuser))
    }
}

impl fmt::Display for User {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.0 {
            None => f.write_str("the account"),
            Some(subuser) => write!(f, "subuser {subuser}"),
        }
    }
}
