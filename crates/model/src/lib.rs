//! The words everyone shares.
//!
//! The bottom of the house: every other crate speaks in these types. They hold the units and the invariants, so that a
//! wrong call does not compile. Nothing here does I/O, reads a clock or draws a random number; time comes in as a
//! [`Timestamp`].
//!
//! Along the flow: an [`Event`] is what SendGrid reported about one mail; it is counted in [`Counts`] over a [`Window`];
//! a [`Decision`] is a verdict that changed a customer's [`Stage`]; a [`Standing`] is where the customer is now.

mod account;
mod act;
mod addresses;
mod cells;
mod change;
mod command;
mod completeness;
mod contributor;
mod counts;
mod customer;
mod day;
mod decision;
mod enforcement;
mod event;
pub mod figures;
mod fleet;
mod phase;
mod position;
mod profile;
mod provider;
mod rate;
mod role;
mod sending;
mod stage;
mod standing;
mod time;
mod view;
mod window;

pub use account::{AccountStatus, AccountStatusChange};
pub use act::{Act, Deed};
pub use addresses::{bare_address, without_addresses};
pub use cells::{Cell, CellCounts, Cells, Customers};
pub use change::{PolicyChange, PolicyInForce, PolicyOrigin, PolicyView};
pub use command::{Command, Order, OrderError};
pub use completeness::{CompletenessKey, CompletenessReport, Fewer, Figure, MailAccount, MissingHour};
pub use contributor::Contributor;
pub use counts::{Counter, Counts, ProviderCounts};
pub use customer::{CustomerId, CustomerIdError};
pub use day::{Day, NoDay};
pub use decision::{Blame, Cause, Change, Decision, DecisionId, Evidence, Mode, SetAside, Test};
pub use enforcement::{
    Answer, Broken, CaseView, EnforcementKey, EnforcerMode, EnforcerModes, EnforcerStatus, Held, HeldWhy, InForce,
    Switch,
};
pub use event::{Digest, Event, EventKind};
pub use fleet::{Fleet, FleetCounts, Tick};
pub use phase::{Phase, PhaseRefused};
pub use position::{Offset, PartitionId, Position};
pub use profile::{CustomerNote, PilotStep, Pin, Profile, Released};
pub use provider::Provider;
pub use rate::Rate;
pub use role::Role;
pub use sending::Sending;
pub use stage::Stage;
pub use standing::{PoolName, Reason, Standing};
pub use time::{Millis, NoMoment, NoSpan, Timestamp};
pub use view::{CustomerView, Series, SeriesPoint};
pub use window::{Bucket, Grain, Window};
