//! What `weir config` prints, and with which exit code.

use std::path::Path;
use std::process::{Command, Output};

fn weir(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_weir")).env_remove("WEIR_CONFIG").arg("config").args(arguments).output().unwrap()
}

/// What it prints where nothing is wrong.
fn told(arguments: &[&str]) -> String {
    let output = weir(arguments);
    assert!(output.status.success(), "{arguments:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

fn path(path: &Path) -> &str {
    path.to_str().unwrap()
}

#[test]
fn each_profile_is_printed_by_its_name_and_says_what_it_will_do() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in policy::PROFILES {
        let printed = told(&["default", "--policy", name]);
        assert_eq!(printed.trim_end(), text.trim_end(), "{name}");
        let file = folder.path().join(name);
        std::fs::write(&file, printed).unwrap();
        let words = told(&["check", "--policy", path(&file)]);
        assert!(words.starts_with("The policy is sound: 10 rules, 2 limits (sha256:"), "{words}");
        for paragraph in policy::Policy::parse(text).unwrap().in_words() {
            let heading = format!("\n\n{}\n", paragraph.about);
            assert!(words.contains(&heading), "{heading:?} in {words}");
            assert!(paragraph.sentences.iter().all(|sentence| words.contains(&format!("  {sentence}\n"))), "{words}");
        }
    }
}

#[test]
fn without_a_name_the_standard_policy_is_printed_and_an_unknown_name_is_refused() {
    assert_eq!(told(&["default", "--policy"]).trim_end(), policy::DEFAULT.trim_end());
    assert!(told(&["default"]).contains("[receiver]"));
    let refused = weir(&["default", "--policy", "harsh"]);
    let error = String::from_utf8(refused.stderr).unwrap();
    assert_eq!(refused.status.code(), Some(2));
    assert!(error.contains("harsh") && error.contains("lenient, standard, strict"), "{error}");
}

#[test]
fn a_sound_configuration_says_what_its_policy_will_do() {
    let words = told(&["check"]);
    assert!(words.starts_with("The configuration is sound: "), "{words}");
    assert!(words.contains("\n\nhard-bounce-day\n  Looks at hard bounces"), "{words}");
}

#[test]
fn a_faulty_policy_is_named_with_line_and_column() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("policy.toml");
    std::fs::write(&file, policy::DEFAULT.replacen("enter = \"8 %\"", "enter = \"8\"", 1)).unwrap();
    let line = policy::DEFAULT.lines().position(|line| line == "enter = \"8 %\"").unwrap() + 1;
    let refused = weir(&["check", "--policy", path(&file)]);
    let error = String::from_utf8(refused.stderr).unwrap();
    assert_eq!((refused.status.code(), refused.stdout.len()), (Some(2), 0));
    assert!(error.contains(&format!("policy.toml: line {line}, column 9: ")), "{error}");
    let missing = weir(&["check", "--policy", path(&folder.path().join("none.toml"))]);
    assert_eq!(missing.status.code(), Some(2));
}
