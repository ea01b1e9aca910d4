//! The kinds of customers, and the truth about each.

use serde::Serialize;

macro_rules! kinds {
    ($($variant:ident $name:literal $good:literal $doc:literal),* $(,)?) => {
        /// What a customer really is.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
        #[serde(rename_all = "snake_case")]
        pub enum Kind { $(#[doc = $doc] $variant),* }

        impl Kind {
            /// Every kind.
            pub const ALL: [Self; [$($name),*].len()] = [$(Self::$variant),*];

            /// For tables.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$variant => $name),* }
            }

            /// Whether it must be left alone.
            pub const fn is_good(self) -> bool {
                match self { $(Self::$variant => $good),* }
            }

            /// The truth about it, in a sentence.
            pub const fn truth(self) -> &'static str {
                match self { $(Self::$variant => $doc),* }
            }
        }
    };
}

kinds! {
    Good "good" true
        "Wanted mail to a clean list, its size by Zipf's law: 0.2 to 1.5 % hard bounces, complaints up to 0.03 %.",
    SmallGood "small good" true
        "The same with about 4 to 60 mails a month; one in three has one to three dead addresses.",
    WeeklyGood "weekly good" true
        "The same with one campaign a week and nothing between.",
    SeasonalPeak "seasonal peak" true
        "The same with ten times its mail on three days, to older addresses: 2 to 3 % hard bounces.",
    SoftBounces "business with soft bounces" true
        "Companies' mailboxes: 5 to 12 % full mailboxes and technical failures, 20 % of its mail is greylisted.",
    Transactional "transactional" true
        "Receipts and passwords around the clock: 0.1 to 0.4 % hard bounces, hardly a complaint.",
    OutageHit "in an outage" true
        "Good, and most of its recipients are with the providers that have outages.",
    ListedPool "in a listed pool" true
        "Good, and its pool's IPs stand on a blocklist for a day.",
    BoughtList "bought list" false
        "12 to 30 % hard bounces, 0.5 to 1.5 % complaints, 3 to 7 % blocks, from its first mail on.",
    ComplaintMagnet "complaint magnet" false
        "Live addresses that never asked for its mail: 2 to 6 % complaints of mail that can be complained of.",
    LateComplaints "late complaints" false
        "The same, but every complaint comes two to four days late.",
    Hijacked "hijacked account" false
        "Good, until somebody else sends 12 to 20 times as much from its account to a bought list.",
    SlowRot "slow rot" false
        "1,500 to 6,000 mails a day to a list that rots: hard bounces rise from 1 % to 8 to 10 % over the month.",
    SlowDrip "slow drip" false
        "10 to 30 mails a day, 12 to 20 % of them hard bounces: never enough an hour for a floor of volume.",
    WeeklyBad "weekly bad" false
        "One campaign a week to a bought list: 12 to 25 % hard bounces.",
    FirstBlast "first blast" false
        "Brand new; everything it has to a bought list, within an hour or two.",
    SharedList "shared list" false
        "Two customers that send to the same bad list at the same time: 12 to 25 % hard bounces.",
    Mixture "bad among good" false
        "Hides a bought list among good mail: 7 to 9 % hard bounces altogether.",
    StopAndGo "stop and go" false
        "A bought list for two days, three days of silence, and again.",
}
