//! Every stub against the Python source that it speaks for.

use rmote_tools::{Local, Session, Signature, TOOLS, options, tool};

/// What Python says of a method, as a stub would say it.
fn as_stub(parameters: &[(String, String)]) -> (Vec<&str>, Option<&str>, Vec<&str>) {
    let of = |wanted: &'static str| {
        parameters
            .iter()
            .filter(move |(_, kind)| kind == wanted)
            .map(|(name, _)| name.as_str())
    };
    (
        of("POSITIONAL_OR_KEYWORD").collect(),
        of("VAR_POSITIONAL").next(),
        of("KEYWORD_ONLY").collect(),
    )
}

fn differences(signatures: &[Signature], described: &rmote_tools::ToolDescription) -> Vec<String> {
    let mut differences = Vec::new();
    for method in &described.methods {
        let Some(stub) = signatures.iter().find(|stub| stub.method == method.name) else {
            differences.push(format!("{} has no stub", method.name));
            continue;
        };
        let stub_says = (
            stub.positional.to_vec(),
            stub.variadic,
            stub.keywords.to_vec(),
        );
        if stub_says != as_stub(&method.parameters) {
            differences.push(format!(
                "{}: stub {stub_says:?}, Python {}",
                method.name, method.signature
            ));
        }
    }
    let methods: Vec<_> = described
        .methods
        .iter()
        .map(|method| method.name.as_str())
        .collect();
    let gone = signatures
        .iter()
        .filter(|stub| !methods.contains(&stub.method));
    differences.extend(gone.map(|stub| format!("{} is only in the stub", stub.method)));
    differences
}

#[tokio::test]
async fn every_stub_matches_its_source() {
    let host = Session::connect(Local::new()).await.unwrap();
    for builtin in TOOLS {
        let described = host.describe(&[host.module(builtin.module)]).await.unwrap();
        let [tool] = described.as_slice() else {
            panic!("{} and nothing else: {described:?}", builtin.name)
        };
        assert_eq!(tool.name, builtin.name);
        assert_eq!(
            differences(builtin.signatures, tool),
            Vec::<String>::new(),
            "{}",
            builtin.name
        );
        assert!(
            !builtin.doc.is_empty() && builtin.signatures.iter().all(|stub| !stub.doc.is_empty())
        );
    }
    host.close().await.unwrap();
}

const WRONG: &str = "
class Wrong:
    @staticmethod
    def renamed(new): pass

    @staticmethod
    def option(a, *, added=1): pass

    @staticmethod
    def missing(): pass
";

tool! {
    /// A stub that has fallen behind its source.
    pub struct Wrong = ("wrong", WRONG);

    /// Its parameter has another name now.
    fn renamed(old: i64) -> ();

    /// Its option is new.
    fn option(a: i64) -> (), option_with(Options);

    /// It is gone.
    fn gone() -> ();
}

options! {
    /// None of the options that the source has.
    pub struct Options {
        /// Not there.
        removed: i64,
    }
}

#[tokio::test]
async fn a_stub_that_fell_behind_is_found_out() {
    let host = Session::connect(Local::new()).await.unwrap();
    let described = host
        .describe(&[host.load_stub("wrong", WRONG).unwrap()])
        .await
        .unwrap();
    let found = differences(Wrong::SIGNATURES, &described[0]);
    for part in [
        "renamed: stub",
        "option: stub",
        "missing has no stub",
        "gone is only in the stub",
    ] {
        assert!(
            found.iter().any(|line| line.contains(part)),
            "{part} in {found:?}"
        );
    }
    host.close().await.unwrap();
}
