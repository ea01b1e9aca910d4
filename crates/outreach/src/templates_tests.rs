//! Weir's own templates, filled with everything that may be told.

use super::*;

#[test]
fn those_that_weir_comes_with_are_sound() {
    let templates = Templates::built_in().unwrap_or_else(|faults| unreachable!("{faults:#?}"));
    for (name, letter) in examples::letters() {
        let message = templates.letter(&name, &letter).unwrap();
        for said in [&message.subject, &message.text, &message.html, &message.chat] {
            assert!(!said.contains("{{") && !said.contains("{%") && !said.contains("none"), "{name}: {said}");
        }
        assert!(message.text.contains(letter.customer()) || name.starts_with("customer/"), "{name}");
    }
}

/// Everything that Weir's own templates make of the examples, as Markdown and as messages.
fn made() -> Vec<(String, String, Message)> {
    let templates = Templates::built_in().unwrap_or_else(|faults| unreachable!("{faults:#?}"));
    let letters = examples::letters().into_iter().map(|(name, letter)| {
        let message = templates.letter(&name, &letter).unwrap();
        (name.clone(), templates.markdown(&name, &letter).unwrap(), message)
    });
    let digests = examples::digests().into_iter().map(|digest| {
        let message = templates.digest(&digest).unwrap();
        (DIGEST.to_owned(), templates.markdown(DIGEST, &digest).unwrap(), message)
    });
    letters.chain(digests).collect()
}

/// The contents of a page's elements of this name, which do not lie in one another.
fn elements<'p>(page: &'p str, name: &str) -> Vec<&'p str> {
    let (start, end) = (format!("<{name}>"), format!("</{name}>"));
    page.split(&start).skip(1).map(|rest| rest.split_once(&end).unwrap().0.trim()).collect()
}

/// Each line of the Markdown is one item of a list, or one paragraph, and is nothing else on the page and in the text.
#[test]
fn no_paragraph_lies_in_a_list_and_no_line_is_joined_with_another() {
    let is_item = |line: &&str| {
        line.starts_with("- ")
            || line.starts_with("1. ")
            || line.split_once(". ").is_some_and(|(number, _)| number.parse::<u8>().is_ok())
    };
    let made = made();
    for (name, markdown, message) in &made {
        let lines = || markdown.lines().filter(|line| !line.trim().is_empty() && !line.starts_with("# "));
        let page = message.html.split("<main>").nth(1).unwrap();
        let (items, paragraphs) = (elements(page, "li"), elements(page, "p"));
        assert_eq!(items.len(), lines().filter(is_item).count(), "{name}:\n{markdown}\n{page}");
        assert_eq!(paragraphs.len(), lines().filter(|line| !is_item(line)).count(), "{name}:\n{markdown}\n{page}");
        for part in items.iter().chain(&paragraphs) {
            assert!(
                !part.contains(['\n']) && !part.contains("<p") && !part.contains("<li"),
                "{name}: {part}\n{markdown}"
            );
        }
        // In the text a list is a block of lines, and each paragraph stands alone.
        for block in message.text.split("\n\n") {
            let items = block.lines().filter(is_item).count();
            assert!(items == block.lines().count() || block.lines().count() == 1, "{name}: {block:?}\n{markdown}");
        }
    }
    assert!(made.len() > 600, "{}", made.len());
}

#[test]
fn what_is_only_said_says_so_in_its_first_words_whatever_the_template() {
    // A customer is not told of what is only said.
    for (name, _, message) in made().into_iter().filter(|(name, ..)| !name.starts_with("customer/")) {
        let is_shadow = message.text.contains("In shadow");
        assert_eq!(message.subject.starts_with("[shadow] "), is_shadow, "{name}: {}", message.subject);
        assert_eq!(message.text.starts_with("In shadow: nothing was changed"), is_shadow, "{name}: {}", message.text);
        assert_eq!(message.chat.starts_with("*In shadow: nothing was changed"), is_shadow, "{name}: {}", message.chat);
    }
    let folder = tempfile::tempdir().unwrap();
    std::fs::create_dir_all(folder.path().join("success")).unwrap();
    std::fs::write(folder.path().join("success/watch.md"), "# Look at {{ customer }}\n\nPlease.\n").unwrap();
    let templates = Templates::load(folder.path()).unwrap();
    let decision = examples::decision(model::Stage::Watch, Some("block")).unwrap();
    let of = |force| {
        let circumstances = crate::Circumstances::new(crate::Audience::Success, force);
        templates.letter("success/watch", &Letter::new(&decision, &circumstances)).unwrap().subject
    };
    assert_eq!(of(crate::Force::Shadow), "[shadow] Look at example");
    assert_eq!(of(crate::Force::Undecided), "Look at example");
}

#[test]
fn a_fault_is_told_with_its_file_and_line() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    };
    let faults = || Templates::load(folder.path()).unwrap_err().iter().map(ToString::to_string).collect::<Vec<_>>();
    write("success/watch.md", "# a\n\n{% if customer %}\n");
    let told = faults();
    assert!(told[0].contains("success/watch.md: line ") && told[0].contains("syntax error"), "{told:?}");
    write("success/watch.md", "# a\n\n\n{{ custommer }}\n");
    let told = faults();
    assert!(told[0].contains("success/watch.md: line 4") && told[0].contains("custommer"), "{told:?}");
    write("success/watch.md", "# a\n\n{{ evidence.ratte }}\n");
    let told = faults();
    assert!(told[0].contains("success/watch.md: line 3"), "{told:?}");
    write("success/watch.md", "hello\n");
    assert!(faults()[0].contains("line 1: it does not begin with its subject"), "{:?}", faults());
    write("success/watch.md", "# a\n");
    write("mend/other.md", "{{ customer.name.first }}\n");
    let told = faults();
    assert!(told[0].contains("mend/other.md: line 1"), "{told:?}");
    write("mend/other.md", "Write to us.\n");
    write("succes/watch.md", "# a\n");
    let told = faults();
    assert!(told.len() == 1 && told[0].contains("succes/watch.md: it replaces none"), "{told:?}");
}
