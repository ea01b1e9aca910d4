//! What a Weir to test stands on: its folder and ports, its process, and an office that the test gives away.
#![expect(clippy::unwrap_used, reason = "a helper of tests fails the test")]

mod elective;
mod place;
mod process;

use std::time::SystemTime;

use model::{CustomerId, Timestamp};
use simulator::platform::{Account, Placement, Truth};

pub use broker::free_port;
pub use elective::{Elective, Office};
pub use place::Site;
pub use process::{Process, new_token};

/// This moment.
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
    Timestamp::from_millis(since.as_millis().try_into().unwrap())
}

/// A name as a segment of a URL's path.
pub fn segment(name: &str) -> String {
    let mut url: reqwest::Url = "http://weir".parse().unwrap();
    url.path_segments_mut().unwrap().push(name);
    url.path().trim_start_matches('/').to_owned()
}

/// A customer that is a subuser of its own name, for a simulated SendGrid to know. What it sends is the test's to say.
pub fn subuser(name: &str) -> Account {
    Account {
        id: CustomerId::new(name).unwrap(),
        truth: Truth::Good,
        placement: Placement::Subuser(name.to_owned()),
        planned_mails: 0,
        bad_from: now(),
    }
}
