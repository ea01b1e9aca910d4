//! What came of a call.

use serde_json::Value;

use super::client::Language;

/// An answer as the client told it, and what the documents find wrong with it where they were asked.
#[derive(Clone, Debug)]
pub(crate) struct Answer {
    pub(crate) language: Language,
    pub(crate) asked: String,
    /// As the client told it: `status`, `body`, `headers`, `error`.
    pub(crate) told: Value,
    /// Whether the documents were held against it.
    pub(crate) is_validated: bool,
}

impl Answer {
    /// The body of a call that was done; the documents have nothing against it.
    #[track_caller]
    pub(crate) fn done(self, status: u16) -> Value {
        assert_eq!(self.violations(), Vec::<String>::new(), "{self}");
        self.only_done(status)
    }

    /// The body of a call that was refused as the documents say.
    #[track_caller]
    pub(crate) fn refused(self, status: u16) -> Value {
        assert_eq!(self.violations(), Vec::<String>::new(), "{self}");
        self.only_refused(status)
    }

    /// The same of a call that the documents don't know.
    #[track_caller]
    pub(crate) fn done_undocumented(self, status: u16) -> Value {
        self.assert_undocumented();
        self.only_done(status)
    }

    /// The same of a refusal whose status the documents don't give to this call.
    #[track_caller]
    pub(crate) fn refused_undocumented(self, status: u16) -> Value {
        self.assert_undocumented();
        self.only_refused(status)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.told["headers"][name].as_str()
    }

    /// What the documents have against the request and the answer.
    pub(crate) fn violations(&self) -> Vec<String> {
        let Some(told) = self.header("sl-violations") else { return Vec::new() };
        let told: Vec<Value> = serde_json::from_str(told).unwrap();
        told.iter().map(|violation| format!("{}: {}", violation["location"], violation["message"])).collect()
    }

    #[track_caller]
    fn only_done(self, status: u16) -> Value {
        assert!(self.told["status"] == status && self.told["error"].is_null(), "{self}");
        self.told["body"].clone()
    }

    #[track_caller]
    fn only_refused(self, status: u16) -> Value {
        assert!(self.told["status"] == status && self.told["error"] == self.language.error(status), "{self}");
        self.told["body"].clone()
    }

    /// Should the documents describe it one day, this fails, and what is said of it can be held against them.
    #[track_caller]
    fn assert_undocumented(&self) {
        let is_unknown = |violation: &String| {
            ["returned status code", "route not found"].iter().any(|words| violation.contains(words))
        };
        let violations = self.violations();
        let is_undocumented = !violations.is_empty() && violations.iter().all(is_unknown);
        assert!(is_undocumented == self.is_validated, "{self}: {violations:?}");
    }
}

impl std::fmt::Display for Answer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{:?}: {} was answered {}", self.language, self.asked, self.told)
    }
}
