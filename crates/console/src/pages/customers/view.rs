//! The customers as HTML.

use maud::{Markup, html};
use model::figures::thousands;
use model::{Phase, Stage, Timestamp};

use super::{Customers, Wanted};
use crate::index::Listed;
use crate::pages::{parts, words};

pub(super) fn customers(customers: &Customers, now: Timestamp) -> Markup {
    html! {
        h1 { "Customers" }
        (search(customers))
        (stages(customers))
        @if customers.page.items.is_empty() {
            (parts::nothing(if customers.wanted.is_narrow() { "Nobody is like that." } else { "No customer's mail was ever seen." }))
        } @else {
            (parts::scrolling("Customers", &table(&customers.page.items, now)))
        }
        @if let Some(next) = &customers.page.next {
            nav class="pages" aria-label="More customers" { a class="button" rel="next" href=(customers.wanted.path(&next.cursor())) { "Next" } }
        }
    }
}

fn search(customers: &Customers) -> Markup {
    let wanted = &customers.wanted;
    html! {
        form class="act search" method="get" action="/customers" role="search" {
            label class="field grow" { span { "Part of the name" } input type="search" name="search" value=(wanted.search) maxlength="256" autocomplete="off"; }
            label class="field" { span { "Stage" } select name="stage" {
                option value="" { "any" }
                @for stage in Stage::ALL { option value=(stage.name()) selected[customers.stage == Some(stage)] { (stage.name()) } }
            } }
            label class="field" { span { "Phase" } select name="phase" {
                option value="" { "any" }
                @for phase in Phase::ALL { option value=(phase.name()) selected[customers.phase == Some(phase)] { (phase.name()) } }
            } }
            label class="field" { span { "Pool" } select name="pool" {
                option value="" { "any" }
                @for pool in &customers.pools { option value=(pool) selected[pool.as_str() == wanted.pool] { (pool) } }
            } }
            button class="strong" type="submit" { "Show" }
            @if wanted.is_narrow() { a class="button" href="/customers" { "Everybody" } }
        }
    }
}

/// How many there are at each stage, each a link to them.
fn stages(customers: &Customers) -> Markup {
    html! {
        nav aria-label="By stage" { ul class="inline" {
            @for stage in Stage::ALL {
                @let count = customers.stages.get(&stage).copied().unwrap_or(0);
                li { a href=(customers.wanted.at(stage)) aria-current=[(customers.stage == Some(stage)).then_some("true")] {
                    (parts::stage(stage)) " " span class="soft" { (thousands(count)) }
                } }
            }
        } }
    }
}

fn table(customers: &[Listed], now: Timestamp) -> Markup {
    html! {
        table class="figures" {
            caption { "By risk: the stage, then harm done now, then mail" }
            thead { tr {
                th scope="col" { "Customer" } th scope="col" { "Stage" } th scope="col" { "Since" }
                th scope="col" class="number" { "Mails 24 h" } th scope="col" class="number" { "× fleet" }
                th scope="col" { "Pool" } th scope="col" { "Phase" } th scope="col" { "Why" }
            } }
            tbody { @for listed in customers { (row(listed, now)) } }
        }
    }
}

fn row(listed: &Listed, now: Timestamp) -> Markup {
    let standing = &listed.standing;
    html! {
        tr {
            th scope="row" { (parts::customer(&standing.customer)) }
            td { (parts::stage(standing.stage)) @if standing.held { " " span class="tag" { "held" } } }
            td { (parts::ago(standing.since, now)) }
            (parts::number(standing.sent_24h))
            td class={ "number" @if listed.times_the_fleet >= 5.0 { " high" } } {
                @if listed.times_the_fleet > 0.0 { (format!("{:.1}", listed.times_the_fleet)) } @else { "–" }
            }
            td { @if let Some(pool) = &standing.pool { bdi { (pool) } } @else { "–" } }
            td { (standing.phase.name()) }
            td class="why" { @if let Some(reason) = standing.reasons.first() { bdi { (reason.text) } } @else { "–" } }
        }
    }
}

impl Wanted {
    /// Whether anything is asked for but everybody.
    fn is_narrow(&self) -> bool {
        [&self.search, &self.stage, &self.phase, &self.pool].into_iter().any(|asked| !asked.is_empty())
    }

    /// The page behind `cursor` of the same customers.
    fn path(&self, cursor: &str) -> String {
        self.query(&self.stage, cursor)
    }

    /// The same customers, at `stage`.
    fn at(&self, stage: Stage) -> String {
        self.query(stage.name(), "")
    }

    fn query(&self, stage: &str, cursor: &str) -> String {
        let asked = [("search", self.search.as_str()), ("stage", stage), ("phase", &self.phase), ("pool", &self.pool)];
        let asked = asked.into_iter().chain([("after", cursor)]).filter(|(_, value)| !value.is_empty());
        let asked: Vec<_> = asked.map(|(name, value)| format!("{name}={}", words::encoded(value))).collect();
        format!("/customers?{}", asked.join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_asks_for_the_same_customers_whatever_is_in_their_names() {
        let wanted = Wanted { search: "a&b=c".to_owned(), pool: "good 1".to_owned(), ..Wanted::default() };
        assert_eq!(wanted.path("x"), "/customers?search=a%26b%3Dc&pool=good%201&after=x");
        assert_eq!(wanted.at(Stage::Watch), "/customers?search=a%26b%3Dc&stage=watch&pool=good%201");
    }
}
