//! Every letter as text, as it is kept in `tests/golden`: a change of a template shows what it changes.
//!
//! `WEIR_UPDATE_GOLDEN=1 cargo test -p outreach golden` writes the files anew.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;

use outreach::{DIGEST, Message, Templates};

/// The letters of each template, one behind the other.
fn letters() -> BTreeMap<String, String> {
    let templates = Templates::built_in().unwrap();
    let mut letters: BTreeMap<String, String> = BTreeMap::new();
    let mut add = |template: &str, case: &str, message: &Message| {
        let text = letters.entry(template.to_owned()).or_default();
        write!(text, "=== {case}\nSubject: {}\n\n{}\n\n", message.subject, message.text).unwrap();
    };
    for example in outreach::example_letters() {
        let message = templates.letter(&example.template, &example.letter).unwrap();
        add(&example.template, example.case, &message);
    }
    let cases = ["a full one", "in shadow", "one that is not in force", "nobody"];
    for (digest, case) in outreach::example_digests().iter().zip(cases) {
        add(DIGEST, case, &templates.digest(digest).unwrap());
    }
    letters
}

#[test]
fn golden_every_letter_reads_as_it_is_kept() {
    let letters = letters();
    let names: Vec<_> = Templates::names().collect();
    assert!(names.iter().all(|name| letters.contains_key(*name)), "each of {names:?} has examples");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let is_update = std::env::var_os("WEIR_UPDATE_GOLDEN").is_some();
    let mut wrong = Vec::new();
    for (name, text) in &letters {
        let file = folder.join(format!("{name}.txt"));
        if is_update {
            std::fs::create_dir_all(file.parent().unwrap()).unwrap();
            std::fs::write(&file, text).unwrap();
        }
        let kept = std::fs::read_to_string(&file).unwrap_or_default();
        let differs = kept.lines().zip(text.lines()).position(|(kept, made)| kept != made);
        if kept != *text {
            let line = differs.unwrap_or_else(|| kept.lines().count().min(text.lines().count()));
            let of = |text: &str| text.lines().nth(line).unwrap_or("(its end)").to_owned();
            wrong.push(format!("{}:{}: kept {:?}, made {:?}", file.display(), line + 1, of(&kept), of(text)));
        }
    }
    let how = "WEIR_UPDATE_GOLDEN=1 cargo test -p outreach golden";
    assert!(wrong.is_empty(), "{}\n{how} writes the files anew", wrong.join("\n"));
}

/// What letters claim of the way back is what the standard policy does: read from the kept files, so that no template that says
/// more can be kept unseen.
#[test]
fn golden_no_letter_promises_what_the_policy_does_not_do() {
    let policy = policy::Policy::parse(policy::DEFAULT).unwrap();
    for (name, text) in letters().iter().filter(|(name, _)| *name != DIGEST) {
        let stage = model::Stage::ALL.into_iter().find(|stage| name.ends_with(stage.name())).unwrap();
        let dwell = policy.dwell_of(stage, &[], model::Timestamp::default());
        for case in text.split("=== ").skip(1) {
            let (about, _) = case.split_once('\n').unwrap();
            let promises = ["eased step by step", "comes down by itself"].iter().any(|words| case.contains(words));
            let by_a_person = ["does not end by itself", "only a person does"].iter().any(|words| case.contains(words));
            assert!(!promises || (dwell.is_some() && !about.contains("order")), "{name}: {case}");
            assert!(!promises || !by_a_person, "{name}: {case}");
            let is_thanked = case.contains("thank you") || case.contains("have been below every limit");
            assert_eq!(is_thanked, about == "calm", "{name}: {case}");
            let is_apology = case.contains("We are sorry") || case.contains("took back");
            assert_eq!(is_apology, about.contains("false alarm"), "{name}: {case}");
        }
    }
}
