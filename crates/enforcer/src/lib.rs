//! Makes SendGrid's state equal to the standings, and records each call.
