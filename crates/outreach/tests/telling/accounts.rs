//! What SendGrid does to the account is told to operators, each change once.

use model::{AccountStatus, AccountStatusChange, CustomerId, Millis};

use crate::chat::chat;
use crate::digest::with_digest;
use crate::mail_server::MailServer;
use crate::platform::{Platform, until};

#[tokio::test(flavor = "multi_thread")]
async fn a_change_is_told_by_mail_and_chat_once_also_across_restarts() {
    let (server, (url, posts), mut platform) = (MailServer::start(), chat().await, Platform::new());
    platform.start(with_digest(&server, &url)).await;
    let change = |status, hours| {
        let (customer, event) = (CustomerId::unattributed("main"), format!("e-{hours}"));
        AccountStatusChange { customer, status, at: platform.now() - Millis::hours(hours), event }
    };
    let [old, suspended, active] =
        [change(AccountStatus::Banned, 80), change(AccountStatus::Suspended, 2), change(AccountStatus::Active, 1)];
    platform.account(&old).await;
    platform.account(&suspended).await;
    until(|| server.taken().len() == 1 && posts.lock().unwrap().len() == 1).await;
    assert_eq!(server.taken()[0].header("Subject"), "SendGrid suspended the account (source main)");
    platform.stop().await;
    platform.account(&suspended).await;
    platform.start(with_digest(&server, &url)).await;
    platform.account(&active).await;
    until(|| server.taken().len() == 2 && posts.lock().unwrap().len() == 2).await;
    assert_eq!(server.taken()[1].header("Subject"), "SendGrid reactivated the account (source main)");
    platform.stop().await;
}
