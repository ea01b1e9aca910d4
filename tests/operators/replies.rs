//! `weir reply`.

use std::io::Write as _;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::house::BINARY;

#[test]
fn replies_are_classified_line_by_line_and_unknown_ones_counted_by_template() {
    let read = |arguments: &[&str]| {
        let mut weir = Command::new(BINARY);
        weir.arg("reply").args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut weir = weir.spawn().unwrap();
        let replies = "550 5.1.1 user unknown\n\u{1b}[2J550 zzz jo@example.org zzz\n550 zzz ann@example.net zzz\n";
        weir.stdin.take().unwrap().write_all(replies.as_bytes()).unwrap();
        String::from_utf8(weir.wait_with_output().unwrap().stdout).unwrap()
    };
    let told = read(&[]);
    assert!(told.starts_with("address        customer          no-such-user "), "{told}");
    assert!(told.contains("1  550 zzz … zzz") && !told.contains('\u{1b}'), "{told}");
    let json: Vec<Value> = read(&["--json"]).lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!((&json[0]["cause"], &json[0]["charged_to"]), (&json!("address"), &json!("customer")));
    assert_eq!((&json[2]["cause"], &json[2]["template"]), (&json!("unknown"), &json!("550 zzz … zzz")));
}
