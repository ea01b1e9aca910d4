//! What the world holds of each user, and how it is told what became of mail.

use jiff::tz::TimeZone;
use serde_json::Value;

use super::poster::{Clock, Poster, PosterError, Retries};
use super::user::User;
use super::world::World;

impl World {
    /// A subuser's own, or the account's.
    pub(super) fn user(&mut self, subuser: Option<String>) -> &mut User {
        self.users.entry(subuser).or_default()
    }

    /// Tells of an event that happened to a mail of a subuser, or of the account itself: it counts in statistics, and may
    /// put its address on a list of suppressions. What is no event with a time is passed over.
    pub fn tell(&mut self, subuser: Option<&str>, event: &str) {
        let Ok(event) = serde_json::from_str::<Value>(event) else { return };
        let Some(seconds) = event.get("timestamp").and_then(Value::as_i64) else { return };
        let Ok(moment) = jiff::Timestamp::from_second(seconds) else { return };
        let user = self.user(subuser.map(str::to_owned));
        user.suppressions.tell(&event, seconds);
        user.tallies.tell(&event, moment.to_zoned(TimeZone::UTC).date());
    }

    /// The webhooks of a subuser, or of the account itself, the oldest first: their ids.
    pub fn webhooks(&self, subuser: Option<&str>) -> Vec<String> {
        let user = self.users.get(&subuser.map(str::to_owned));
        user.map(|user| user.webhooks.all().iter().map(|webhook| webhook.id.clone()).collect()).unwrap_or_default()
    }

    /// Posts to a webhook's URL, signed with its key where signing is on; none for a webhook that there is not.
    ///
    /// # Errors
    ///
    /// [`PosterError::Client`].
    pub fn poster(
        &self,
        subuser: Option<&str>,
        webhook: &str,
        retries: Retries,
        clock: Clock,
    ) -> Result<Option<Poster>, PosterError> {
        let user = self.users.get(&subuser.map(str::to_owned));
        let Some(webhook) = user.and_then(|user| user.webhooks.get(Some(webhook))) else { return Ok(None) };
        Poster::with(&webhook.url, webhook.signer.clone(), retries, clock).map(Some)
    }
}
