//! With tokens, everybody is who theirs says, and may do what its role does.

use std::path::{Path, PathBuf};
use std::process::Output;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::house::{BINARY, House, PATIENCE};

/// A new token of this role: what the configuration is to say, and a file with the token alone.
fn token(role: &str, folder: &Path) -> (String, PathBuf) {
    let (token, config) = site::new_token(BINARY, role);
    let file = folder.join(role);
    std::fs::write(&file, format!("{token}\n")).unwrap();
    (config, file)
}

#[tokio::test(flavor = "multi_thread")]
async fn everybody_is_who_their_token_says() {
    let folder = tempfile::tempdir().unwrap();
    let (configs, files): (Vec<_>, Vec<_>) =
        ["viewer", "operator", "approver"].iter().map(|role| token(role, folder.path())).unzip();
    let house = House::with_access(&configs.join("\n")).await;
    house.mail_goes_out().await;
    let asks = |file: &Path, arguments: &[&str]| -> Output {
        house.command(arguments).arg("--token-file").arg(file).output().unwrap()
    };
    let ended = |output: &Output| (output.status.code().unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    let [viewer, operator, approver] = [&files[0], &files[1], &files[2]];

    // Nobody, somebody else, and who may only look.
    let (code, told) = ended(&house.asks(&["customers"]));
    assert_eq!(code, 4, "{told}");
    assert!(told.contains("--token-file FILE, or the variable WEIR_TOKEN"), "{told}");
    let stranger = house.command(&["customers"]).env("WEIR_TOKEN", "weir_stranger").output().unwrap();
    assert_eq!(stranger.status.code(), Some(4));
    assert!(!String::from_utf8_lossy(&stranger.stderr).contains("weir_stranger"), "a token is not shown");
    let secret = std::fs::read_to_string(viewer).unwrap();
    assert!(house.command(&["customers"]).env("WEIR_TOKEN", secret.trim()).output().unwrap().status.success());
    let (code, told) = ended(&asks(viewer, &["hold", "good-1", "--reason", "a test"]));
    assert_eq!(code, 4, "{told}");
    assert!(told.contains("viewer has the role viewer and this needs the role operator"), "{told}");

    // Who steers need not say who they are; whom they name stands beside.
    until(|| asks(operator, &["customer", "good-1", "--json"]), |_| true);
    for arguments in
        [&["hold", "good-1", "--reason", "a test"][..], &["note", "good-1", "--reason", "a word", "--by", "ann"]]
    {
        let (code, told) = ended(&asks(operator, arguments));
        assert_eq!(code, 0, "{told}");
    }
    let ban = ["set-stage", "good-1", "banned", "--reason", "phishing"];
    assert_eq!(ended(&asks(operator, &ban)).0, 4, "that is an approver's");
    assert_eq!(ended(&asks(approver, &ban)).0, 0);
    let customer = until(|| asks(viewer, &["customer", "good-1", "--json"]), |customer| customer["stage"] == "banned");
    let by: Vec<_> = customer["history"].as_array().unwrap().iter().map(|decision| &decision["by"]).collect();
    assert_eq!(by, [&json!("operator"), &json!("ann (with the token operator)"), &json!("approver")]);
    assert!(asks(viewer, &["top", "--once"]).status.success());
}

/// Asks until it succeeds and the answer is as wanted.
fn until(ask: impl Fn() -> Output, wanted: impl Fn(&Value) -> bool) -> Value {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let output = ask();
        let answer: Value = serde_json::from_slice(&output.stdout).unwrap_or_default();
        if output.status.success() && wanted(&answer) {
            return answer;
        }
        assert!(Instant::now() < deadline, "{answer}: {}", String::from_utf8_lossy(&output.stderr));
        std::thread::sleep(Duration::from_millis(50));
    }
}
