//! Packs the Python sources: the core as one stream, the modules that follow on demand one by one.

use std::{env, fs, path::Path};

#[path = "src/pack.rs"]
#[expect(
    unreachable_pub,
    reason = "it is public in the library, which shares this file"
)]
mod pack;

/// Sent before the first call, in this order in the stream: the smallest of all. Each is compiled when it is first used.
const CORE: [&str; 4] = ["wire", "values", "seldom", "agent"];
/// Sent after the agent's first answer, or before when a first call needs them.
const REST: [&str; 18] = [
    "arguments",
    "children",
    "columns",
    "compression",
    "coroutines",
    "describe",
    "ending",
    "failure",
    "further",
    "interrupt",
    "logs",
    "output",
    "process",
    "protocol",
    "steps",
    "streams",
    "template",
    "watcher",
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

    for name in ["compile", "compiled"] {
        write(name, read(name).as_bytes());
    }

    let join = |names: &[&str]| {
        let parts = names.iter().map(|name| {
            let source = read(&format!("rmote/{name}"));
            format!("rmote.{name}\0{source}")
        });
        parts.collect::<Vec<_>>().join("\0")
    };
    let core = format!("{}\0{}", read("rmote/loader"), join(&CORE));
    write("bootstrap", &[b"#rmote\n", &compress(&core)[..]].concat());
    write("rest", &compress(&join(&REST)));
    for name in REST {
        write(
            name,
            &pack::deflate(read(&format!("rmote/{name}")).as_bytes()),
        );
    }
}

/// Travels with every session, so a twentieth less is worth a second of the build.
fn compress(text: &str) -> Vec<u8> {
    let mut packed = Vec::new();
    zopfli::compress(
        zopfli::Options::default(),
        zopfli::Format::Zlib,
        text.as_bytes(),
        &mut packed,
    )
    .expect("writing to memory does not fail");
    packed
}
