//! The templates: what is told, in Markdown, with places for what is known.
//!
//! Those that Weir comes with lie in `templates/` of this crate. A file of the same name in the configured folder replaces one. A
//! value that is unknown, or is not there, is an error and never an empty place: whoever edits a template learns of it when
//! the configuration is checked, from examples of everything that may be told.

use std::collections::BTreeMap;
use std::fmt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use minijinja::syntax::SyntaxConfig;
use minijinja::value::ValueKind;
use minijinja::{AutoEscape, Environment, ErrorKind, UndefinedBehavior};
use serde::Serialize;

use crate::alarms::AccountNews;
use crate::digest::Digest;
use crate::examples;
use crate::letter::Letter;
use crate::line_breaks::keep_line_breaks;
use crate::markdown::{self, Document};

/// What a subject begins with where nothing was changed.
const SHADOW: &str = "[shadow]";

/// What makes a message by itself.
const OUTSIDE: [&str; 3] = ["success/", "customer/", "digest/"];

/// The template of the weekly digest.
pub const DIGEST: &str = "digest/weekly";

/// The template of what SendGrid does to the account or to a subuser.
const ACCOUNT: &str = "account/status";

macro_rules! built_in {
    ($($name:literal),* $(,)?) => { [$(($name, include_str!(concat!("../templates/", $name, ".md")))),*] };
}

/// The templates that Weir comes with, by name.
pub const BUILT_IN: [(&str, &str); 32] = built_in![
    "success/healthy",
    "success/watch",
    "success/throttled",
    "success/quarantined",
    "success/suspended",
    "success/banned",
    "customer/healthy",
    "customer/watch",
    "customer/throttled",
    "customer/quarantined",
    "customer/suspended",
    "customer/banned",
    "digest/weekly",
    "parts/moved",
    "account/status",
    "parts/state",
    "parts/figures",
    "parts/recovery",
    "parts/figures_for_the_customer",
    "parts/recovery_for_the_customer",
    "parts/why_for_the_customer",
    "parts/eased_for_the_customer",
    "mend/hard_bounce",
    "mend/invalid_address",
    "mend/block",
    "mend/reputation_block",
    "mend/soft_bounce",
    "mend/deferral",
    "mend/spam_report",
    "mend/unsubscribe",
    "mend/other",
    "mend/person",
];

/// What is wrong with a template.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TemplateFault {
    /// The file, or the name of one that Weir comes with.
    pub file: String,
    /// The line, from 1, where it is known.
    pub line: Option<usize>,
    /// What is wrong there.
    pub what: String,
}

impl fmt::Display for TemplateFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}: line {line}: {}", self.file, self.what),
            None => write!(f, "{}: {}", self.file, self.what),
        }
    }
}

impl std::error::Error for TemplateFault {}

/// Something to tell, in all the forms in which it can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Message {
    /// On one line.
    pub subject: String,
    /// As text.
    pub text: String,
    /// As a page.
    pub html: String,
    /// In Slack's marks.
    #[serde(skip)]
    pub chat: String,
}

impl Message {
    /// Adds the mark of shadow to the subject if the template leaves it out.
    fn marked(mut self, is_shadow: bool) -> Self {
        if is_shadow && !self.subject.starts_with(SHADOW) {
            self.subject = format!("{SHADOW} {}", self.subject);
        }
        self
    }
}

/// All templates, checked.
#[derive(Clone)]
pub struct Templates {
    environment: Arc<Environment<'static>>,
    /// Where those that were replaced came from.
    files: Arc<BTreeMap<String, PathBuf>>,
}

impl fmt::Debug for Templates {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Templates").field("files", &self.files).finish_non_exhaustive()
    }
}

impl Templates {
    /// Those that Weir comes with.
    ///
    /// # Errors
    ///
    /// Never, as long as Weir's own are sound, which a test sees to.
    pub fn built_in() -> Result<Self, Vec<TemplateFault>> {
        Self::with(BTreeMap::new())
    }

    /// Those, with what lies in `folder` in their place.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with what lies there: a file that replaces nothing, one that can't be read, a mark that is not
    /// closed, a name that is not known, a missing subject.
    pub fn load(folder: &Path) -> Result<Self, Vec<TemplateFault>> {
        let (mut found, mut faults) = (BTreeMap::new(), Vec::new());
        collect(folder, folder, &mut found, &mut faults);
        match Self::with(found) {
            Ok(templates) if faults.is_empty() => Ok(templates),
            Ok(_) => Err(faults),
            Err(more) => Err([faults, more].concat()),
        }
    }

    fn with(replaced: BTreeMap<String, (PathBuf, String)>) -> Result<Self, Vec<TemplateFault>> {
        let files: BTreeMap<_, _> = replaced.iter().map(|(name, (path, _))| (name.clone(), path.clone())).collect();
        let (mut environment, mut faults) = (environment(), Vec::new());
        let built_in = BUILT_IN.into_iter().map(|(name, text)| (name.to_owned(), text.to_owned()));
        let sources = built_in.chain(replaced.into_iter().map(|(name, (_, text))| (name, text)));
        for (name, text) in sources.collect::<BTreeMap<_, _>>() {
            if let Err(error) = environment.add_template_owned(name.clone(), keep_line_breaks(&text)) {
                faults.push(fault(&files, &name, &error));
            }
        }
        let templates = Self { environment: Arc::new(environment), files: Arc::new(files) };
        if faults.is_empty() {
            faults = templates.check();
        }
        if faults.is_empty() { Ok(templates) } else { Err(faults) }
    }

    /// What is wrong: names that nothing gives, and what examples of everything that may be told stumble over.
    fn check(&self) -> Vec<TemplateFault> {
        let mut faults = Vec::new();
        let mut note = |fault: TemplateFault| {
            if !faults.contains(&fault) {
                faults.push(fault);
            }
        };
        let of_accounts = ["whom", "verb", "status", "is_restricted", "at", "console"].map(str::to_owned).into();
        let (of_letters, of_digests) = (examples::names(), examples::names_of_digests());
        for (name, template) in self.environment.templates() {
            let known = match name {
                DIGEST => &of_digests,
                ACCOUNT => &of_accounts,
                _ => &of_letters,
            };
            for unknown in template.undeclared_variables(false) {
                if !known.contains(&unknown) {
                    note(self.unknown(name, template.source(), &unknown));
                }
            }
        }
        for (name, letter) in examples::letters() {
            if let Err(fault) = self.letter(&name, &letter) {
                note(fault);
            }
        }
        for digest in examples::digests() {
            if let Err(fault) = self.digest(&digest) {
                note(fault);
            }
        }
        for news in AccountNews::examples() {
            if let Err(fault) = self.account(&news) {
                note(fault);
            }
        }
        faults
    }

    fn unknown(&self, name: &str, source: &str, unknown: &str) -> TemplateFault {
        let line = source.lines().position(|line| line.contains(unknown)).map(|line| line + 1);
        let what = format!("nothing is called {unknown:?} here; docs/outreach.md lists what there is");
        TemplateFault { file: file_of(&self.files, name), line, what }
    }

    /// What the template called so says of `letter`.
    ///
    /// # Errors
    ///
    /// Where the template can't be filled: nothing of it is to be sent then.
    pub fn letter(&self, name: &str, letter: &Letter) -> Result<Message, TemplateFault> {
        Ok(self.fill(name, letter)?.marked(letter.is_shadow()))
    }

    /// What is said of a week.
    ///
    /// # Errors
    ///
    /// As [`Templates::letter`].
    pub fn digest(&self, digest: &Digest) -> Result<Message, TemplateFault> {
        Ok(self.fill(DIGEST, digest)?.marked(digest.is_shadow()))
    }

    fn markdown(&self, name: &str, values: &impl Serialize) -> Result<String, TemplateFault> {
        let template = self.environment.get_template(name).map_err(|error| fault(&self.files, name, &error))?;
        template.render(minijinja::value::Serde(values)).map_err(|error| fault(&self.files, name, &error))
    }

    /// What operators are told of what SendGrid does to the account or to a subuser.
    pub(crate) fn account(&self, news: &AccountNews) -> Result<Message, TemplateFault> {
        self.fill(ACCOUNT, news)
    }

    fn fill(&self, name: &str, values: &impl Serialize) -> Result<Message, TemplateFault> {
        let markdown = self.markdown(name, values)?;
        let what = "it does not begin with its subject: a line of `# ` and some words";
        let no_subject = || TemplateFault { file: file_of(&self.files, name), line: Some(1), what: what.to_owned() };
        let document = Document::read(markdown.trim_start()).ok_or_else(no_subject)?;
        // A custom template may be in any language.
        let language = (!self.files.contains_key(name)).then_some("en");
        let (text, html, chat) = (document.text(), document.html(language), document.chat());
        Ok(Message { subject: document.subject, text, html, chat })
    }

    /// The names of those that make a message by themselves.
    pub fn names() -> impl Iterator<Item = &'static str> {
        BUILT_IN
            .into_iter()
            .map(|(name, _)| name)
            .filter(|name| OUTSIDE.iter().any(|outside| name.starts_with(outside)))
    }
}

fn environment() -> Environment<'static> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    if let Ok(syntax) =
        SyntaxConfig::builder().trim_blocks(true).lstrip_blocks(true).keep_trailing_newline(true).build()
    {
        environment.set_syntax(syntax);
    }
    // They are included by the names of their files.
    environment.set_path_join_callback(|name, _parent| name.strip_suffix(".md").unwrap_or(name).into());
    environment.set_auto_escape_callback(|_| AutoEscape::Custom("markdown".into()));
    environment.set_formatter(|out, _state, value| {
        if value.kind() == ValueKind::None {
            let detail = "there is none of this here: ask for it first, with {% if … %}";
            return Err(minijinja::Error::new(ErrorKind::UndefinedError, detail));
        }
        let text = value.to_string();
        let text = if value.is_safe() { text } else { markdown::escape(&text) };
        out.write_str(&text).map_err(minijinja::Error::from)
    });
    environment
}

fn file_of(files: &BTreeMap<String, PathBuf>, name: &str) -> String {
    files.get(name).map_or_else(|| format!("{name}.md (Weir's own)"), |path| path.display().to_string())
}

fn fault(files: &BTreeMap<String, PathBuf>, name: &str, error: &minijinja::Error) -> TemplateFault {
    // The innermost cause is where it went wrong: a template that includes another only says so.
    let mut innermost = error;
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if let Some(error) = error.downcast_ref::<minijinja::Error>() {
            innermost = error;
        }
        cause = error.source();
    }
    let file = file_of(files, innermost.name().unwrap_or(name));
    let what = match innermost.detail() {
        Some(detail) => format!("{}: {detail}", innermost.kind()),
        None => innermost.kind().to_string(),
    };
    TemplateFault { file, line: innermost.line(), what }
}

/// The templates below `folder`, by their names.
fn collect(
    root: &Path,
    folder: &Path,
    found: &mut BTreeMap<String, (PathBuf, String)>,
    faults: &mut Vec<TemplateFault>,
) {
    let faulty = |path: &Path, what: String| TemplateFault { file: path.display().to_string(), line: None, what };
    let entries = match std::fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => return faults.push(faulty(folder, format!("the templates can't be read: {error}"))),
    };
    let mut paths: Vec<_> = entries.filter_map(Result::ok).map(|entry| entry.path()).collect();
    paths.sort();
    for path in paths {
        if path.is_dir() {
            collect(root, &path, found, faults);
            continue;
        }
        let Some(name) = path.strip_prefix(root).ok().and_then(Path::to_str).and_then(|name| name.strip_suffix(".md"))
        else {
            continue;
        };
        if !BUILT_IN.iter().any(|(known, _)| *known == name) {
            faults.push(faulty(
                &path,
                "it replaces none of Weir's templates; `weir outreach templates` shows them".into(),
            ));
            continue;
        }
        match std::fs::read_to_string(&path) {
            Ok(text) => drop(found.insert(name.to_owned(), (path, text))),
            Err(error) => faults.push(faulty(&path, format!("it can't be read: {error}"))),
        }
    }
}

#[cfg(test)]
#[path = "templates_tests.rs"]
mod tests;
