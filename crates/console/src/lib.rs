//! The operators' HTTP API.
