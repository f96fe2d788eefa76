//! Packs the tools' Python sources.

use std::{env, fs, path::Path};

use rmote_agent::pack::{deflate, minify};

fn main() {
    println!("cargo::rerun-if-changed=python");
    let out = env::var("OUT_DIR").expect("cargo sets OUT_DIR");
    for entry in fs::read_dir("python").expect("the folder python is there") {
        let path = entry.expect("it can be read").path();
        if path.extension().is_none_or(|extension| extension != "py") {
            continue;
        }
        let name = path.file_stem().and_then(|stem| stem.to_str());
        let name = name.expect("modules have plain names");
        let source = fs::read_to_string(&path).expect("a module is text");
        let put = |file: &str, source: &str| {
            fs::write(Path::new(&out).join(file), deflate(source.as_bytes()))
                .expect("OUT_DIR is writable");
        };
        put(name, &minify(&source));
        // `from rmote.tools import Tool` imports a module of that name, which puts the class in its own place.
        let classes = source.lines().filter_map(|line| {
            line.strip_prefix("class ")?
                .strip_suffix(':')
                .filter(|class| class.chars().all(char::is_alphanumeric))
        });
        for class in classes {
            put(
                &format!("alias.{class}"),
                &format!(
                    "import sys\nfrom rmote.tools.{name} import {class}\nsys.modules[__name__] = {class}\n"
                ),
            );
        }
    }
}
