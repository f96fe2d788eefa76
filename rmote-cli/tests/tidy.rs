//! The layers of the workspace: an arrow that is not listed here fails.

use std::collections::BTreeSet;

use cargo_metadata::{DependencyKind, MetadataCommand};

/// Who may depend on whom.
const ARROWS: &[(&str, &[&str])] = &[
    ("rmote-wire", &[]),
    ("rmote-transport", &[]),
    ("rmote-agent", &[]),
    (
        "rmote-client",
        &["rmote-agent", "rmote-transport", "rmote-wire"],
    ),
    (
        "rmote-tools",
        &[
            "rmote-agent",
            "rmote-client",
            "rmote-transport",
            "rmote-wire",
        ],
    ),
    (
        "rmote-cli",
        &[
            "rmote-agent",
            "rmote-client",
            "rmote-tools",
            "rmote-transport",
            "rmote-wire",
        ],
    ),
    (
        "rmote-benches",
        &[
            "rmote-agent",
            "rmote-client",
            "rmote-tools",
            "rmote-transport",
            "rmote-wire",
        ],
    ),
];

/// What a crate must not use at all: the wire knows no I/O and no clock, the agent's packing no runtime.
const FORBIDDEN: &[(&str, &[&str])] = &[
    ("rmote-wire", &["tokio", "openssh"]),
    ("rmote-agent", &["tokio", "openssh"]),
    ("rmote-transport", &["serde"]),
];

#[test]
fn dependencies_point_down() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    let members: BTreeSet<_> = metadata
        .packages
        .iter()
        .map(|package| package.name.to_string())
        .collect();
    let listed: BTreeSet<_> = ARROWS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(members, listed, "every member has its place in the layers");
    for package in &metadata.packages {
        let name = package.name.as_str();
        let allowed = ARROWS.iter().find(|(member, _)| *member == name).unwrap().1;
        let forbidden = FORBIDDEN
            .iter()
            .find(|(member, _)| *member == name)
            .map_or(&[][..], |(_, names)| names);
        for dependency in package
            .dependencies
            .iter()
            .filter(|dependency| dependency.kind != DependencyKind::Development)
        {
            let on = dependency.name.as_str();
            assert!(
                !members.contains(on) || allowed.contains(&on),
                "{name} must not depend on {on}"
            );
            assert!(!forbidden.contains(&on), "{name} must not use {on}");
        }
    }
}

#[test]
fn every_library_can_be_used_alone() {
    let metadata = MetadataCommand::new().no_deps().exec().unwrap();
    for package in metadata
        .packages
        .iter()
        .filter(|package| package.name.as_str() != "rmote-benches")
    {
        assert_eq!(
            package.license.as_deref(),
            Some("MIT OR Apache-2.0"),
            "{}",
            package.name
        );
        assert!(
            package.description.is_some(),
            "{} says what it is",
            package.name
        );
        let folder = package.manifest_path.parent().unwrap();
        let readme = std::fs::read_to_string(folder.join("README.md")).unwrap();
        assert!(
            readme.contains("```"),
            "{}'s README has an example",
            package.name
        );
    }
}

#[test]
fn only_the_command_line_has_a_command_line() {
    let root = MetadataCommand::new()
        .no_deps()
        .exec()
        .unwrap()
        .workspace_root;
    for name in [
        "rmote-wire",
        "rmote-transport",
        "rmote-client",
        "rmote-tools",
        "agent",
    ] {
        let mut folders = vec![root.join(name).join("src")];
        while let Some(folder) = folders.pop() {
            for entry in std::fs::read_dir(&folder).unwrap() {
                let path =
                    cargo_metadata::camino::Utf8PathBuf::try_from(entry.unwrap().path()).unwrap();
                if path.is_dir() {
                    folders.push(path);
                    continue;
                }
                let source = std::fs::read_to_string(&path).unwrap();
                let code: Vec<_> = source
                    .lines()
                    .filter(|line| !line.trim_start().starts_with("//"))
                    .collect();
                for word in ["env::args", "process::exit(", "RMOTE_"] {
                    assert!(
                        !code.iter().any(|line| line.contains(word)),
                        "{path} uses {word}"
                    );
                }
            }
        }
    }
}
