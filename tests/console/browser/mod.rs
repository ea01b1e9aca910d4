//! The console's pages in a real browser, over the real binary and a simulated SendGrid: `.ci/browser` installs what it takes.

mod flows;
mod guards;
mod looks;
mod rig;
mod signing_in;
