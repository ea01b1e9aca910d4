//! A customer, as everybody may know it, and what it really is.

use model::{CustomerId, Timestamp};

/// What a customer really is. Shares are of mails attempted, for complaints of mails delivered to providers that report
/// them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Truth {
    /// Sends wanted mail to a clean list: 0.2 to 1.5 % hard bounces, 0.1 to 0.5 % blocks, complaints up to 0.03 %.
    Good,
    /// The same with 4 to 60 mails, of which now and then one to three bounce, so that one bounce looks like many.
    SmallGood,
    /// Sends to a list that it bought, at least 1,000 mails (more the less bad it is), at a steady rate: 20 to 30 % hard
    /// bounces, 3 to 7 % blocks, about 1 % complaints.
    BoughtList,
    /// Sends to live addresses mail that nobody wants, at least 4,000 mails at a steady rate: 8 to 11 % complaints. Fewer
    /// mails could not be convicted within a tenth of them: complaints are late, and two in five recipients' providers
    /// send none.
    ComplaintMagnet,
    /// Its list rots away: hard bounces rise from 1 % to 20 to 26 % over two thirds of the time, and stay there.
    RottingList,
    /// Good, until somebody else sends from its account to a bought list, 20 to 30 times as fast, at least 1,500 mails:
    /// 25 to 30 % hard bounces.
    Hijacked,
}

impl Truth {
    /// Every kind.
    pub const ALL: [Self; 6] =
        [Self::Good, Self::SmallGood, Self::BoughtList, Self::ComplaintMagnet, Self::RottingList, Self::Hijacked];

    /// Whether it must be left alone.
    pub const fn is_good(self) -> bool {
        matches!(self, Self::Good | Self::SmallGood)
    }

    /// Whether it must be found before a tenth of its mail has left.
    pub const fn is_urgent(self) -> bool {
        matches!(self, Self::BoughtList | Self::ComplaintMagnet | Self::Hijacked)
    }

    /// For tables.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::SmallGood => "small and good",
            Self::BoughtList => "bought list",
            Self::ComplaintMagnet => "complaint magnet",
            Self::RottingList => "rotting list",
            Self::Hijacked => "hijacked account",
        }
    }
}

/// How a customer exists at SendGrid.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Placement {
    /// A subuser of this name.
    Subuser(String),
    /// IPs of its own in the parent's account.
    DedicatedIps(Vec<String>),
    /// Nothing of its own: the mailer asks Weir which pool to name.
    Route,
}

/// A customer of the platform.
#[derive(Clone, Debug)]
pub struct Account {
    /// Its name.
    pub id: CustomerId,
    /// What it really is.
    pub truth: Truth,
    /// How it exists at SendGrid.
    pub placement: Placement,
    /// Mails that it would send if nobody stopped it. Of a hijacked account, those that are not its own.
    pub planned_mails: usize,
    /// From when on it is bad: the first mail to a bought list or of a complaint magnet, the break-in, the moment at which
    /// a rotting list's hard bounces pass 5 %; the scenario's end for the good.
    pub bad_from: Timestamp,
}
