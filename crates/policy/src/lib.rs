//! What a customer's standing should be, and why.
