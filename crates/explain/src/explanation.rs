//! A decision, explained.

use std::fmt;

use model::Decision;
use serde::{Deserialize, Serialize};

use crate::{Derived, Recount};

/// A decision, explained: for operators, and in the words that its customer can be sent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub struct Explanation {
    /// What was decided, in a sentence.
    pub headline: String,
    /// On what grounds, a sentence each.
    pub facts: Vec<String>,
    /// How all others fare; `None` where nothing was held against them: a person's command, or a limit of the account.
    pub comparison: Option<String>,
    /// Which mail was left out, and why.
    pub set_aside: Vec<String>,
    /// Ids of some of the bad events, newest last.
    pub sample_events: Vec<String>,
    /// What would bring the customer back.
    pub way_back: String,
    /// Plain paragraphs that the customer can be sent.
    pub for_the_customer: String,
    /// The figures counted again from the raw events; `None` where there are none to count.
    pub recount: Option<Recount>,
    /// What came of deriving the decision again.
    pub derived: Derived,
    /// The decision as it was published.
    pub decision: Decision,
}

impl fmt::Display for Explanation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.headline)?;
        section(f, "Why", &self.facts)?;
        section(f, "The others", self.comparison.as_slice())?;
        section(f, "Left out", &self.set_aside)?;
        section(f, "Some of the events", &self.sample_events)?;
        section(f, "What brings it back", std::slice::from_ref(&self.way_back))?;
        let checks: Vec<_> = [Some(self.derived.to_string()), self.recount.as_ref().map(ToString::to_string)].into();
        section(f, "Checked", &checks.into_iter().flatten().collect::<Vec<_>>())?;
        write!(f, "\nFor the customer\n\n{}\n", self.for_the_customer)
    }
}

fn section(f: &mut fmt::Formatter<'_>, title: &str, lines: &[String]) -> fmt::Result {
    if lines.is_empty() {
        return Ok(());
    }
    write!(f, "\n{title}\n")?;
    lines.iter().try_for_each(|line| writeln!(f, "  - {line}"))
}
