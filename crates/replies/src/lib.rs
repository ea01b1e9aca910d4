//! What a mail server's refusal means: its cause, and who is to be charged with it.
//!
//! Servers say why they refuse a mail in a status code and in words of their own. The words tell more: `550` may be an
//! address that does not exist, a full mailbox, a blocklist or a broken signature. A [`Table`] of phrases, which is data, says
//! which is which. What no rule of it knows is told by its enhanced status code, and otherwise unknown; [`template()`]
//! brings unknown replies of one kind together.
//!
//! The text is a stranger's: so much of it is read as a reply may have, in one pass, without regular expressions.

mod cause;
mod reading;
mod rule;
mod status;
mod table;
mod template;

pub use cause::{Cause, ChargedTo};
pub use reading::Reading;
pub use rule::Rule;
pub use status::enhanced_status;
pub use table::{Table, TableError};
pub use template::template;
