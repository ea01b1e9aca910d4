//! Whole-system suites: one file a promise.
