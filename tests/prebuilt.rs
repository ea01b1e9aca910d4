//! `.ci/native`, which fetches a prebuilt RocksDB: with a damaged download, without a network, with a cache that is bad or can't be
//! written, and where RocksDB is to be compiled.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::sync::{Mutex, MutexGuard, PoisonError};

use tempfile::TempDir;

/// One at a time: a script that another test has just written can't be executed while a process of this one is being started.
static TURN: Mutex<()> = Mutex::new(());

/// A copy of what the script reads, with a home folder and a Maven of its own.
struct Checkout {
    folder: TempDir,
    _turn: MutexGuard<'static, ()>,
}

impl Checkout {
    /// A checkout whose `mvn` is this shell script: the fault to be tested.
    fn new(mvn: &str) -> Self {
        let turn = TURN.lock().unwrap_or_else(PoisonError::into_inner);
        let checkout = Self { folder: tempfile::tempdir().unwrap(), _turn: turn };
        let root = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap();
        for file in [".ci/native", ".ci/apt", ".cargo/config.toml", "deploy/rocksdb/SHA256SUMS", "Cargo.lock"] {
            let copy = checkout.path(file);
            fs::create_dir_all(copy.parent().unwrap()).unwrap();
            fs::copy(root.join(file), copy).unwrap();
        }
        fs::create_dir_all(checkout.path("home")).unwrap();
        checkout.write_executable("bin/mvn", mvn);
        checkout
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn write_executable(&self, name: &str, script: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, format!("#!/usr/bin/env bash\n{script}\n")).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }

    fn run(&self, variables: &[(&str, &str)]) -> Output {
        let path = format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap());
        let mut command = Command::new(self.path(".ci/native"));
        command.env("PATH", path).env("HOME", self.path("home")).env_remove("ROCKSDB");
        command.envs(variables.iter().copied()).output().unwrap()
    }

    /// Pins a library of this content for every machine.
    fn pin(&self, content: &str) {
        let library = self.path("pinned");
        fs::write(&library, content).unwrap();
        let output = Command::new("sha256sum").arg(&library).output().unwrap();
        let checksum = String::from_utf8(output.stdout).unwrap();
        let checksum = checksum.split(' ').next().unwrap();
        let lines = ["64", "-aarch64"].map(|machine| format!("{checksum}  librocksdbjni-linux{machine}.so\n"));
        let file = self.path("deploy/rocksdb/SHA256SUMS");
        let pins = fs::read_to_string(&file).unwrap();
        let version = pins.lines().next().unwrap();
        fs::write(file, format!("{version}\n{}", lines.concat())).unwrap();
    }

    /// The files in the home folder.
    fn installed(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.path("home")];
        let mut files = Vec::new();
        while let Some(folder) = folders.pop() {
            for entry in fs::read_dir(folder).into_iter().flatten() {
                let path = entry.unwrap().path();
                if path.is_dir() { folders.push(path) } else { files.push(path) }
            }
        }
        files
    }

    /// The folder in the cache that has this version's library.
    fn cache(&self) -> PathBuf {
        let lock = fs::read_to_string(self.path("Cargo.lock")).unwrap();
        let (_, package) = lock.split_once("name = \"librocksdb-sys\"").unwrap();
        let version = package.split(['+', '"']).nth(2).unwrap();
        self.path(&format!("home/.cache/weir/rocksdb-{version}"))
    }
}

fn text(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

/// Asserts that the script failed with this text, named a way out, and installed nothing.
fn assert_refused(checkout: &Checkout, output: &Output, expected: &str) {
    let text = text(output);
    assert!(!output.status.success(), "{text}");
    assert!(text.contains(expected), "{text}");
    assert!(text.contains("ROCKSDB=source"), "no way out is named: {text}");
    assert_eq!(checkout.installed(), Vec::<PathBuf>::new(), "{text}");
    assert!(!checkout.path(".cargo/native.toml").exists());
}

/// Writes a file as the library to the folder that is asked for.
const DAMAGED: &str = r#"for argument; do case $argument in
    -DoutputDirectory=*) folder=${argument#*=} ;;
    -Dmdep.unpack.includes=*) file=${argument#*=} ;;
esac; done
echo damaged >"$folder/$file"; touch of-the-plugin"#;

#[test]
fn a_library_that_is_not_the_pinned_one_is_refused() {
    let checkout = Checkout::new(DAMAGED);
    let output = checkout.run(&[]);
    assert_refused(&checkout, &output, "is not the file that deploy/rocksdb/SHA256SUMS pins");
}

#[test]
fn without_a_network_it_says_what_could_not_be_fetched() {
    let checkout = Checkout::new("echo '[ERROR] Unknown host'; exit 1");
    let output = checkout.run(&[]);
    assert_refused(&checkout, &output, "could not be fetched from Maven Central");
    assert!(text(&output).contains("Unknown host"), "the cause is missing: {}", text(&output));
}

#[test]
fn a_damaged_library_in_the_cache_is_fetched_again() {
    let checkout = Checkout::new("echo '[ERROR] asked again'; exit 1");
    fs::create_dir_all(checkout.cache()).unwrap();
    fs::write(checkout.cache().join("librocksdb.so"), "another version").unwrap();
    let output = checkout.run(&[]);
    assert!(text(&output).contains("asked again"), "{}", text(&output));
    assert!(!checkout.path(".cargo/native.toml").exists());
}

#[test]
fn compiling_from_source_needs_no_library() {
    let checkout = Checkout::new("echo 'Maven is not to be asked'; exit 1");
    fs::write(checkout.path(".cargo/native.toml"), "[env]\nROCKSDB_LIB_DIR = \"/nowhere\"\n").unwrap();
    let output = checkout.run(&[("ROCKSDB", "source")]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(checkout.installed(), Vec::<PathBuf>::new());
    let settings = fs::read_to_string(checkout.path(".cargo/native.toml")).unwrap();
    assert!(!settings.contains("ROCKSDB"), "{settings}");
}

#[test]
fn a_choice_that_does_not_exist_is_named() {
    let checkout = Checkout::new("exit 1");
    let output = checkout.run(&[("ROCKSDB", "sources")]);
    assert_refused(&checkout, &output, "ROCKSDB is 'sources'");
}

#[test]
fn a_machine_without_a_pinned_library_compiles_rocksdb() {
    let checkout = Checkout::new("exit 1");
    checkout.write_executable("bin/uname", "if [ \"$1\" = -m ]; then echo mips64; else echo Linux; fi");
    let output = checkout.run(&[]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("no prebuilt RocksDB is pinned for Linux on mips64"), "{}", text(&output));
    assert_eq!(checkout.installed(), Vec::<PathBuf>::new());
}

#[test]
fn the_pinned_library_is_kept_and_cargo_is_told_where_it_is() {
    let checkout = Checkout::new(DAMAGED);
    checkout.pin("damaged\n");
    let output = checkout.run(&[]);
    assert!(output.status.success(), "{}", text(&output));
    assert_eq!(checkout.installed(), [checkout.cache().join("librocksdb.so")]);
    assert!(!checkout.path("of-the-plugin").exists(), "Maven has written into the checkout");
    let settings = fs::read_to_string(checkout.path(".cargo/native.toml")).unwrap();
    assert!(settings.contains(&format!("ROCKSDB_LIB_DIR = \"{}\"", checkout.cache().display())), "{settings}");
    // From here on it needs no network.
    checkout.write_executable("bin/mvn", "exit 1");
    assert!(checkout.run(&[]).status.success());
}

#[test]
fn a_cache_that_cannot_be_written_is_named() {
    let checkout = Checkout::new(DAMAGED);
    // A file where a folder must be: not even root can write into it.
    fs::write(checkout.path("home/.cache"), "").unwrap();
    let output = checkout.run(&[]);
    assert!(!output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("can't be written to: make it writable"), "{}", text(&output));
    assert!(!checkout.path(".cargo/native.toml").exists());
}

#[test]
fn another_version_than_the_pinned_one_is_not_fetched() {
    let checkout = Checkout::new("exit 1");
    fs::write(checkout.path("deploy/rocksdb/SHA256SUMS"), "# RocksDB 1.0.0\n").unwrap();
    let output = checkout.run(&[]);
    assert!(!output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("SHA256SUMS pins another version of RocksDB than Cargo.lock"), "{}", text(&output));
    assert_eq!(checkout.installed(), Vec::<PathBuf>::new());
}
