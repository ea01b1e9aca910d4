//! The same log gives the same decisions.
