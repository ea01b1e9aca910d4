//! What a customer's standing should be, and why.
//!
//! A [`Policy`] is read from a TOML file and judges one [`Case`] at a time: a customer's counts, its place on the ladder
//! and the fleet's counts come in; a [`Judgement`] with its evidence goes out. A pure function: it reads no clock and
//! remembers nothing; who asks keeps the state.
//!
//! Along the flow: the file (`file`) gives rules (`rule`) about signals (`signal`), a false-alarm budget (`budget`), the
//! ladder, the pilot phase and limits of the account. A case is judged (`judge`) by tallies (`tally`) of the customer's mail
//! with incidents set aside (`incident`), which a rule measures (`measure`) by the exact binomial tail ([`tail`]) or by the
//! stretch of mail that speaks most (`stretch`, [`likelihood`]). Rates are never judged raw, so that few mails convict
//! nobody; how many do (`conviction`), and whatever else a policy will do, it says in plain words (`words`).

mod budget;
mod case;
mod conviction;
mod file;
mod incident;
mod judge;
mod ladder;
pub mod likelihood;
mod limit;
mod measure;
mod open;
mod pilot;
mod policy;
mod ranking;
mod rule;
mod saddle;
mod signal;
mod slice;
mod stretch;
mod suspicion;
pub mod tail;
mod tally;
pub mod wald;
mod words;

pub use budget::Budget;
pub use case::{Case, Excused, Mail, Moment, Visit};
pub use conviction::{MOST_TRIED, Sending};
pub use file::{Fault, PolicyError};
pub use judge::{CALM, Judgement, Step, Verdict};
pub use ladder::OFFENCES_KEPT;
pub use limit::{Crossing, Limit, Scope, Share, Whole, hours_until, smallest_set};
pub use open::OpenIncident;
pub use pilot::Pilot;
pub use policy::Policy;
pub use ranking::{Ranked, ranking};
pub use rule::{ALTERNATIVES, Method, Rule};
pub use signal::{Base, Fraction, Signal, Trouble};
pub use slice::Slice;
pub use suspicion::Suspicions;
pub use words::Paragraph;

/// The policy that Weir comes with, as its documented file.
pub const DEFAULT: &str = include_str!("../profiles/standard.toml");

/// The policies to start from, by name: each a documented file.
pub const PROFILES: [(&str, &str); 3] = [
    ("lenient", include_str!("../profiles/lenient.toml")),
    ("standard", DEFAULT),
    ("strict", include_str!("../profiles/strict.toml")),
];
