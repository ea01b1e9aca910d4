//! One frame of `weir top`, into a buffer of cells.

use model::{Stage, Standing};
use ratatui::buffer::Buffer;
use ratatui::layout::{Constraint, Layout, Rect};
use ratatui::style::{Color, Modifier, Style};
use ratatui::text::{Line, Span};
use ratatui::widgets::{Paragraph, Row, StatefulWidget, Table, TableState, Widget, Wrap};

use super::super::customers::marks;
use super::super::{Look, decisions, moment, or_nothing};
use super::{Opened, Snapshot, Top};

/// Draws it all.
pub(crate) fn draw(top: &Top, look: &Look, area: Rect, buffer: &mut Buffer) {
    let [title, state, body, keys] =
        Layout::vertical([Constraint::Length(1), Constraint::Length(3), Constraint::Fill(1), Constraint::Length(1)])
            .areas(area);
    Line::from(title_words(top, look)).render(title, buffer);
    match (&top.snapshot, &top.trouble) {
        (_, Some(trouble)) => {
            let words = Paragraph::new(trouble.as_str()).wrap(Wrap { trim: true });
            words.style(alarm(look)).render(state, buffer);
        }
        (Some(snapshot), None) => Paragraph::new(how_it_is(snapshot, look)).render(state, buffer),
        (None, None) => Line::from("asking ...").render(state, buffer),
    }
    match &top.opened {
        Some(opened) => page(opened, body, buffer),
        None => lists(top, look, body, buffer),
    }
    let told = if top.opened.is_some() { "up down: scroll   esc: back   q: quit" } else { KEYS };
    Line::styled(told, Modifier::DIM).render(keys, buffer);
}

const KEYS: &str = "up down: choose   enter: all of a customer   q: quit";

fn title_words(top: &Top, look: &Look) -> Vec<Span<'static>> {
    let mode = top.snapshot.as_ref().map(|snapshot| match &snapshot.enforcement.modes {
        Some(modes) => format!("   mode {modes}"),
        None => "   no enforcer has told how it is".to_owned(),
    });
    vec![
        Span::styled("weir", Modifier::BOLD),
        Span::raw(format!(" at {}{}   {}", top.base, mode.unwrap_or_default(), moment(look.now))),
    ]
}

/// Three lines: who is where, what is held back, how far behind it is.
fn how_it_is(snapshot: &Snapshot, look: &Look) -> Vec<Line<'static>> {
    let at = |stage| snapshot.stages.get(&stage).copied().unwrap_or_default();
    let stages = Stage::ALL.into_iter().flat_map(|stage| {
        let style = if at(stage) > 0 { style(stage, look) } else { Style::new() };
        [Span::styled(format!("{stage} {}", at(stage)), style), Span::raw("  ")]
    });
    vec![stages.collect(), enforcement(snapshot, look), lag(snapshot, look)]
}

fn enforcement(snapshot: &Snapshot, look: &Look) -> Line<'static> {
    let held = &snapshot.enforcement.held_back;
    let held: Vec<_> =
        held.iter().map(|(why, customers)| format!("{} {customers}", why.name().replace('_', " "))).collect();
    let held = if held.is_empty() { "nothing".to_owned() } else { held.join(", ") };
    match snapshot.enforcement.stopped_by() {
        Some(why) => Line::from(vec![Span::styled(format!("STOPPED: {why}"), alarm(look))]),
        None => Line::from(format!("held back: {held}")),
    }
}

fn lag(snapshot: &Snapshot, look: &Look) -> Line<'static> {
    let lag = match snapshot.lag {
        Some(0) => "lag: none".to_owned(),
        Some(records) => format!("lag: {records} records"),
        None => "lag: not told here".to_owned(),
    };
    let counted = match snapshot.as_of {
        Some(as_of) => format!("counted {} ago", look.age(as_of)),
        None => "nothing counted yet".to_owned(),
    };
    Line::from(format!("{lag}   {counted}"))
}

/// A customer's page, from the line to which it is scrolled.
fn page(opened: &Opened, area: Rect, buffer: &mut Buffer) {
    let text = opened.page.as_deref().unwrap_or("asking ...");
    let lines: Vec<_> = text.lines().map(Line::from).collect();
    Paragraph::new(lines).scroll((opened.scrolled, 0)).render(area, buffer);
}

/// The worst customers above, the latest decisions below.
fn lists(top: &Top, look: &Look, area: Rect, buffer: &mut Buffer) {
    let [above, below] = Layout::vertical([Constraint::Percentage(55), Constraint::Fill(1)]).areas(area);
    worst(top, look, above, buffer);
    let heading = Line::styled("LATEST DECISIONS", Modifier::BOLD);
    let decisions = top.decisions.iter().map(|decision| {
        let what = decisions::what(decision, &Look { colours: false, ..*look });
        let when = moment(decision.at);
        let clock = when.get(11..19).unwrap_or(&when).to_owned();
        let line = format!("{clock} {}: {what}; {}", decision.customer, decisions::why(decision));
        Line::styled(line, style(decision.to, look))
    });
    let lines: Vec<_> = std::iter::once(heading).chain(decisions).take(below.height.into()).collect();
    Paragraph::new(lines).render(below, buffer);
}

fn worst(top: &Top, look: &Look, area: Rect, buffer: &mut Buffer) {
    let header = Row::new(["WORST CUSTOMERS", "STAGE", "FOR", "SENT 24H", "POOL", "RULE"]);
    let widths = [
        Constraint::Fill(3),
        Constraint::Length(11),
        Constraint::Length(4),
        Constraint::Length(8),
        Constraint::Fill(1),
        Constraint::Fill(2),
    ];
    let table = Table::new(top.customers().iter().map(|standing| row(standing, look)), widths)
        .header(header.style(Modifier::BOLD))
        .row_highlight_style(Modifier::REVERSED);
    let mut state = TableState::new().with_selected(Some(top.selected));
    StatefulWidget::render(table, area, buffer, &mut state);
}

fn row(standing: &Standing, look: &Look) -> Row<'static> {
    let rule = standing.reasons.first().map(|reason| reason.rule.as_str()).unwrap_or_default();
    let marks = marks(standing, look);
    let told = [rule, &marks].into_iter().filter(|words| !words.is_empty()).collect::<Vec<_>>();
    let cells = [
        standing.customer.to_string(),
        standing.stage.to_string(),
        look.age(standing.since),
        standing.sent_24h.to_string(),
        or_nothing(standing.pool.as_ref()),
        told.join(", "),
    ];
    Row::new(cells).style(style(standing.stage, look))
}

const fn alarm(look: &Look) -> Style {
    let style = Style::new().add_modifier(Modifier::BOLD);
    if look.colours { style.fg(Color::Red) } else { style }
}

const fn style(stage: Stage, look: &Look) -> Style {
    if !look.colours {
        return Style::new();
    }
    match stage {
        Stage::Healthy => Style::new(),
        Stage::Watch => Style::new().fg(Color::Cyan),
        Stage::Throttled => Style::new().fg(Color::Yellow),
        Stage::Quarantined => Style::new().fg(Color::Magenta),
        Stage::Suspended | Stage::Banned => Style::new().fg(Color::Red),
    }
}

/// The text of a frame of this size, a line each.
pub(crate) fn as_text(top: &Top, look: &Look, area: Rect) -> String {
    let mut buffer = Buffer::empty(area);
    draw(top, look, area, &mut buffer);
    let row = |y| (0..area.width).filter_map(|x| Some(buffer.cell((x, y))?.symbol())).collect::<String>();
    (0..area.height).map(|y| format!("{}\n", row(y).trim_end())).collect()
}

#[cfg(test)]
mod tests {
    use super::super::super::samples;
    use super::super::tests::snapshot;
    use super::super::{Key, News};
    use super::*;

    const SMALL: Rect = Rect::new(0, 0, 80, 24);

    fn top() -> Top {
        let mut top = Top::new("http://weir:8081".to_owned());
        top.take(News::Snapshot(Box::new(snapshot(&[("acme & söhne", "suspended"), ("b", "watch")]))));
        top.take(News::Decisions(vec![samples::read(samples::decision("acme & söhne"))]));
        top
    }

    #[test]
    fn a_frame_fits_a_small_terminal() {
        let text = as_text(&top(), &samples::plain(), SMALL);
        let expected = "\
weir at http://weir:8081   mode approve   2026-11-23T12:00:00Z
healthy 290  watch 0  throttled 0  quarantined 0  suspended 1  banned 0
held back: approval 2
lag: 17 records   counted 0s ago
WORST CUSTOMERS            STAGE       FOR  SENT 24H POOL      RULE
acme & söhne               suspended   3h   402      home
b                          watch       3h   402      home
";
        let (above, below) = text.split_at(expected.len());
        assert_eq!(above, expected);
        assert!(
            below.contains("\nLATEST DECISIONS\n09:00:00 acme & söhne: healthy -> quarantined by hard-bounce-burst;")
        );
        assert!(below.ends_with(&format!("{KEYS}\n")) && text.lines().count() == 24, "{text}");
    }

    #[test]
    fn what_stops_enforcement_and_what_is_amiss_cannot_be_overlooked() {
        let mut top = top();
        let mut paused = snapshot(&[]);
        let now = samples::plain().now;
        paused.enforcement.switch =
            Some(model::Switch { paused: true, by: "ann".to_owned(), reason: "why".to_owned(), at: now });
        top.take(News::Snapshot(Box::new(paused)));
        assert!(as_text(&top, &samples::plain(), SMALL).contains("\nSTOPPED: ann has paused enforcement (why)"));
        top.take(News::Trouble("Weir at x does not answer".to_owned()));
        assert!(as_text(&top, &samples::plain(), SMALL).contains("\nWeir at x does not answer\n"));
    }

    #[test]
    fn a_customers_page_can_be_scrolled_through() {
        let mut top = top();
        top.press(Key::Enter);
        top.take(News::Customer { name: "acme & söhne".to_owned(), page: "first\nsecond\nthird\n".to_owned() });
        top.press(Key::Down);
        let text = as_text(&top, &samples::plain(), SMALL);
        assert!(!text.contains("first") && text.contains("\nsecond\nthird\n"), "{text}");
    }

    #[test]
    fn any_size_can_be_drawn() {
        let mut top = top();
        for (width, height) in [(0, 0), (1, 1), (3, 2), (20, 5), (80, 24), (300, 100)] {
            let area = Rect::new(0, 0, width, height);
            assert_eq!(as_text(&top, &samples::plain(), area).lines().count(), usize::from(height));
            top.press(Key::Enter);
        }
    }
}
