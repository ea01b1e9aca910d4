//! Where a customer is in its life on the platform.

use std::fmt;

use serde::{Deserialize, Serialize};

/// Where a customer is in its life on the platform: an axis apart from [`Stage`](crate::Stage).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
#[serde(rename_all = "snake_case")]
pub enum Phase {
    /// Asked to join.
    Applied,
    /// Being looked at.
    Vetting,
    /// Sends a little, to show how it sends.
    Pilot,
    /// A full customer.
    #[default]
    Active,
    /// Left.
    Offboarded,
}

/// Why a customer can't go into a phase.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PhaseRefused {
    /// It is there.
    #[error("the customer's phase is {0} already")]
    Already(Phase),
    /// No such way exists.
    #[error("a customer can't go from {from} to {to}; from {from} it can go to {}", to_all(*.from))]
    NoWay {
        /// The phase that it is in.
        from: Phase,
        /// The phase that was asked for.
        to: Phase,
    },
    /// Nobody begins there.
    #[error("Weir does not know the customer, and nobody begins as {0}: begin with applied, pilot or active")]
    NoBeginning(Phase),
}

impl Phase {
    /// Every phase, in the order of a life.
    pub const ALL: [Self; 5] = [Self::Applied, Self::Vetting, Self::Pilot, Self::Active, Self::Offboarded];

    /// The name in JSON.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Vetting => "vetting",
            Self::Pilot => "pilot",
            Self::Active => "active",
            Self::Offboarded => "offboarded",
        }
    }

    /// Whether a customer in it sends mail.
    pub const fn sends(self) -> bool {
        matches!(self, Self::Pilot | Self::Active)
    }

    /// The phases that follow this one.
    pub const fn next(self) -> &'static [Self] {
        match self {
            Self::Applied => &[Self::Vetting, Self::Offboarded],
            Self::Vetting => &[Self::Pilot, Self::Offboarded],
            Self::Pilot => &[Self::Active, Self::Offboarded],
            Self::Active => &[Self::Pilot, Self::Offboarded],
            Self::Offboarded => &[Self::Vetting],
        }
    }

    /// The phase of a customer that is put into `to`; `from` is `None` for one that Weir does not know.
    ///
    /// # Errors
    ///
    /// [`PhaseRefused`], where a customer does not go that way.
    pub fn change(from: Option<Self>, to: Self) -> Result<Self, PhaseRefused> {
        match from {
            None if matches!(to, Self::Applied | Self::Pilot | Self::Active) => Ok(to),
            None => Err(PhaseRefused::NoBeginning(to)),
            Some(from) if from == to => Err(PhaseRefused::Already(to)),
            Some(from) if from.next().contains(&to) => Ok(to),
            Some(from) => Err(PhaseRefused::NoWay { from, to }),
        }
    }
}

fn to_all(from: Phase) -> String {
    from.next().iter().map(|next| next.name()).collect::<Vec<_>>().join(" or ")
}

impl fmt::Display for Phase {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_customer_goes_only_where_its_phase_leads() {
        let ways: Vec<_> = Phase::ALL
            .into_iter()
            .flat_map(|from| Phase::ALL.map(|to| (from, to)))
            .filter(|(from, to)| Phase::change(Some(*from), *to).is_ok())
            .map(|(from, to)| format!("{from} {to}"))
            .collect();
        let expected = [
            "applied vetting",
            "applied offboarded",
            "vetting pilot",
            "vetting offboarded",
            "pilot active",
            "pilot offboarded",
            "active pilot",
            "active offboarded",
            "offboarded vetting",
        ];
        assert_eq!(ways, expected);
    }

    #[test]
    fn a_refusal_says_where_the_customer_can_go() {
        let refused = Phase::change(Some(Phase::Active), Phase::Applied).unwrap_err();
        let said = "a customer can't go from active to applied; from active it can go to pilot or offboarded";
        assert_eq!(refused.to_string(), said);
        assert_eq!(Phase::change(Some(Phase::Pilot), Phase::Pilot), Err(PhaseRefused::Already(Phase::Pilot)));
        assert_eq!(Phase::change(None, Phase::Vetting), Err(PhaseRefused::NoBeginning(Phase::Vetting)));
        assert_eq!(Phase::change(None, Phase::Applied), Ok(Phase::Applied));
    }
}
