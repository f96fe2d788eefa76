//! Packs the Python sources: the core as one stream, the modules that follow on demand one by one.

use std::{env, fs, path::Path};

#[path = "src/pack.rs"]
#[expect(
    unreachable_pub,
    reason = "it is public in the library, which shares this file"
)]
mod pack;

/// Loaded with every session, in this order in the stream: the smallest of all.
const CORE: [&str; 5] = ["wire", "failure", "output", "coroutines", "agent"];
/// Sent when something asks for them.
const ON_DEMAND: [&str; 10] = [
    "arguments",
    "children",
    "columns",
    "describe",
    "interrupt",
    "logs",
    "process",
    "protocol",
    "streams",
    "template",
];

fn main() {
    println!("cargo::rerun-if-changed=python");
    println!("cargo::rerun-if-changed=src/pack.rs");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    let write = |name: &str, bytes: &[u8]| {
        fs::write(Path::new(&out).join(name), bytes).expect("OUT_DIR is writable");
    };
    let read = |name: &str| {
        let path = format!("python/{name}.py");
        pack::minify(&fs::read_to_string(&path).unwrap_or_else(|error| panic!("{path}: {error}")))
    };

    write(
        "first_stage",
        read("first_stage").trim().replace('\n', "~").as_bytes(),
    );

    let mut core = read("rmote/loader");
    for name in CORE {
        let source = read(&format!("rmote/{name}"));
        core.extend(["\0rmote.", name, "\0", &source]);
    }
    let mut bootstrap = b"#rmote\n".to_vec();
    // It travels with every session, so a twentieth less is worth a second of the build.
    zopfli::compress(
        zopfli::Options::default(),
        zopfli::Format::Zlib,
        core.as_bytes(),
        &mut bootstrap,
    )
    .expect("writing to memory does not fail");
    write("bootstrap", &bootstrap);

    for name in ON_DEMAND {
        write(
            name,
            &pack::deflate(read(&format!("rmote/{name}")).as_bytes()),
        );
    }
}
