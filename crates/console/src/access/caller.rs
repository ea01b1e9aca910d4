//! Who asks, and what they may do.

use model::Role;

use crate::problem::Problem;

/// By what somebody was known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Credential {
    /// By nothing: only this machine is listened to, and nobody is told apart.
    Open,
    /// By a token in the request.
    Token,
    /// By a browser's session, which began with a token.
    Session,
    /// By the word of a proxy that has signed them in.
    Proxy,
}

/// Who asks: in the extensions of each request that was let in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Caller {
    /// What the log calls them.
    pub name: String,
    /// What they may do.
    pub role: Role,
    /// By what they were known.
    pub credential: Credential,
}

impl Caller {
    /// Refuses who may do less than `role`.
    pub(crate) fn may(&self, role: Role) -> Result<(), Problem> {
        if self.role >= role {
            return Ok(());
        }
        let detail = format!("{} has the role {} and this needs the role {role}", self.name, self.role);
        Err(Problem::forbidden(detail))
    }

    /// Whom the log names as author: the caller, and beside them whom they name as such.
    pub(crate) fn author(&self, by: Option<&str>) -> String {
        match (by.map(str::trim), self.credential) {
            (None, _) => self.name.clone(),
            (Some(by), Credential::Open) => by.to_owned(),
            (Some(by), _) if by.is_empty() || by == self.name => by.to_owned(),
            (Some(by), Credential::Token | Credential::Session) => format!("{by} (with the token {})", self.name),
            (Some(by), Credential::Proxy) => format!("{by} (signed in as {})", self.name),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_author_is_the_caller_and_whom_a_caller_names_is_told_beside_them() {
        let caller = |credential| Caller { name: "ci".to_owned(), role: Role::Operator, credential };
        assert_eq!(caller(Credential::Token).author(None), "ci");
        assert_eq!(caller(Credential::Token).author(Some("ci")), "ci");
        assert_eq!(caller(Credential::Token).author(Some("ana")), "ana (with the token ci)");
        assert_eq!(caller(Credential::Proxy).author(Some("ana")), "ana (signed in as ci)");
        assert_eq!(caller(Credential::Open).author(Some("ana")), "ana");
        assert_eq!(caller(Credential::Token).author(Some(" ")), "", "refused, and not the caller's name");
    }

    #[test]
    fn who_may_do_more_may_do_all_that_is_before_it() {
        let caller = Caller { name: "ci".to_owned(), role: Role::Operator, credential: Credential::Token };
        assert!(caller.may(Role::Viewer).is_ok() && caller.may(Role::Operator).is_ok());
        assert!(caller.may(Role::Approver).is_err());
    }
}
