//! The table of replies.

use std::sync::LazyLock;

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde::Deserialize;

use crate::status::{code, enhanced_status};
use crate::{Classification, Rule};

/// How much of a reply is read, in bytes. Replies are a few lines long; bounce reports append the mail itself.
pub const READ: usize = 4_000;
/// The version of the format.
const VERSION: u32 = 1;
/// The longest table, in bytes.
const LONGEST: usize = 1 << 20;
/// The table that Weir ships.
static BUILT_IN: LazyLock<ReplyTable> = LazyLock::new(built_in);

/// Why a table is invalid.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is not valid TOML, or has the wrong shape.
    #[error("cannot parse the table of replies")]
    Toml(#[from] toml::de::Error),
    /// It has an unsupported version.
    #[error("the table of replies has version {0}; this Weir reads version {VERSION}")]
    Version(u32),
    /// It is too long.
    #[error("the table of replies has {0} bytes; at most {LONGEST} are read")]
    TooLong(usize),
    /// A rule would match every reply, or its name is not unique.
    #[error("rule `{rule}` of the table of replies {fault}")]
    Rule {
        /// The rule's name.
        rule: String,
        /// The fault.
        fault: &'static str,
    },
    /// There are too many phrases.
    #[error("cannot build a search for the phrases of the table of replies")]
    Phrases(#[from] aho_corasick::BuildError),
}

/// An ordered list of rules. The first rule that matches a reply classifies it.
#[derive(Clone, Debug)]
pub struct ReplyTable {
    rules: Vec<Rule>,
    /// The phrases of each rule, as indices into `phrases`.
    numbered: Vec<Numbered>,
    phrases: AhoCorasick,
}

/// A rule's phrases, as indices into the automaton's patterns.
#[derive(Clone, Debug)]
struct Numbered {
    any: Vec<usize>,
    all: Vec<usize>,
    unless: Vec<usize>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    version: u32,
    rule: Vec<Rule>,
}

impl ReplyTable {
    /// Returns the table that Weir ships.
    pub fn built_in() -> &'static Self {
        &BUILT_IN
    }

    /// Parses a table.
    ///
    /// # Errors
    ///
    /// [`TableError`] says what is wrong with `text`, and where.
    pub fn parse(text: &str) -> Result<Self, TableError> {
        if text.len() > LONGEST {
            return Err(TableError::TooLong(text.len()));
        }
        let File { version, rule: mut rules } = toml::from_str(text)?;
        if version != VERSION {
            return Err(TableError::Version(version));
        }
        for rule in &mut rules {
            for phrases in [&mut rule.any, &mut rule.all, &mut rule.unless] {
                phrases.iter_mut().for_each(|phrase| *phrase = normal(phrase));
            }
        }
        check(&rules)?;
        let mut sorted: Vec<String> = rules.iter().flat_map(Rule::phrases).cloned().collect();
        sorted.sort_unstable();
        sorted.dedup();
        let kind = Some(AhoCorasickKind::ContiguousNFA);
        let phrases = AhoCorasick::builder().kind(kind).match_kind(MatchKind::Standard).build(&sorted)?;
        let number = |phrase: &String| sorted.binary_search(phrase).ok();
        let numbers = |phrases: &[String]| phrases.iter().filter_map(number).collect();
        let of_rule =
            |rule: &Rule| Numbered { any: numbers(&rule.any), all: numbers(&rule.all), unless: numbers(&rule.unless) };
        let numbered = rules.iter().map(of_rule).collect();
        Ok(Self { rules, numbered, phrases })
    }

    /// The rules, in order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// Classifies `reply`: a server's words, with or without codes.
    pub fn classify(&self, reply: &str) -> Classification<'_> {
        self.classify_with_status(None, reply)
    }

    /// Classifies `reply` whose enhanced status code is given separately.
    pub fn classify_with_status(&self, status: Option<&str>, reply: &str) -> Classification<'_> {
        let text = normal(reply.get(..reply.floor_char_boundary(READ)).unwrap_or_default());
        let status = status.and_then(enhanced_status).or_else(|| enhanced_status(&text));
        let code = code(&text);
        let mut found = vec![false; self.phrases.patterns_len()];
        for phrase in self.phrases.find_overlapping_iter(&text) {
            if let Some(is_found) = found.get_mut(phrase.pattern().as_usize()) {
                *is_found = true;
            }
        }
        let says = |phrase: &usize| found.get(*phrase).copied().unwrap_or_default();
        let matches = |(rule, phrases): &(&Rule, &Numbered)| {
            rule.matches_codes(status, code)
                && (phrases.any.is_empty() || phrases.any.iter().any(says))
                && phrases.all.iter().all(says)
                && !phrases.unless.iter().any(says)
        };
        let matching = self.rules.iter().zip(&self.numbered).find(matches);
        matching.map_or(Classification::UNKNOWN, |(rule, _)| Classification {
            cause: rule.cause,
            charged_to: rule.charged_to,
            rule: Some(&rule.name),
            means: &rule.means,
        })
    }
}

#[expect(
    clippy::expect_used,
    reason = "the suite parses the shipped table, so that no build with a broken one is released"
)]
fn built_in() -> ReplyTable {
    ReplyTable::parse(include_str!("../replies.toml")).expect("the shipped table of replies is valid")
}

fn check(rules: &[Rule]) -> Result<(), TableError> {
    let mut names = std::collections::BTreeSet::new();
    for rule in rules {
        let fault = |fault| Err(TableError::Rule { rule: rule.name.clone(), fault });
        if !names.insert(&rule.name) {
            return fault("is defined twice");
        }
        if rule.any.is_empty() && rule.all.is_empty() && rule.status.is_empty() && rule.code.is_empty() {
            return fault("names neither words nor a status, so that it would match every reply");
        }
        if rule.phrases().any(|phrase| phrase.trim().len() < 3) {
            return fault("has a phrase of less than three letters");
        }
    }
    Ok(())
}

/// Lowercases a text, collapses white space and replaces typographic apostrophes.
fn normal(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    let mut is_space = false;
    for letter in text.chars() {
        if letter.is_whitespace() || letter.is_control() {
            is_space = true;
            continue;
        }
        if std::mem::take(&mut is_space) {
            out.push(' ');
        }
        match letter {
            '\u{2018}' | '\u{2019}' | '`' => out.push('\''),
            other => out.extend(other.to_lowercase()),
        }
    }
    if is_space {
        out.push(' ');
    }
    out
}
