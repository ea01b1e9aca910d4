//! What SECURITY.md promises is shown by tests that exist.

use std::path::Path;

fn read(path: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").join(path);
    std::fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()))
}

/// The rows of the tables whose last column says by what a promise is shown: the promise, and that.
fn promises(text: &str) -> Vec<(&str, &str)> {
    let tables = text.split("| promise | shown by |\n").skip(1);
    let rows = tables.flat_map(|table| table.lines().skip(1).take_while(|line| line.starts_with('|')));
    rows.map(|row| {
        let columns: Vec<_> = row.trim_matches('|').split(" | ").map(str::trim).collect();
        let [promise, shown] = columns[..] else { panic!("two columns are expected: {row}") };
        (promise, shown)
    })
    .collect()
}

#[test]
fn every_promise_is_shown_by_tests_that_exist() {
    let text = read("SECURITY.md");
    let mut named = 0;
    for (promise, shown) in promises(&text) {
        let mut file = None;
        for quoted in shown.split('`').skip(1).step_by(2) {
            if quoted.ends_with(".rs") {
                file = Some((quoted, read(quoted)));
            } else if let Some((path, source)) = &file {
                let is_test = |attribute: &str| attribute.contains("test") || attribute.contains("proptest!");
                let (before, _) = source.split_once(&format!("fn {quoted}(")).unwrap_or_else(|| {
                    panic!("{promise:?} names {quoted:?}, which {path} does not have: correct SECURITY.md")
                });
                let attributes: Vec<_> = before.lines().rev().take(4).collect();
                assert!(attributes.into_iter().any(is_test), "{promise:?}: {quoted} in {path} is no test");
                named += 1;
            }
        }
        let is_elsewhere = shown.contains("make lint") || shown.contains("not a test");
        assert!(file.is_some() || is_elsewhere, "{promise:?} is shown by nothing");
    }
    assert!(named > 40, "{named} tests");
}

#[test]
fn what_security_md_links_to_is_there() {
    let text = read("SECURITY.md");
    for link in text.split("](").skip(1).map(|rest| rest.split([')', '#']).next().unwrap()) {
        assert!(!read(link).is_empty(), "{link}");
    }
}
