//! Where something is told, and what comes of a try.

use serde::{Deserialize, Serialize};

use crate::letter::Audience;

/// A way to tell somebody.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Channel {
    SuccessMail,
    SuccessChat,
    CustomerMail,
}

/// What is told of a customer in its order, apart from what else is told: of what moves it, and of what is only said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Line {
    SuccessMail,
    SuccessMailShadow,
    SuccessChat,
    SuccessChatShadow,
    CustomerMail,
}

impl Line {
    pub(crate) const ALL: [Self; 5] =
        [Self::SuccessMail, Self::SuccessMailShadow, Self::SuccessChat, Self::SuccessChatShadow, Self::CustomerMail];

    pub(crate) const fn channel(self) -> Channel {
        match self {
            Self::SuccessMail | Self::SuccessMailShadow => Channel::SuccessMail,
            Self::SuccessChat | Self::SuccessChatShadow => Channel::SuccessChat,
            Self::CustomerMail => Channel::CustomerMail,
        }
    }

    /// Whether it tells of what a rule in shadow would do.
    pub(crate) const fn is_shadow(self) -> bool {
        matches!(self, Self::SuccessMailShadow | Self::SuccessChatShadow)
    }
}

impl Channel {
    pub(crate) const ALL: [Self; 3] = [Self::SuccessMail, Self::SuccessChat, Self::CustomerMail];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::SuccessMail => "success_mail",
            Self::SuccessChat => "success_chat",
            Self::CustomerMail => "customer_mail",
        }
    }

    pub(crate) const fn audience(self) -> Audience {
        match self {
            Self::SuccessMail | Self::SuccessChat => Audience::Success,
            Self::CustomerMail => Audience::Customer,
        }
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
