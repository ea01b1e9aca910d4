//! The table of replies.

use aho_corasick::{AhoCorasick, AhoCorasickKind, MatchKind};
use serde::Deserialize;

use crate::status::{code, enhanced_status};
use crate::{Reading, Rule};

/// So much of a reply is read, in bytes: servers' answers are a few lines, and what follows may be the mail itself.
const READ: usize = 4_000;
/// The version of the format.
const VERSION: u32 = 1;
/// The longest table, in bytes.
const LONGEST: usize = 1 << 20;
/// The table that Weir brings along.
const BUILT_IN: &str = include_str!("../replies.toml");

/// Why a table is none.
#[derive(Debug, thiserror::Error)]
pub enum TableError {
    /// It is no TOML of the right shape.
    #[error("the table of replies can't be read")]
    Toml(#[from] toml::de::Error),
    /// Another version of the format.
    #[error("the table of replies has version {0}; this Weir reads version {VERSION}")]
    Version(u32),
    /// It is too long.
    #[error("the table of replies has {0} bytes; at most {LONGEST} are read")]
    TooLong(usize),
    /// A rule that would know every reply, or none, or that has another's name.
    #[error("rule `{rule}` of the table of replies {fault}")]
    Rule {
        /// Its name.
        rule: String,
        /// What is wrong with it.
        fault: &'static str,
    },
    /// Its phrases are too many.
    #[error("the phrases of the table of replies can't be searched")]
    Phrases(#[from] aho_corasick::BuildError),
}

/// Rules in their order: the first that knows a reply says what it means.
#[derive(Clone, Debug)]
pub struct Table {
    rules: Vec<Rule>,
    /// The phrases of each rule, by their numbers.
    numbered: Vec<Numbered>,
    phrases: AhoCorasick,
}

/// The phrases of a rule, by their numbers in the automaton.
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

impl Table {
    /// The table that Weir brings along.
    ///
    /// # Errors
    ///
    /// None: a test reads it.
    pub fn built_in() -> Result<Self, TableError> {
        Self::parse(BUILT_IN)
    }

    /// Reads a table.
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

    /// The rules, in their order.
    pub fn rules(&self) -> &[Rule] {
        &self.rules
    }

    /// What `reply` means: the words of a server, with or without their codes.
    pub fn read(&self, reply: &str) -> Reading<'_> {
        self.read_with(None, reply)
    }

    /// The same, where the enhanced status code is told apart.
    pub fn read_with(&self, status: Option<&str>, reply: &str) -> Reading<'_> {
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
        let knows = |(rule, phrases): &(&Rule, &Numbered)| {
            rule.has(status, code)
                && (phrases.any.is_empty() || phrases.any.iter().any(says))
                && phrases.all.iter().all(says)
                && !phrases.unless.iter().any(says)
        };
        let known = self.rules.iter().zip(&self.numbered).find(knows);
        known.map_or(Reading::UNKNOWN, |(rule, _)| Reading {
            cause: rule.cause,
            charged_to: rule.charged_to,
            rule: Some(&rule.name),
            means: &rule.means,
        })
    }
}

fn check(rules: &[Rule]) -> Result<(), TableError> {
    let mut names = std::collections::BTreeSet::new();
    for rule in rules {
        let fault = |fault| Err(TableError::Rule { rule: rule.name.clone(), fault });
        if !names.insert(&rule.name) {
            return fault("is defined twice");
        }
        if rule.any.is_empty() && rule.all.is_empty() && rule.status.is_empty() && rule.code.is_empty() {
            return fault("names neither words nor a status, so that it would know every reply");
        }
        if rule.phrases().any(|phrase| phrase.trim().len() < 3) {
            return fault("has a phrase of less than three letters");
        }
    }
    Ok(())
}

/// A text in lower case, with one space between words and plain apostrophes.
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
