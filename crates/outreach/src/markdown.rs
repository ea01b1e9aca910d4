//! What a template makes, as a mail's text and HTML and as a chat's text.
//!
//! A value that stands in a template is escaped ([`escape`]), so that no name and no reason makes a link, a heading or a tag. Raw
//! HTML, whoever wrote it, is shown as text; a link leads to the web or to a mailbox, or it is only its text; images are left out.

use pulldown_cmark::{Event, HeadingLevel, Parser, Tag, TagEnd, TextMergeStream, html};

/// Writes `text` so that Markdown takes it for words: on one line, every mark of ASCII escaped.
pub(crate) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len() + 8);
    for character in one_line(text).chars() {
        if character.is_ascii_punctuation() {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

/// `text` without control characters and line breaks of any kind, without marks that turn the direction of writing, and with
/// single spaces.
pub(crate) fn one_line(text: &str) -> String {
    let is_break = |c: char| {
        c.is_control()
            || matches!(c, '\u{2028}' | '\u{2029}' | '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    let spaced: String = text.chars().map(|c| if is_break(c) { ' ' } else { c }).collect();
    spaced.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A document that begins with `# ` and its subject.
#[derive(Debug)]
pub(crate) struct Document<'m> {
    pub(crate) subject: String,
    body: Vec<Event<'m>>,
}

impl<'m> Document<'m> {
    /// Reads it; `None` where it does not begin with a heading that says something.
    pub(crate) fn read(markdown: &'m str) -> Option<Self> {
        let mut events = harmless(markdown);
        let is_title = |event: &Event<'_>| matches!(event, Event::Start(Tag::Heading { level: HeadingLevel::H1, .. }));
        if !events.first().is_some_and(is_title) {
            return None;
        }
        let end = events.iter().position(|event| matches!(event, Event::End(TagEnd::Heading(_))))?;
        let body = events.split_off(end + 1);
        let mut subject = Words::new(Style::Plain);
        events.into_iter().skip(1).take(end - 1).for_each(|event| subject.take(event));
        let subject = one_line(&subject.text);
        (!subject.is_empty()).then_some(Self { subject, body })
    }

    /// As a page of its own, in this language where it is known.
    pub(crate) fn html(&self, language: Option<&str>) -> String {
        let mut body = String::new();
        html::push_html(&mut body, self.body.iter().cloned());
        let (mut title, mut lang) = (String::new(), String::new());
        html::push_html(&mut title, std::iter::once(Event::Text(self.subject.as_str().into())));
        if let Some(language) = language {
            lang = format!(" lang=\"{language}\"");
        }
        // A long name is broken, so that nothing is wider than a telephone's window.
        format!(
            "<!doctype html>\n<html{lang}><head><meta charset=\"utf-8\"><title>{title}</title>\n\
             <meta name=\"viewport\" content=\"width=device-width, initial-scale=1\"></head>\n\
             <body style=\"font-family: sans-serif; line-height: 1.5; max-width: 44em; overflow-wrap: anywhere\">\n\
             <main>\n{body}</main></body></html>\n"
        )
    }

    /// As text.
    pub(crate) fn text(&self) -> String {
        self.words(Style::Plain)
    }

    /// In the marks of Slack and what is compatible with it, with `<`, `>` and `&` escaped.
    pub(crate) fn chat(&self) -> String {
        self.words(Style::Chat)
    }

    fn words(&self, style: Style) -> String {
        let mut words = Words::new(style);
        self.body.iter().cloned().for_each(|event| words.take(event));
        words.text.trim().to_owned()
    }
}

/// The events of `markdown` in which nothing is raw and every link leads where it may.
fn harmless(markdown: &str) -> Vec<Event<'_>> {
    let mut kept = Vec::new();
    let mut events = Vec::new();
    for event in Parser::new(markdown) {
        match event {
            Event::Html(html) | Event::InlineHtml(html) => events.push(Event::Text(html)),
            Event::Start(Tag::HtmlBlock) => events.push(Event::Start(Tag::Paragraph)),
            Event::End(TagEnd::HtmlBlock) => events.push(Event::End(TagEnd::Paragraph)),
            Event::Start(Tag::Image { .. }) | Event::End(TagEnd::Image) => {}
            Event::Start(Tag::Link { ref dest_url, .. }) => {
                let may_lead_there = leads_out(dest_url);
                kept.push(may_lead_there);
                if may_lead_there {
                    events.push(event);
                }
            }
            Event::End(TagEnd::Link) => {
                if kept.pop() == Some(true) {
                    events.push(event);
                }
            }
            event => events.push(event),
        }
    }
    // What stands beside a mark tells what the mark means: words come in one piece.
    TextMergeStream::new(events.into_iter()).collect()
}

fn leads_out(url: &str) -> bool {
    url::Url::parse(url).is_ok_and(|url| matches!(url.scheme(), "https" | "http" | "mailto"))
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Style {
    Plain,
    Chat,
}

/// Writes events as words.
struct Words {
    style: Style,
    text: String,
    /// Of the lists that are open, the number of the next item; `None` for one without numbers.
    lists: Vec<Option<u64>>,
    /// Of the links that are open, where they lead and where their text begins.
    links: Vec<(String, usize)>,
}

impl Words {
    const fn new(style: Style) -> Self {
        Self { style, text: String::new(), lists: Vec::new(), links: Vec::new() }
    }

    fn take(&mut self, event: Event<'_>) {
        match event {
            Event::Start(tag) => self.start(tag),
            Event::End(tag) => self.end(tag),
            Event::Text(text) | Event::Html(text) | Event::InlineHtml(text) => self.say(&text),
            Event::Code(text) => {
                self.mark("`");
                self.say(&text);
                self.mark("`");
            }
            Event::SoftBreak => self.text.push(' '),
            Event::HardBreak => self.text.push('\n'),
            Event::Rule => self.paragraph("----"),
            Event::InlineMath(text) | Event::DisplayMath(text) | Event::FootnoteReference(text) => self.say(&text),
            Event::TaskListMarker(_) => {}
        }
    }

    fn start(&mut self, tag: Tag<'_>) {
        match tag {
            Tag::Paragraph | Tag::CodeBlock(_) if self.lists.is_empty() => self.paragraph(""),
            Tag::Heading { .. } => {
                self.paragraph("");
                self.mark("*");
            }
            Tag::BlockQuote(_) => self.paragraph("> "),
            Tag::List(first) => {
                if self.lists.is_empty() {
                    self.paragraph("");
                }
                self.lists.push(first);
            }
            Tag::Item => self.item(),
            Tag::Emphasis => self.mark("_"),
            Tag::Strong => self.mark("*"),
            Tag::Link { dest_url, .. } => self.links.push((dest_url.to_string(), self.text.len())),
            _ => {}
        }
    }

    fn end(&mut self, tag: TagEnd) {
        match tag {
            TagEnd::Heading(_) | TagEnd::Strong => self.mark("*"),
            TagEnd::Emphasis => self.mark("_"),
            TagEnd::List(_) => {
                self.lists.pop();
            }
            TagEnd::Link => self.end_link(),
            _ => {}
        }
    }

    fn end_link(&mut self) {
        let Some((url, from)) = self.links.pop() else { return };
        let words = self.text.split_off(from.min(self.text.len()));
        let linked = match self.style {
            Style::Chat => format!("<{}|{words}>", for_chat(&url).replace('|', "%7C")),
            Style::Plain if words == url => url,
            Style::Plain => format!("{words} ({url})"),
        };
        self.text.push_str(&linked);
    }

    fn item(&mut self) {
        let depth = self.lists.len().saturating_sub(1);
        let mark = match (self.lists.last_mut(), self.style) {
            (Some(Some(number)), _) => {
                *number += 1;
                format!("{}. ", *number - 1)
            }
            (_, Style::Plain) => "- ".to_owned(),
            (_, Style::Chat) => "• ".to_owned(),
        };
        if !self.text.is_empty() && !self.text.ends_with('\n') {
            self.text.push('\n');
        }
        self.text.push_str(&"  ".repeat(depth));
        self.text.push_str(&mark);
    }

    fn paragraph(&mut self, mark: &str) {
        let end = self.text.trim_end().len();
        self.text.truncate(end);
        if end > 0 {
            self.text.push_str("\n\n");
        }
        self.text.push_str(mark);
    }

    /// A mark that only a chat knows.
    fn mark(&mut self, mark: &str) {
        if self.style == Style::Chat {
            self.text.push_str(mark);
        }
    }

    fn say(&mut self, text: &str) {
        match self.style {
            Style::Plain => self.text.push_str(text),
            Style::Chat => self.text.push_str(&words_for_chat(text)),
        }
    }
}

/// Words that are shown in a chat as they are. Slack knows no way to escape the marks that make text bold, struck through, code, a
/// quotation or an emoji: they are replaced by characters that look like them.
pub(crate) fn words_for_chat(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut before = None;
    let mut characters = text.chars();
    while let Some(character) = characters.next() {
        let is_within = |other: Option<char>| other.is_some_and(char::is_alphanumeric);
        words.push(match character {
            '*' => '∗',
            '~' => '∼',
            '`' => 'ˋ',
            // Within a word it is none of these marks, and names have it there.
            '_' if !is_within(before) || !is_within(characters.clone().next()) => '＿',
            ':' if begins_emoji(characters.as_str()) => COLON,
            '>' if before.is_none() => '＞',
            other => other,
        });
        before = Some(character);
    }
    for_chat(&words)
}

/// A letter that looks like a colon.
const COLON: char = '꞉';

/// Whether the text behind a colon makes it the name of an emoji: `:wave:`.
fn begins_emoji(behind: &str) -> bool {
    let is_of_name = |letter: char| letter.is_ascii_alphanumeric() || matches!(letter, '_' | '-' | '+' | '\'');
    behind.split_once(':').is_some_and(|(name, _)| !name.is_empty() && name.chars().all(is_of_name))
}

/// Replaces every character that would begin a link or a mention with one that looks like it. Notifications are shown by readers that
/// know nothing of a message's blocks: lock screens, mails, chats that are compatible with Slack. They link addresses and names.
pub(crate) fn words_for_notification(text: &str) -> String {
    let mut words = String::with_capacity(text.len());
    let mut before: Option<char> = None;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        let after = characters.peek().copied();
        let is_within = before.is_some_and(char::is_alphanumeric) && after.is_some_and(char::is_alphanumeric);
        words.push(match character {
            '@' => '＠',
            '#' => '＃',
            '.' | '。' | '．' | '｡' if is_within => '․',
            ':' if after.is_some_and(|after| !after.is_whitespace()) => COLON,
            '(' if before == Some(']') => '（',
            other => other,
        });
        before = Some(character);
    }
    words_for_chat(&words)
}

/// The three characters that mean something to Slack in any text.
fn for_chat(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_document_is_told_in_three_ways() {
        let text = "# Acme is **held**\n\nHello *you*, see [the page](https://example.com/a|b).\n\n1. one\n2. two `x`\n\n- a < b\n";
        let document = Document::read(text).unwrap();
        assert_eq!(document.subject, "Acme is held");
        assert_eq!(
            document.text(),
            "Hello you, see the page (https://example.com/a|b).\n\n1. one\n2. two x\n\n- a < b"
        );
        assert_eq!(
            document.chat(),
            "Hello _you_, see <https://example.com/a%7Cb|the page>.\n\n1. one\n2. two `x`\n\n• a &lt; b"
        );
        assert!(document.html(None).contains("<ol>\n<li>one</li>"), "{}", document.html(None));
    }

    #[test]
    fn no_word_is_marked_in_a_chat() {
        let document = |value: &str| format!("# s\n\n**{}** is it\n", escape(value));
        for (value, told) in [
            ("*now*", "*∗now∗* is it"),
            ("_a_b_ ~c~ `d`", "*＿a_b＿ ∼c∼ ˋdˋ* is it"),
            ("<!channel>", "*&lt;!channel&gt;* is it"),
            (">quoted :wave: 14:38", "*＞quoted ꞉wave: 14:38* is it"),
        ] {
            assert_eq!(Document::read(&document(value)).unwrap().chat(), told);
        }
    }

    #[test]
    fn what_is_raw_or_leads_elsewhere_is_text() {
        let text =
            "# s\n\n<script>alert(1)</script>\n\na <b>c</b> [d](javascript:alert(1)) ![e](https://x.example/p.png)\n";
        let document = Document::read(text).unwrap();
        let html = document.html(None);
        assert!(html.contains("&lt;script&gt;") && html.contains("&lt;b&gt;c&lt;/b&gt; d e"), "{html}");
        for bad in ["<script", "<b>", "href", "<img"] {
            assert!(!html.contains(bad), "{bad}: {html}");
        }
    }

    #[test]
    fn what_does_not_begin_with_a_subject_is_no_document() {
        for text in ["", "hello", "## smaller\n", "# \n\nbody", "hello\n\n# later\n"] {
            assert!(Document::read(text).is_none(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn an_escaped_value_is_words_whatever_it_is(value in "\\PC{0,60}|[\\x00-\\x7f]{0,60}") {
            let markdown = format!("# {} end\n\nbegin {} end\n", escape(&value), escape(&value));
            let document = Document::read(&markdown).unwrap();
            let wanted = one_line(&format!("begin {} end", one_line(&value)));
            prop_assert_eq!(one_line(&document.text()), wanted.clone());
            prop_assert!(document.subject.ends_with("end") && !document.subject.contains(['\r', '\n']));
            prop_assert_eq!(document.chat(), words_for_chat(&document.text()));
            prop_assert!(!document.chat().contains(['<', '>', '*', '`', '~']));
            let body = document.html(Some("en"));
            let tags: Vec<_> = body.split('<').skip(1).map(|tag| tag.split(['>', ' ']).next().unwrap_or_default().to_owned()).collect();
            prop_assert_eq!(tags,
                ["!doctype", "html", "head", "meta", "title", "/title", "meta", "/head", "body", "main", "p", "/p", "/main", "/body", "/html"]
            );
        }
    }
}
