//! Hash of all that the kernels are compiled from: two nodes with equal sources have equal kernels.

use std::fs;
use std::path::{Path, PathBuf};

/// 64-bit FNV-1a: no dependency, the same on every machine; it tells builds apart and protects nothing.
fn fnv(mut hash: u64, bytes: &[u8]) -> u64 {
    for byte in bytes {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash
}

fn files(folder: &Path, out: &mut Vec<PathBuf>) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, out);
        } else if path.extension().is_some_and(|e| e == "rs" || e == "toml") {
            out.push(path);
        }
    }
}

fn main() {
    let mut found = vec![
        PathBuf::from("Cargo.toml"),
        PathBuf::from("../kernels/Cargo.toml"),
    ];
    for folder in ["src", "../kernels/src"] {
        println!("cargo:rerun-if-changed={folder}");
        files(Path::new(folder), &mut found);
    }
    // the versions of what they depend on
    found.push(PathBuf::from("../../Cargo.lock"));
    found.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325;
    for path in &found {
        println!("cargo:rerun-if-changed={}", path.display());
        hash = fnv(hash, path.to_string_lossy().as_bytes());
        hash = fnv(hash, &fs::read(path).unwrap_or_default());
    }
    println!("cargo:rustc-env=TRADECORE_SOURCE_HASH={hash:016x}");
}
