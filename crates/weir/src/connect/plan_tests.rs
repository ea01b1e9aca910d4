//! What is planned for what is found.

use sendgrid::api::{Id, Webhook, WebhookEvent};
use sendgrid::webhook::CustomerRule;

use super::address::Base;
use super::found::UserFound;
use super::plan::{FRIENDLY_NAME, Ground, NoPlan, Plan, Step, plan};
use super::receipt::{Before, Receipt, WebhookRecord};
use super::user::User;
use crate::config::ConfiguredSource;

const BASE: &str = "https://weir.example";
const URL: &str = "https://weir.example/webhooks/sendgrid/sendgrid";

fn webhook(id: &str, url: &str) -> Webhook {
    Webhook {
        id: Id::new(id),
        url: url.to_owned(),
        enabled: true,
        events: WebhookEvent::ALL.into(),
        friendly_name: None,
        oauth_client_id: None,
        oauth_token_url: None,
        public_key: Some("K".to_owned()),
    }
}

fn found(user: User, webhooks: Vec<Webhook>) -> UserFound {
    UserFound { user, webhooks, most: Some(2) }
}

fn source(name: &str, subuser: Option<&str>, keys: &[&str]) -> ConfiguredSource {
    let keys = keys.iter().map(|&key| key.to_owned()).collect();
    ConfiguredSource { name: name.to_owned(), subuser: subuser.map(str::to_owned), keys }
}

fn acme() -> User {
    User::new(Some("acme".to_owned()))
}

fn receipt(records: impl IntoIterator<Item = WebhookRecord>) -> Receipt {
    let mut receipt = Receipt::new("https://api.example.com");
    records.into_iter().for_each(|record| receipt.begin(record));
    receipt
}

fn record(id: Option<&str>, url: &str, before: Option<Before>) -> WebhookRecord {
    let (source, url, id) = ("sendgrid".to_owned(), url.to_owned(), id.map(str::to_owned));
    WebhookRecord { subuser: None, source, url, id, before, arrived: true, going: false }
}

fn planned(users: &[UserFound], sources: &[ConfiguredSource], receipt: &Receipt) -> Result<Plan, NoPlan> {
    let (base, customer): (Base, _) = (BASE.parse().unwrap(), CustomerRule::Pool);
    plan(users, Ground { base: &base, sources, customer: &customer, receipt })
}

/// The steps for the account's own webhook.
fn steps(webhooks: Vec<Webhook>, sources: &[ConfiguredSource]) -> Vec<Step> {
    let plan = planned(&[found(User::OWN, webhooks)], sources, &receipt([])).unwrap();
    plan.steps.into_iter().map(|(_, step)| step).collect()
}

#[test]
fn where_nothing_is_everything_is_made_and_turned_on_last() {
    let users = [found(User::OWN, vec![webhook("9", "https://other.example/")]), found(acme(), Vec::new())];
    let plan = planned(&users, &[], &receipt([])).unwrap();
    let each = [Step::Create, Step::Sign, Step::AddSource, Step::TurnOn];
    let steps: Vec<_> = [0, 1].into_iter().flat_map(|place| each.map(|step| (place, step))).collect();
    assert_eq!((plan.steps.as_slice(), plan.untested()), (steps.as_slice(), vec![0, 1]));
    let [own, acme] = plan.targets.as_slice() else { panic!("{:?}", plan.targets) };
    assert_eq!((own.source.as_str(), own.url.as_str(), &own.customer), ("sendgrid", URL, &CustomerRule::Pool));
    assert_eq!(acme.source, "sendgrid-acme");
    assert!(matches!(&acme.customer, CustomerRule::Fixed(customer) if customer.as_str() == "acme"));
}

#[test]
fn only_what_is_missing_is_done() {
    let whole = source("sendgrid", None, &["K"]);
    let without = |change: fn(&mut Webhook)| {
        let mut webhook = webhook("1", URL);
        change(&mut webhook);
        vec![webhook]
    };
    assert_eq!(steps(without(|_| ()), std::slice::from_ref(&whole)), []);
    assert_eq!(steps(without(|_| ()), &[]), [Step::AddSource]);
    assert_eq!(steps(without(|_| ()), &[source("sendgrid", None, &["old"])]), [Step::AddKey]);
    assert_eq!(steps(without(|webhook| webhook.enabled = false), std::slice::from_ref(&whole)), [Step::TurnOn]);
    let fewer = without(|webhook| webhook.events.retain(|event| *event != WebhookEvent::Bounce));
    assert_eq!(steps(fewer, std::slice::from_ref(&whole)), [Step::TurnOn]);
    let undocumented = without(|webhook| webhook.events.retain(|event| *event != WebhookEvent::AccountStatusChange));
    assert_eq!(steps(undocumented, std::slice::from_ref(&whole)), [], "SendGrid may not heed it");
    assert_eq!(steps(without(|webhook| webhook.public_key = None), &[whole]), [Step::Sign, Step::AddKey]);
}

#[test]
fn a_source_that_is_there_is_used_whatever_its_name() {
    let main = webhook("1", "https://weir.example/webhooks/sendgrid/main");
    assert_eq!(steps(vec![main.clone()], &[source("main", None, &["K"])]), []);
    let by_subuser = source("a", Some("acme"), &["K"]);
    let plan = planned(&[found(acme(), Vec::new())], &[by_subuser], &receipt([])).unwrap();
    assert_eq!(plan.targets[0].source, "a");
    assert!(plan.steps.contains(&(0, Step::AddKey)));
    let taken = source("sendgrid-acme", None, &["K"]);
    let plan = planned(&[found(acme(), Vec::new())], &[taken], &receipt([])).unwrap();
    assert_eq!(plan.targets[0].source, "sendgrid-acme-2", "that one is not said to be acme's");
}

#[test]
fn how_a_webhook_was_at_first_is_what_counts() {
    let sources = [source("sendgrid", None, &["K"])];
    let before = |records: Vec<WebhookRecord>, webhook: Webhook| {
        let plan = planned(&[found(User::OWN, vec![webhook])], &sources, &receipt(records)).unwrap();
        plan.targets[0].before.clone()
    };
    let now = Before::of(&webhook("1", URL));
    let first = Before { enabled: false, ..now.clone() };
    assert_eq!(before(vec![], webhook("1", URL)), Some(now.clone()), "others made it");
    assert_eq!(before(vec![record(Some("1"), URL, Some(first.clone()))], webhook("1", URL)), Some(first));
    assert_eq!(before(vec![record(Some("1"), URL, None)], webhook("1", URL)), None, "Weir made it");
    assert_eq!(before(vec![record(Some("2"), URL, None)], webhook("1", URL)), Some(now.clone()), "made anew by others");
    let named = Webhook { friendly_name: Some(FRIENDLY_NAME.to_owned()), ..webhook("1", URL) };
    assert_eq!(before(vec![record(None, URL, None)], named), None, "interrupted while it was made");
    assert_eq!(before(vec![record(None, URL, None)], webhook("1", URL)), Some(now), "made by others meanwhile");
}

#[test]
fn a_webhook_that_weir_made_moves_along_with_the_address() {
    let old = "https://old.example/webhooks/sendgrid/sendgrid";
    let sources = [source("sendgrid", None, &["K"])];
    let plan =
        planned(&[found(User::OWN, vec![webhook("1", old)])], &sources, &receipt([record(Some("1"), old, None)]));
    assert_eq!(plan.unwrap().steps, [(0, Step::TurnOn)]);
    let theirs = planned(&[found(User::OWN, vec![webhook("1", old)])], &sources, &receipt([])).unwrap();
    assert_eq!(theirs.steps[0], (0, Step::Create), "others' are left alone");
}

#[test]
fn what_has_not_arrived_is_tested_again() {
    let (users, sources) = ([found(User::OWN, vec![webhook("1", URL)])], [source("sendgrid", None, &["K"])]);
    let untested = |arrived| {
        let record = WebhookRecord { arrived, ..record(Some("1"), URL, None) };
        let plan = planned(&users, &sources, &receipt([record])).unwrap();
        (plan.steps.len(), plan.untested().len())
    };
    assert_eq!((untested(true), untested(false)), ((0, 0), (0, 1)));
}

#[test]
fn the_plans_limit_is_told_before_anything_is_done() {
    let others = vec![webhook("1", "https://a.example/"), webhook("2", "https://b.example/")];
    let refused = planned(&[found(acme(), others)], &[], &receipt([])).unwrap_err();
    assert_eq!(
        refused.to_string(),
        "subuser acme has 2 of the 2 webhooks that its plan allows: remove one at SendGrid first"
    );
}
