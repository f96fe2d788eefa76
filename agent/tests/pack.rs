//! What the packing takes out of the Python sources changes nothing in what they do.

use std::path::{Path, PathBuf};
use std::process::Command;

use rmote_agent::pack::minify;

/// Fails unless two files are one program, docstrings aside, with every statement on its line, also as Python 3.6.
const COMPARE: &str = r#"
import ast, sys

def tree(path):
    source = open(path, encoding="utf-8").read()
    parsed = ast.parse(source, feature_version=(3, 6))
    lines = []
    for node in ast.walk(parsed):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            kept = [s for s in body if not (isinstance(s, ast.Expr) and isinstance(s.value, ast.Constant))]
            lines += [(type(s).__name__, s.lineno) for s in kept]
            node.body = kept or [ast.Pass()]
    return ast.dump(parsed), lines

original, minified = map(tree, sys.argv[1:])
assert original[0] == minified[0], "another program"
assert original[1] == minified[1], "lines have moved"
"#;

fn sources() -> Vec<PathBuf> {
    let agent = Path::new(env!("CARGO_MANIFEST_DIR"));
    // Beside this crate in the workspace; absent in the crate's own package.
    let folders = [
        agent.join("python"),
        agent.join("python/rmote"),
        agent.join("../rmote-tools/python"),
    ];
    let mut sources = Vec::new();
    for folder in folders.iter().filter(|folder| folder.is_dir()) {
        let entries = std::fs::read_dir(folder).expect("readable");
        let paths = entries.map(|entry| entry.expect("readable").path());
        sources.extend(paths.filter(|path| path.extension().is_some_and(|ending| ending == "py")));
    }
    sources
}

#[test]
fn a_minified_source_is_the_same_program_on_the_same_lines() {
    let sources = sources();
    assert!(sources.len() >= 13, "{sources:?}");
    let dir = tempfile::tempdir().expect("a folder");
    for source in sources {
        let minified = dir.path().join("minified.py");
        let text = std::fs::read_to_string(&source).expect("readable");
        std::fs::write(&minified, minify(&text)).expect("writable");
        let compared = Command::new("python3")
            .args(["-c", COMPARE])
            .arg(&source)
            .arg(&minified)
            .output()
            .expect("python3");
        let said = String::from_utf8_lossy(&compared.stderr);
        assert!(compared.status.success(), "{}: {said}", source.display());
    }
}

#[test]
fn the_comparison_finds_a_difference() {
    let dir = tempfile::tempdir().expect("a folder");
    let (one, other) = (dir.path().join("one.py"), dir.path().join("other.py"));
    for (text, changed) in [
        ("a = 1\n", "a = 2\n"),
        ("a = 1\nb = 2\n", "a = 1\n\nb = 2\n"),
    ] {
        std::fs::write(&one, text).expect("writable");
        std::fs::write(&other, changed).expect("writable");
        let compared = Command::new("python3")
            .args(["-c", COMPARE])
            .args([&one, &other])
            .output()
            .expect("python3");
        assert!(!compared.status.success());
    }
}
