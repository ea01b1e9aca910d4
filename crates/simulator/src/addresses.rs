//! Which IPs the shared pools have: the platform says in its events from which one a mail left, SendGrid's API says in
//! which pool it is.

/// The pool in which everybody begins.
pub(crate) const HOME: &str = "good-1";
/// The quarantine pool.
pub(crate) const QUARANTINE: &str = "quarantine";

pub(crate) const HOME_IPS: [&str; 3] = ["192.0.2.1", "192.0.2.2", "192.0.2.3"];
pub(crate) const QUARANTINE_IPS: [&str; 2] = ["192.0.2.201", "192.0.2.202"];

/// The pool's IPs; those of the good pool for mail that names none, or one that was made later.
pub(crate) fn of_pool(pool: Option<&str>) -> &'static [&'static str] {
    if pool == Some(QUARANTINE) { &QUARANTINE_IPS } else { &HOME_IPS }
}
