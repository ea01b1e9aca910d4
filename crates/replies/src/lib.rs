//! Classifies what mail servers answer when they refuse a mail: the cause, and who is charged with it.
//!
//! A server gives its reason in a status code and in words. The words tell more: `550` may mean an address that does not exist, a full
//! mailbox, a blocklist entry or a broken signature. A [`ReplyTable`] is data: an ordered list of rules with phrases. A reply that no
//! phrase matches is classified by its enhanced status code, or else is unknown. [`template()`] groups unknown replies of one kind.
//!
//! Strangers write the replies. So the table searches a bounded prefix once, for all phrases together, and uses no regular
//! expressions.

mod cause;
mod classification;
mod rule;
mod status;
mod table;
mod template;

pub use cause::{Cause, ChargedTo};
pub use classification::Classification;
pub use rule::Rule;
pub use status::enhanced_status;
pub use table::{READ, ReplyTable, TableError};
pub use template::template;
