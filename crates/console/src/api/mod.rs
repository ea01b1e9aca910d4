//! The operators' HTTP API.

pub(crate) mod approvals;
pub(crate) mod commands;
pub(crate) mod completeness;
pub(crate) mod customers;
pub(crate) mod decisions;
pub(crate) mod enforcer;
pub(crate) mod explanations;
pub(crate) mod fleet;
pub(crate) mod policies;
pub(crate) mod undo;
pub(crate) mod words;
