//! Making one call, and what follows from its success or failure.

use model::Standing;
use sendgrid::api::{self, Client, Refusal};
use tokio::time::Instant;

use crate::action::Outcome;
use crate::plan::Call;
use crate::{Enforcer, Error, reconcile};

impl Enforcer {
    /// Makes one call and records it; whether it succeeded.
    pub(crate) async fn call(&mut self, client: &Client, standing: &Standing, call: Call) -> Result<bool, Error> {
        let mut span = self.span(&standing.customer, call.name());
        let made = reconcile::make(client, &call).await;
        if let (Some(span), Err(error)) = (&mut span, &made) {
            span.fail(error.to_string());
        }
        drop(span);
        let is_doubtful = made.as_ref().is_err_and(may_have_happened);
        if is_doubtful {
            self.recent.doubt(&standing.customer, Instant::now());
        }
        if made.is_ok() || (is_doubtful && matches!(call, Call::RemoveFromPool { .. })) {
            // An IP that may be out of a pool counts as out, so that the last one stays.
            self.recent.note(call.clone(), Instant::now());
        }
        match made {
            Ok(()) => {
                self.succeeded().await?;
                self.record(self.action(standing, Outcome::Done, Some(call))).await?;
                Ok(true)
            }
            Err(error) => {
                self.failed(standing, Some(call), &error).await?;
                Ok(false)
            }
        }
    }

    pub(crate) async fn succeeded(&mut self) -> Result<(), Error> {
        if self.breaker.succeeded() {
            tracing::info!("SendGrid answers again");
            self.say_broken(None).await?;
        }
        Ok(())
    }

    /// A call failed, or looking did: it is recorded, and tried again later.
    pub(crate) async fn failed(
        &mut self,
        standing: &Standing,
        call: Option<Call>,
        error: &api::Error,
    ) -> Result<(), Error> {
        let mut action = self.action(standing, Outcome::Failed, call);
        action.reason = Some(error.to_string());
        self.record(action).await?;
        if is_sendgrids(error) && self.breaker.failed(Instant::now()) {
            tracing::error!(%error, "SendGrid fails too often: no call is made for a while");
            self.say_broken(Some(error.to_string())).await?;
        }
        match error.retry_after() {
            Some(wait) => self.queue.later(&standing.customer, wait),
            None => self.queue.again(&standing.customer),
        }
        Ok(())
    }
}

/// Whether it is SendGrid that fails, or the key, and not what was asked.
const fn is_sendgrids(error: &api::Error) -> bool {
    match error {
        api::Error::Refused { refusal, .. } => !matches!(refusal, Refusal::NotFound | Refusal::Invalid),
        api::Error::RateLimited { .. } | api::Error::NoSuch { .. } | api::Error::Name { .. } => false,
        _ => true,
    }
}

/// Whether SendGrid may have done what was asked all the same: a call is tried several times, and the error tells of the last
/// try.
const fn may_have_happened(error: &api::Error) -> bool {
    !matches!(error, api::Error::NoSuch { .. } | api::Error::Name { .. } | api::Error::Config(_))
}
