//! Every call there is, and what SendGrid documents of it.

use reqwest::Method;

/// Whether a call may be made on behalf of a subuser.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OnBehalfOf {
    /// The documents declare the header.
    Declared,
    /// They don't.
    No,
}

/// Whether a call may be made again where nobody knows what came of the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Repeat {
    /// Twice does what once does.
    Safe,
    /// Twice does something else: it creates a second thing, or adds a difference again.
    Never,
}

macro_rules! endpoints {
    ($($(#[$doc:meta])* $name:ident = $method:ident $path:literal $behalf:ident $repeat:ident;)*) => {
        /// A call: a method, and a path with names in braces. SendGrid counts calls for its rate limits by these.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Endpoint { $($(#[$doc])* $name,)* }

        impl Endpoint {
            /// All of them.
            pub const ALL: &[Self] = &[$(Self::$name,)*];

            /// Method and template, as SendGrid documents them and metrics show them.
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => concat!(stringify!($method), " ", $path),)* }
            }

            /// The method.
            pub const fn method(self) -> Method {
                match self { $(Self::$name => Method::$method,)* }
            }

            const fn row(self) -> (&'static str, OnBehalfOf, Repeat) {
                match self { $(Self::$name => ($path, OnBehalfOf::$behalf, Repeat::$repeat),)* }
            }
        }
    };
}

endpoints! {
    /// Subusers.
    Subusers = GET "/v3/subusers" No Safe;
    /// Lets a subuser send or not.
    SetDisabled = PATCH "/v3/subusers/{subuser_name}" No Safe;
    /// Subusers' reputations.
    Reputations = GET "/v3/subusers/reputations" No Safe;
    /// Subusers' statistics.
    SubuserStats = GET "/v3/subusers/stats" No Safe;
    /// A subuser's credits.
    Credits = GET "/v3/subusers/{subuser_name}/credits" No Safe;
    /// Sets how a subuser gets its credits.
    SetCredits = PUT "/v3/subusers/{subuser_name}/credits" No Safe;
    /// Adds to what is left of a subuser's credits, or takes from it.
    ChangeRemainingCredits = PATCH "/v3/subusers/{subuser_name}/credits/remaining" No Never;
    /// Replaces a subuser's IPs.
    SetSubuserIps = PUT "/v3/subusers/{subuser_name}/ips" No Safe;

    /// IPs, by the older API.
    Ips = GET "/v3/ips" No Safe;
    /// An IP, by the older API.
    Ip = GET "/v3/ips/{ip_address}" No Safe;
    /// Pools, by the older API.
    Pools = GET "/v3/ips/pools" No Safe;
    /// Creates a pool, by the older API.
    CreatePool = POST "/v3/ips/pools" No Never;
    /// A pool's IPs, by the older API.
    PoolIps = GET "/v3/ips/pools/{pool_name}" No Safe;
    /// Puts an IP into a pool, by the older API.
    AddToPool = POST "/v3/ips/pools/{pool_name}/ips" No Safe;
    /// Takes an IP out of a pool, by the older API.
    RemoveFromPool = DELETE "/v3/ips/pools/{pool_name}/ips/{ip}" No Safe;

    /// IPs, by the newer API.
    SendIps = GET "/v3/send_ips/ips" No Safe;
    /// The subusers that may send through an IP, by the newer API.
    SendIpSubusers = GET "/v3/send_ips/ips/{ip}/subusers" No Safe;
    /// Pools, by the newer API.
    SendPools = GET "/v3/send_ips/pools" No Safe;
    /// Creates a pool, by the newer API.
    CreateSendPool = POST "/v3/send_ips/pools" No Never;
    /// A pool's IPs, by the newer API.
    SendPoolIps = GET "/v3/send_ips/pools/{poolid}/ips" No Safe;
    /// Puts IPs into a pool, by the newer API.
    AddToSendPool = POST "/v3/send_ips/pools/{poolid}/ips:batchAdd" No Safe;
    /// Takes IPs out of a pool, by the newer API.
    RemoveFromSendPool = POST "/v3/send_ips/pools/{poolid}/ips:batchDelete" No Safe;

    /// Makes an id for a batch of mails.
    NewBatch = POST "/v3/mail/batch" Declared Never;
    /// The batches that are paused or cancelled.
    ScheduledSends = GET "/v3/user/scheduled_sends" Declared Safe;
    /// Whether a batch is paused or cancelled.
    ScheduledSend = GET "/v3/user/scheduled_sends/{batch_id}" Declared Safe;
    /// Pauses or cancels a batch. One that already is, is refused, and then looked at: so it may be repeated.
    StopBatch = POST "/v3/user/scheduled_sends" Declared Safe;
    /// Pauses a cancelled batch, or cancels a paused one.
    ChangeBatch = PATCH "/v3/user/scheduled_sends/{batch_id}" Declared Safe;
    /// Lets a batch be sent again.
    ResumeBatch = DELETE "/v3/user/scheduled_sends/{batch_id}" Declared Safe;

    /// Event webhooks.
    Webhooks = GET "/v3/user/webhooks/event/settings/all" Declared Safe;
    /// An event webhook.
    Webhook = GET "/v3/user/webhooks/event/settings/{id}" Declared Safe;
    /// Creates an event webhook.
    CreateWebhook = POST "/v3/user/webhooks/event/settings" Declared Never;
    /// Changes an event webhook.
    UpdateWebhook = PATCH "/v3/user/webhooks/event/settings/{id}" Declared Safe;
    /// Removes an event webhook.
    DeleteWebhook = DELETE "/v3/user/webhooks/event/settings/{id}" Declared Safe;
    /// The key that a webhook signs with.
    WebhookKey = GET "/v3/user/webhooks/event/settings/signed/{id}" Declared Safe;
    /// Has a webhook sign or not.
    SignWebhook = PATCH "/v3/user/webhooks/event/settings/signed/{id}" Declared Safe;
    /// Has SendGrid POST made-up events to an address.
    TestWebhook = POST "/v3/user/webhooks/event/test" Declared Safe;

    /// Addresses that bounced.
    Bounces = GET "/v3/suppression/bounces" Declared Safe;
    /// Mails that were blocked.
    Blocks = GET "/v3/suppression/blocks" Declared Safe;
    /// Addresses that complained.
    SpamReports = GET "/v3/suppression/spam_reports" Declared Safe;
    /// Addresses that can't exist.
    InvalidEmails = GET "/v3/suppression/invalid_emails" Declared Safe;
    /// Addresses that want no mail at all.
    Unsubscribes = GET "/v3/suppression/unsubscribes" Declared Safe;

    /// An account's statistics.
    Stats = GET "/v3/stats" Declared Safe;
    /// Statistics by mailbox provider.
    ProviderStats = GET "/v3/mailbox_providers/stats" Declared Safe;

    /// Authenticated domains.
    Domains = GET "/v3/whitelabel/domains" Declared Safe;
    /// An authenticated domain.
    Domain = GET "/v3/whitelabel/domains/{domain_id}" Declared Safe;
    /// Reverse DNS records.
    ReverseDnsRecords = GET "/v3/whitelabel/ips" Declared Safe;
    /// A reverse DNS record.
    ReverseDnsRecord = GET "/v3/whitelabel/ips/{id}" Declared Safe;

    /// What the key may do.
    Scopes = GET "/v3/scopes" Declared Safe;
    /// The account's kind and reputation.
    AccountDetails = GET "/v3/user/account" Declared Safe;
    /// The account's credits.
    AccountCredits = GET "/v3/user/credits" Declared Safe;
}

impl Endpoint {
    /// The path, with names in braces.
    pub const fn template(self) -> &'static str {
        self.row().0
    }

    /// Whether it may be made on behalf of a subuser.
    pub const fn on_behalf_of(self) -> OnBehalfOf {
        self.row().1
    }

    /// Whether it may be made again.
    pub const fn repeat(self) -> Repeat {
        self.row().2
    }
}
