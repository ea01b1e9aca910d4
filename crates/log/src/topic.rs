//! The topics, and what is kept of each.

/// A topic of the log. Its name outside is [`Topic::name`] behind the configured prefix (`weir.`).
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Topic {
    /// Events, commands, ticks and policies: the one input of the fold.
    Events,
    /// Signed input that made no sense, verbatim, with the reason.
    Rejects,
    /// Each partition's share of the fleet's counts.
    Fleet,
    /// One record for each change of a customer's stage.
    Decisions,
    /// Where each customer stands now.
    Standings,
    /// Each call to SendGrid with its outcome.
    Actions,
    /// What enforcement must not forget: how customers were before Weir moved them, what is held back, what persons said of it,
    /// and what a cap has granted today. Weir's own; others read [`Topic::Actions`].
    Enforcement,
    /// Messages about decisions, ready to be sent by whoever would rather do so itself.
    Drafts,
    /// Everything about each customer that is not a count. What persons ordered and rules decided outlives the events in it.
    Profiles,
}

/// How old records leave a topic.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Cleanup {
    /// By age and size.
    Delete,
    /// When a newer record of the same key is there.
    Compact,
}

impl Topic {
    /// Every topic.
    pub const ALL: [Self; 9] = [
        Self::Events,
        Self::Rejects,
        Self::Fleet,
        Self::Decisions,
        Self::Standings,
        Self::Actions,
        Self::Enforcement,
        Self::Drafts,
        Self::Profiles,
    ];

    /// The name without prefix.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Events => "events",
            Self::Rejects => "rejects",
            Self::Fleet => "fleet",
            Self::Decisions => "decisions",
            Self::Standings => "standings",
            Self::Actions => "actions",
            Self::Enforcement => "enforcement",
            Self::Drafts => "drafts",
            Self::Profiles => "profiles",
        }
    }

    /// How old records leave it.
    pub const fn cleanup(self) -> Cleanup {
        match self {
            Self::Fleet | Self::Standings | Self::Enforcement | Self::Profiles => Cleanup::Compact,
            Self::Events | Self::Rejects | Self::Decisions | Self::Actions | Self::Drafts => Cleanup::Delete,
        }
    }
}
