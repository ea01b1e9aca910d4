//! What `weir top` shows, and what a key does to it. Drawn in `drawing`; asked for and put on the terminal elsewhere.

mod drawing;

use std::collections::{BTreeMap, VecDeque};

use model::{Decision, Stage, Standing, Timestamp};

pub(crate) use self::drawing::{as_text, draw};
use super::enforcement::Status;

/// Decisions kept: more than any terminal has lines.
const KEPT: usize = 200;

/// How all is at one moment.
#[derive(Debug)]
pub(crate) struct Snapshot {
    pub(crate) enforcement: Status,
    pub(crate) stages: BTreeMap<Stage, u64>,
    /// When the scorers last told of their counts.
    pub(crate) as_of: Option<Timestamp>,
    /// The worst first.
    pub(crate) customers: Vec<Standing>,
    /// Records that are not counted yet; nothing where this process does not tell.
    pub(crate) lag: Option<u64>,
}

/// What comes in while it is watched.
#[derive(Debug)]
pub(crate) enum News {
    /// How all is now.
    Snapshot(Box<Snapshot>),
    /// Decisions in the order in which they were made.
    Decisions(Vec<Decision>),
    /// A customer's page.
    Customer { name: String, page: String },
    /// Weir does not answer, or not as it should.
    Trouble(String),
}

/// A key that means something.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Key {
    Up,
    Down,
    PageUp,
    PageDown,
    Enter,
    Back,
    Quit,
}

/// What is to be done about a key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Stay,
    /// Ask for this customer's page.
    Ask(String),
    Quit,
}

/// A customer's page, while it is looked at.
#[derive(Debug)]
struct Opened {
    name: String,
    /// Nothing until it has come.
    page: Option<String>,
    scrolled: u16,
}

/// All that is shown.
#[derive(Debug)]
pub(crate) struct Top {
    /// Which Weir is asked.
    base: String,
    snapshot: Option<Snapshot>,
    /// Newest first.
    decisions: VecDeque<Decision>,
    selected: usize,
    opened: Option<Opened>,
    trouble: Option<String>,
}

impl Top {
    /// Nothing known yet of the Weir at `base`.
    pub(crate) const fn new(base: String) -> Self {
        Self { base, snapshot: None, decisions: VecDeque::new(), selected: 0, opened: None, trouble: None }
    }

    /// The customer whose page is looked at.
    pub(crate) fn opened(&self) -> Option<&str> {
        self.opened.as_ref().map(|opened| opened.name.as_str())
    }

    /// Takes in what has come.
    pub(crate) fn take(&mut self, news: News) {
        match news {
            News::Snapshot(snapshot) => {
                self.keep_selected(&snapshot.customers);
                self.snapshot = Some(*snapshot);
                self.trouble = None;
            }
            News::Decisions(decisions) => {
                decisions.into_iter().for_each(|decision| self.decisions.push_front(decision));
                self.decisions.truncate(KEPT);
            }
            News::Customer { name, page } => {
                if let Some(opened) = self.opened.as_mut().filter(|opened| opened.name == name) {
                    opened.page = Some(page);
                }
            }
            News::Trouble(trouble) => self.trouble = Some(trouble),
        }
    }

    /// Does what the key means.
    pub(crate) fn press(&mut self, key: Key) -> Step {
        match (key, &mut self.opened) {
            (Key::Quit, _) => return Step::Quit,
            (Key::Up, Some(opened)) => opened.scroll(-1),
            (Key::Down, Some(opened)) => opened.scroll(1),
            (Key::PageUp, Some(opened)) => opened.scroll(-10),
            (Key::PageDown, Some(opened)) => opened.scroll(10),
            (Key::Back | Key::Enter, Some(_)) => self.opened = None,
            (Key::Up, None) => self.select(-1),
            (Key::Down, None) => self.select(1),
            (Key::PageUp, None) => self.select(-10),
            (Key::PageDown, None) => self.select(10),
            (Key::Back, None) => {}
            (Key::Enter, None) => return self.open(),
        }
        Step::Stay
    }

    fn customers(&self) -> &[Standing] {
        self.snapshot.as_ref().map_or(&[], |snapshot| snapshot.customers.as_slice())
    }

    fn open(&mut self) -> Step {
        let Some(standing) = self.customers().get(self.selected) else { return Step::Stay };
        let name = standing.customer.to_string();
        self.opened = Some(Opened { name: name.clone(), page: None, scrolled: 0 });
        Step::Ask(name)
    }

    fn select(&mut self, by: isize) {
        let last = self.customers().len().saturating_sub(1);
        self.selected = self.selected.saturating_add_signed(by).min(last);
    }

    /// The same customer stays selected, wherever it goes in the list.
    fn keep_selected(&mut self, now: &[Standing]) {
        let before = self.customers().get(self.selected).map(|standing| &standing.customer);
        let place = before.and_then(|name| now.iter().position(|standing| standing.customer == *name));
        self.selected = place.unwrap_or(self.selected).min(now.len().saturating_sub(1));
    }
}

impl Opened {
    fn scroll(&mut self, by: i16) {
        let lines = self.page.as_ref().map_or(0, |page| page.lines().count());
        let last = u16::try_from(lines.saturating_sub(1)).unwrap_or(u16::MAX);
        self.scrolled = self.scrolled.saturating_add_signed(by).min(last);
    }
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::super::samples;
    use super::*;

    pub(super) fn snapshot(customers: &[(&str, &str)]) -> Snapshot {
        let enforcement = samples::read(json!({
            "modes": {"default": "approve", "by_stage": {}}, "paused": false, "switch": null, "breaker": null,
            "missing_scopes": {}, "held_back": {"approval": 2}, "in_force": 7,
        }));
        let customers = customers.iter().map(|(name, stage)| samples::read(samples::standing(name, stage))).collect();
        let stages = [(Stage::Healthy, 290), (Stage::Suspended, 1)].into();
        Snapshot { enforcement, stages, as_of: Some(samples::plain().now), customers, lag: Some(17) }
    }

    fn top() -> Top {
        let mut top = Top::new("http://weir:8081".to_owned());
        top.take(News::Snapshot(Box::new(snapshot(&[("a", "suspended"), ("b", "watch"), ("c", "healthy")]))));
        top
    }

    #[test]
    fn the_selected_customer_stays_selected_wherever_it_goes() {
        let mut top = top();
        top.press(Key::Down);
        top.take(News::Snapshot(Box::new(snapshot(&[("b", "banned"), ("a", "suspended")]))));
        assert_eq!(top.press(Key::Enter), Step::Ask("b".to_owned()));
        assert_eq!(top.press(Key::Back), Step::Stay);
        for key in [Key::PageDown, Key::Down, Key::Down] {
            top.press(key);
        }
        assert_eq!(top.press(Key::Enter), Step::Ask("a".to_owned()), "the last one is the end");
        assert_eq!(top.press(Key::Quit), Step::Quit);
    }

    #[test]
    fn a_page_that_comes_too_late_is_not_shown() {
        let mut top = top();
        top.press(Key::Enter);
        top.take(News::Customer { name: "b".to_owned(), page: "another one".to_owned() });
        assert!(top.opened.as_ref().unwrap().page.is_none());
        top.take(News::Customer { name: "a".to_owned(), page: "one\ntwo\n".to_owned() });
        for key in [Key::PageDown, Key::Down] {
            top.press(key);
        }
        assert_eq!(top.opened.as_ref().unwrap().scrolled, 1, "no further than the last line");
        for key in [Key::Up, Key::PageUp] {
            top.press(key);
        }
        assert_eq!(top.opened.as_ref().unwrap().scrolled, 0);
    }

    #[test]
    fn nothing_is_opened_where_nobody_is() {
        let mut top = Top::new(String::new());
        assert_eq!([Key::Down, Key::Enter, Key::Back].map(|key| top.press(key)), [Step::Stay, Step::Stay, Step::Stay]);
    }

    #[test]
    fn decisions_are_kept_newest_first_and_not_for_ever() {
        let mut top = top();
        for number in 0..KEPT + 7 {
            top.take(News::Decisions(vec![samples::read(samples::decision(&format!("c{number}")))]));
        }
        assert_eq!(top.decisions.len(), KEPT);
        assert_eq!(top.decisions[0].customer.as_str(), format!("c{}", KEPT + 6));
    }
}
