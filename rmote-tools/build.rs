//! Packs the tools' Python sources.

use std::{env, fs, path::Path};

const TOOLS: [&str; 8] = [
    "blocks", "child", "exec", "fs", "incoming", "receiver", "sender", "tree",
];

fn main() {
    println!("cargo::rerun-if-changed=python");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for name in TOOLS {
        let path = format!("python/{name}.py");
        let source = fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}"));
        let packed = rmote_agent::pack::deflate(rmote_agent::pack::minify(&source).as_bytes());
        fs::write(Path::new(&out).join(name), packed).expect("OUT_DIR is writable");
    }
}
