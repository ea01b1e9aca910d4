//! What another policy does otherwise, in words.

use std::collections::BTreeMap;

use policy::Paragraph;

/// What differs about one thing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Change {
    /// A rule, a limit or a part of the file.
    pub(super) about: String,
    /// What the first says of it and the second does not.
    pub(super) gone: Vec<String>,
    /// What the second says of it and the first does not.
    pub(super) new: Vec<String>,
    pub(super) kind: Kind,
}

/// Whether both know the thing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// Only the first does.
    Removed,
    /// Only the second does.
    Added,
    /// Both do.
    Changed,
}

/// What `after` says otherwise than `before`, in the order of `after`, and then what it leaves out.
pub(super) fn between(before: &[Paragraph], after: &[Paragraph]) -> Vec<Change> {
    let by_name = |paragraphs: &[Paragraph]| -> BTreeMap<String, Vec<String>> {
        paragraphs.iter().map(|one| (one.about.clone(), one.sentences.clone())).collect()
    };
    let (known, wanted) = (by_name(before), by_name(after));
    let without = |sentences: &[String], others: &[String]| -> Vec<String> {
        sentences.iter().filter(|sentence| !others.contains(sentence)).cloned().collect()
    };
    let changed = after.iter().map(|paragraph| {
        let (about, sentences) = (paragraph.about.clone(), &paragraph.sentences);
        match known.get(&about) {
            None => Change { about, gone: Vec::new(), new: sentences.clone(), kind: Kind::Added },
            Some(old) => {
                Change { gone: without(old, sentences), new: without(sentences, old), about, kind: Kind::Changed }
            }
        }
    });
    let removed = before.iter().filter(|paragraph| !wanted.contains_key(&paragraph.about));
    let removed = removed.map(|paragraph| Change {
        about: paragraph.about.clone(),
        gone: paragraph.sentences.clone(),
        new: Vec::new(),
        kind: Kind::Removed,
    });
    changed.filter(|change| !change.gone.is_empty() || !change.new.is_empty()).chain(removed).collect()
}

#[cfg(test)]
mod tests {
    use policy::Policy;

    use super::*;

    #[test]
    fn what_differs_is_told_and_nothing_else() {
        let words = |text: &str| Policy::parse(text).unwrap().in_words();
        let standard = words(policy::DEFAULT);
        assert_eq!(between(&standard, &words(&format!("# A comment.\n{}", policy::DEFAULT))), []);
        let changed = policy::DEFAULT.replacen("at_most = 10", "at_most = 9", 1).replacen(
            "\"account-complaints\"",
            "\"complaints-of-all\"",
            1,
        );
        let told: Vec<_> =
            between(&standard, &words(&changed)).into_iter().map(|change| (change.about, change.kind)).collect();
        let expected = [
            ("account-bounces", Kind::Changed),
            ("complaints-of-all", Kind::Added),
            ("account-complaints", Kind::Removed),
        ];
        assert_eq!(told, expected.map(|(about, kind)| (about.to_owned(), kind)));
        let first = between(&standard, &words(&changed)).remove(0);
        assert!(
            first.gone[0].contains("at most 10 customers") && first.new[0].contains("at most 9 customers"),
            "{first:?}"
        );
    }
}
