//! What stands between a decision and its being carried out: the hour's limits, a person's word, the pause; and what becomes
//! of a change by hand.

mod approval;
mod drift;
mod house;
mod limits;
mod pause;
