//! Places a prebuilt RocksDB beside the binaries that are linked to it, and refuses to link without the flags that it needs.
//!
//! The prebuilt library exports the functions of its own zstd and LZ4. Weir links to copies of both, and the dynamic linker would
//! let RocksDB call those: structures that one copy made would be used by the other, whose build may lay them out otherwise. The
//! flags in `.cargo/config.toml` hide Weir's copies.

use std::env;
use std::path::{Path, PathBuf};

const LIBRARY: &str = "librocksdb.so";
const LICENSE: &str = "librocksdb.LICENSE";

fn main() {
    println!("cargo::rerun-if-env-changed=ROCKSDB_LIB_DIR");
    println!("cargo::rerun-if-env-changed=CARGO_ENCODED_RUSTFLAGS");
    let is_linux = env::var("CARGO_CFG_TARGET_OS").is_ok_and(|system| system == "linux");
    let folder = env::var_os("ROCKSDB_LIB_DIR").map(PathBuf::from);
    if let Some(folder) = folder.filter(|_| is_linux)
        && let Err(problem) = prepare(&folder)
    {
        println!("cargo::error={problem}");
    }
}

fn prepare(folder: &Path) -> Result<(), String> {
    if !env::var("CARGO_ENCODED_RUSTFLAGS").unwrap_or_default().contains("--exclude-libs,ALL") {
        return Err(
            "RUSTFLAGS replaces the linker flags in .cargo/config.toml, which the prebuilt RocksDB needs: add them to \
                    RUSTFLAGS, or compile RocksDB with `make ROCKSDB=source`"
                .to_owned(),
        );
    }
    let library = folder.join(LIBRARY);
    if !library.exists() {
        return Err(format!("{} is missing: run `make setup`", library.display()));
    }
    let variable = |name| env::var_os(name).map(PathBuf::from).ok_or(format!("cargo does not set {name}"));
    let output = variable("OUT_DIR")?;
    // OUT_DIR is {profile's folder}/build/{package}/out.
    let beside = output.ancestors().nth(3).ok_or("OUT_DIR is not within a target folder")?;
    let license = variable("CARGO_MANIFEST_DIR")?.join("../../deploy/rocksdb/LICENSE");
    for (from, to) in [(library, beside.join(LIBRARY)), (license, beside.join(LICENSE))] {
        // A copy that goes missing is made again.
        println!("cargo::rerun-if-changed={}", from.display());
        println!("cargo::rerun-if-changed={}", to.display());
        replace(&from, &to)
            .map_err(|error| format!("{} can't be copied to {}: {error}", from.display(), to.display()))?;
    }
    Ok(())
}

/// Copies a file under another name first: a process that runs may have the old one open. The copy is as old as its original, so
/// that cargo does not take it for one that was changed since.
fn replace(from: &Path, to: &Path) -> std::io::Result<()> {
    let new = to.with_extension("new");
    std::fs::copy(from, &new)?;
    let modified = std::fs::metadata(from)?.modified()?;
    std::fs::File::options().write(true).open(&new)?.set_modified(modified)?;
    std::fs::rename(new, to)
}
