//! Whatever goes wrong at SendGrid and whenever the process is killed, SendGrid becomes what the last standings say.
//!
//! The enforcer is a process of its own (`process`) that is killed at random calls; SendGrid is simulated in this one, so that
//! its faults, its state and its history are at hand. Two hundred customers (`fleet`) get random standings (`standings`); what
//! SendGrid has to look like then is said anew in `wanted`, without the enforcer's own code.
//!
//! `WEIR_FAULTS_SEED` and `WEIR_FAULTS_SEQUENCES` (for each customer) have it run as somebody else saw it, or for longer.

mod convergence;
mod fleet;
mod history;
mod process;
mod run;
mod shadow;
mod standings;
mod wanted;
