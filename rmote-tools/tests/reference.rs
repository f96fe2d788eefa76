//! The pages of `docs/tools` against the sources that they describe. `RMOTE_BLESS=1` writes them.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "reference/page.rs"]
mod page;
#[path = "reference/source.rs"]
mod source;

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::path::Path;
use std::{env, fs};

use rmote_tools::{Local, Session, TOOLS};

#[tokio::test]
async fn the_pages_say_what_the_sources_say() {
    let sources = source::read();
    let host = Session::connect(Local::new()).await.unwrap();
    let mut pages = BTreeMap::new();
    let mut index = String::from(
        "# The tools\n\nMade from the sources by `RMOTE_BLESS=1 cargo test -p rmote-tools --test reference`.\n\n",
    );
    let mut lacking = Vec::new();
    for builtin in TOOLS {
        let described = host.describe(&[host.module(builtin.module)]).await.unwrap();
        let tool = &sources.tools[builtin.name];
        for part in ["# Examples\n", "# Command line\n"] {
            if !tool.doc.contains(part) {
                lacking.push(format!("{}: no section {part:?}", builtin.name));
            }
        }
        let name = page::file_name(builtin.name);
        _ = writeln!(index, "- [{}]({name}): {}", builtin.name, builtin.doc);
        pages.insert(name, page::of(tool, &described[0], &sources));
    }
    pages.insert("README.md".to_owned(), index);
    host.close().await.unwrap();
    assert_eq!(lacking, Vec::<String>::new());

    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tools");
    let found = fs::read_dir(&folder).into_iter().flatten();
    let stale = found
        .map(|entry| entry.unwrap().path())
        .filter(|path| !pages.contains_key(path.file_name().unwrap().to_str().unwrap()));
    let mut wrong: Vec<_> = stale.collect();
    let bless = env::var_os("RMOTE_BLESS").is_some();
    for path in wrong.drain(..if bless { wrong.len() } else { 0 }) {
        fs::remove_file(path).unwrap();
    }
    for (name, page) in pages {
        let path = folder.join(name);
        if fs::read_to_string(&path).is_ok_and(|text| text == page) {
            continue;
        }
        if bless {
            fs::create_dir_all(&folder).unwrap();
            fs::write(path, page).unwrap();
        } else {
            wrong.push(path);
        }
    }
    assert!(
        wrong.is_empty(),
        "not as the sources say: {wrong:?}; RMOTE_BLESS=1 writes them anew"
    );
}
