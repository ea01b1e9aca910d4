//! The console's pages in a real browser, over the real binary and a simulated SendGrid, and letters as they are read:
//! `.ci/browser` installs what it takes.

mod flows;
mod guards;
mod letters;
mod looks;
mod rig;
mod signing_in;
