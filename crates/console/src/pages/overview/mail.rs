//! The mail by provider and by pool, held against all of it.

use maud::{Markup, html};
use model::figures::thousands;
use model::{Counts, Fleet, PoolName, Provider, Window};
use policy::{Fraction, Signal};

use crate::pages::{parts, words};

/// The signals that a row shows.
pub(crate) const SHOWN: [Signal; 4] = [Signal::HardBounce, Signal::Block, Signal::Deferral, Signal::SpamReport];
/// How many times the fleet's rate is worth a mark, and bad events needed for it.
const MARKED: f64 = 2.0;
const LEAST: u32 = 5;

/// A signal's rate in the last hour and the last day.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Course {
    hour: Fraction,
    day: Fraction,
}

/// A row: a provider's or a pool's mail.
#[derive(Debug)]
pub(crate) struct Row {
    mails: [u32; 2],
    courses: [Course; SHOWN.len()],
}

impl Row {
    fn of(parts: &[(Provider, Counts, Counts)]) -> Self {
        let mails = |count: fn(&(Provider, Counts, Counts)) -> &Counts| {
            parts.iter().map(|part| count(part).attempted()).fold(0, u32::saturating_add)
        };
        let sum = |signal: Signal, count: fn(&(Provider, Counts, Counts)) -> &Counts| {
            let fractions = parts.iter().map(|part| signal.fraction(part.0, count(part)));
            fractions.fold(Fraction::default(), Fraction::plus)
        };
        let course = |signal| Course { hour: sum(signal, |part| &part.1), day: sum(signal, |part| &part.2) };
        Self { mails: [mails(|part| &part.1), mails(|part| &part.2)], courses: SHOWN.map(course) }
    }

    /// Of one provider.
    pub(crate) fn provider(fleet: &Fleet, provider: Provider) -> Self {
        let [hour, day] = [Window::Hour, Window::Day].map(|window| fleet.provider(window, provider));
        Self::of(&[(provider, hour, day)])
    }

    /// Of all providers.
    pub(crate) fn all(fleet: &Fleet) -> Self {
        let part = |provider| {
            let [hour, day] = [Window::Hour, Window::Day].map(|window| fleet.provider(window, provider));
            (provider, hour, day)
        };
        Self::of(&Provider::ALL.map(part))
    }

    /// Of one pool. Its counts know no provider: complaints are held against all mail delivered from it.
    pub(crate) fn pool(fleet: &Fleet, pool: &PoolName) -> Self {
        let of = |window| {
            let counts = fleet.windows.get(&window).and_then(|counts| counts.pools.get(pool));
            counts.copied().unwrap_or(Counts::ZERO)
        };
        Self::of(&[(Provider::Other, of(Window::Hour), of(Window::Day))])
    }

    /// Whether it has any mail.
    pub(crate) fn is_empty(&self) -> bool {
        self.mails[1] == 0
    }

    pub(crate) fn day(&self) -> u32 {
        self.mails[1]
    }
}

/// A table of rows; `all` is held beside them, as its last one.
pub(crate) fn table(caption: &str, what: &str, rows: &[(Markup, Row)], all: &Row) -> Markup {
    let table = html! {
        table class="figures" {
            caption { (caption) }
            thead {
                tr {
                    th scope="col" rowspan="2" { (what) }
                    th scope="colgroup" colspan="2" class="number" { "Mails" }
                    @for signal in SHOWN { th scope="colgroup" colspan="2" class="number" { (words::signal(signal)) } }
                }
                tr { @for _ in 0..=SHOWN.len() { th scope="col" class="number" { "1 h" } th scope="col" class="number" { "24 h" } } }
            }
            tbody { @for (name, row) in rows { (line(name, row, Some(all))) } }
            tfoot { (line(&html! { "All mail" }, all, None)) }
        }
    };
    parts::scrolling(caption, &table)
}

fn line(name: &Markup, row: &Row, all: Option<&Row>) -> Markup {
    html! {
        tr {
            th scope="row" { (name) }
            @for mails in row.mails { (parts::number(mails)) }
            @for (index, course) in row.courses.iter().enumerate() {
                @let beside = all.and_then(|all| all.courses.get(index));
                (cell(course.hour, beside.map(|course| course.hour)))
                (cell(course.day, beside.map(|course| course.day)))
            }
        }
    }
}

/// A rate, marked where it is much above that of all mail.
fn cell(own: Fraction, all: Option<Fraction>) -> Markup {
    let times = all.filter(|_| own.hits >= LEAST).and_then(|all| {
        let is_marked = own.rate() >= MARKED * all.rate();
        words::times(own.rate(), all.rate()).filter(|_| is_marked)
    });
    let title = format!("{} of {}", thousands(own.hits), thousands(own.mails));
    html! {
        td class={ "number" @if times.is_some() { " high" } } title=(title) {
            (words::rate(own))
            @if let Some(times) = times { " " span class="times" { (times) span class="unseen" { " as much as all mail" } } }
        }
    }
}
