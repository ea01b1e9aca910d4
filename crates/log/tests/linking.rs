//! The C libraries within a binary are its own: a shared RocksDB must not call them in place of its own copies.

use std::process::Command;

#[test]
fn a_binary_exports_no_function_of_the_libraries_in_it() {
    let binary = std::env::current_exe().unwrap();
    let symbols = |options: &[&str]| {
        let output = Command::new("nm").args(options).arg(&binary).output().unwrap();
        String::from_utf8(output.stdout).unwrap()
    };
    let bundled =
        |symbols: &str| symbols.lines().filter(|line| line.contains(" ZSTD_") || line.contains(" LZ4_")).count();
    assert_ne!(
        bundled(&symbols(&["--defined-only"])),
        0,
        "neither zstd nor LZ4 is in this binary: the test shows nothing"
    );
    assert_eq!(bundled(&symbols(&["--dynamic", "--defined-only"])), 0);
}
