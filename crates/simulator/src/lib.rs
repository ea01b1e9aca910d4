//! A synthetic platform of known good and bad customers, and a SendGrid that behaves like the real one.
