//! Where something is told, and what comes of a try.

use serde::{Deserialize, Serialize};

use crate::letter::Audience;

/// A way to tell somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Channel {
    SuccessMail,
    SuccessChat,
    SuccessDraft,
    CustomerMail,
    CustomerDraft,
    DigestMail,
    DigestChat,
}

/// What is told of a customer in its order, apart from what else is told: of what moves it, and of what is only said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    SuccessMail,
    SuccessMailShadow,
    SuccessChat,
    SuccessChatShadow,
    SuccessDraft,
    SuccessDraftShadow,
    CustomerMail,
    CustomerDraft,
}

impl Line {
    pub(crate) const ALL: [Self; 8] = [
        Self::SuccessMail,
        Self::SuccessMailShadow,
        Self::SuccessChat,
        Self::SuccessChatShadow,
        Self::SuccessDraft,
        Self::SuccessDraftShadow,
        Self::CustomerMail,
        Self::CustomerDraft,
    ];

    pub(crate) const fn channel(self) -> Channel {
        match self {
            Self::SuccessMail | Self::SuccessMailShadow => Channel::SuccessMail,
            Self::SuccessChat | Self::SuccessChatShadow => Channel::SuccessChat,
            Self::SuccessDraft | Self::SuccessDraftShadow => Channel::SuccessDraft,
            Self::CustomerMail => Channel::CustomerMail,
            Self::CustomerDraft => Channel::CustomerDraft,
        }
    }

    pub(crate) const fn audience(self) -> Audience {
        match self {
            Self::CustomerMail | Self::CustomerDraft => Audience::Customer,
            _ => Audience::Success,
        }
    }

    /// Whether the customer itself reads it.
    pub(crate) fn is_for_the_customer(self) -> bool {
        self.audience() == Audience::Customer
    }

    /// Whether it tells of what a rule in shadow would do.
    pub(crate) const fn is_shadow(self) -> bool {
        matches!(self, Self::SuccessMailShadow | Self::SuccessChatShadow | Self::SuccessDraftShadow)
    }
}

impl Channel {
    pub(crate) const ALL: [Self; 7] = [
        Self::SuccessMail,
        Self::SuccessChat,
        Self::SuccessDraft,
        Self::CustomerMail,
        Self::CustomerDraft,
        Self::DigestMail,
        Self::DigestChat,
    ];
    /// Those of the digest.
    pub(crate) const DIGEST: [Self; 2] = [Self::DigestMail, Self::DigestChat];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SuccessMail => "success_mail",
            Self::SuccessChat => "success_chat",
            Self::SuccessDraft => "success_draft",
            Self::CustomerMail => "customer_mail",
            Self::CustomerDraft => "customer_draft",
            Self::DigestMail => "digest_mail",
            Self::DigestChat => "digest_chat",
        }
    }

    /// Whether it ends in the log.
    pub(crate) const fn is_draft(self) -> bool {
        matches!(self, Self::SuccessDraft | Self::CustomerDraft)
    }
}

/// What came of a try. Nothing said shows an address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    /// The other side has it.
    Delivered,
    /// The other side does not have it, and may take it later.
    Failed(String),
    /// The other side does not have it, and won't take it.
    Refused(String),
    /// It was on its way when the connection broke: the other side may have it.
    Unknown(String),
    /// That it would be sent could not be kept, so it was not.
    NotKept,
}
