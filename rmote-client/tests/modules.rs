//! Tools of one's own: sent once, with what they import, and never mistaken for each other.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::collections::BTreeMap;

use common::recorder::Recorder;
use common::{Marker, chain, within};
use rmote_client::{CallErrorKind, Command, ModuleError, Session, Value};
use rmote_wire::Kind;

/// Runs a test in a session; gives it what passed over the wire, too.
async fn session<F: Future<Output = ()>>(test: impl FnOnce(Session, Wire) -> F) {
    let marker = Marker::new();
    let recorder = Recorder::new(marker.local());
    within(async {
        let session = Session::connect(recorder.clone()).await.unwrap();
        test(session.clone(), Wire(recorder)).await;
        session.close().await.unwrap();
    })
    .await;
    marker.gone().await;
}

struct Wire(Recorder<Command>);

impl Wire {
    /// The names of the modules that were sent.
    fn loaded(&self) -> Vec<String> {
        let frames = self.0.frames();
        let loads = frames.into_iter().filter(|frame| frame.kind == Kind::Load);
        loads
            .map(|frame| {
                // The first part of the tuple; the source may be compressed.
                let limits = rmote_client::Limits::default();
                let Value::Tuple(parts) = Value::decode(frame.payload, &limits).unwrap() else {
                    panic!("a load is a tuple")
                };
                parts[0].as_str().unwrap().to_owned()
            })
            .collect()
    }
}

const COUNTER: &str = r"
count = 0

class Counter:
    @staticmethod
    def next():
        global count
        count += 1
        return count
";

#[tokio::test]
async fn a_module_is_sent_once_and_keeps_its_state() {
    session(|session, wire| async move {
        let counter = session.load(COUNTER).unwrap();
        assert!(wire.loaded().is_empty(), "nothing before the first call");
        let (one, two): (i64, i64) = tokio::try_join!(
            counter.call("Counter.next", ()),
            counter.call("Counter.next", ())
        )
        .unwrap();
        assert_eq!(one + two, 3);
        // The same source again is the same module.
        let again = session.load(COUNTER).unwrap();
        assert_eq!(again.module(), counter.module());
        let three: i64 = again.call("Counter.next", ()).await.unwrap();
        assert_eq!(three, 3);
        assert_eq!(
            wire.loaded(),
            [
                "rmote.columns",
                "rmote.arguments",
                "rmote.logs",
                "rmote.children",
                counter.module()
            ]
        );
    })
    .await;
}

#[tokio::test]
async fn sources_without_a_name_live_beside_each_other() {
    session(|session, wire| async move {
        for number in 0..3_i64 {
            let source = format!(
                "class Tool:\n    @staticmethod\n    def number():\n        return {number}\n"
            );
            let tool = session.load(&source).unwrap();
            assert_eq!(tool.call::<i64>("Tool.number", ()).await.unwrap(), number);
        }
        // And the three modules of the agent that go with a user's tools and the one that goes with every call, once.
        assert_eq!(wire.loaded().len(), 7);
    })
    .await;
}

#[tokio::test]
async fn one_name_has_one_source() {
    session(|session, _| async move {
        session.load_as("tools.counter", COUNTER).unwrap();
        session.load_as("tools.counter", COUNTER).unwrap();
        let error = session.load_as("tools.counter", "x = 1").unwrap_err();
        assert!(matches!(&error, ModuleError::Conflict(name) if name == "tools.counter"));
        for name in ["", "a b", "1a", "a..b", "a/b", "a\n"] {
            let error = session.load_as(name, COUNTER).unwrap_err();
            assert!(matches!(error, ModuleError::Name(_)), "{name:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_tool_brings_the_tools_that_it_imports() {
    session(|session, wire| async move {
        // Loaded before what it imports, and beside what it does not.
        let shop = session
            .load_as("shop", "from counting.counter import Counter\n\nclass Shop:\n    def visit(self):\n        return Counter.next()\n")
            .unwrap();
        session.load_as("counting.counter", COUNTER).unwrap();
        session.load_as("unused", COUNTER).unwrap();
        assert_eq!(shop.call::<i64>("Shop.visit", ()).await.unwrap(), 1);
        assert_eq!(shop.call::<i64>("Shop.visit", ()).await.unwrap(), 2);
        let mut loaded = wire.loaded();
        assert_eq!(loaded.pop().as_deref(), Some("shop"));
        assert_eq!(loaded, ["rmote.columns", "counting", "counting.counter", "rmote.arguments", "rmote.logs", "rmote.children"]);
    })
    .await;
}

#[tokio::test]
async fn a_tool_of_the_old_protocol_runs() {
    session(|session, wire| async move {
        let source = "
from rmote.protocol import Tool, process, render_template

class Old(Tool):
    @classmethod
    async def greet(cls, name):
        done = process('echo', render_template('hello ${name}', name=name), capture_output=True, text=True)
        return done.stdout
";
        let old = session.load(source).unwrap();
        let text: String = old.call("Old.greet", ("world",)).await.unwrap();
        assert_eq!(text, "hello world\n");
        let loaded = wire.loaded();
        assert!(loaded.contains(&"rmote.protocol".to_owned()) && loaded.contains(&"rmote.process".to_owned()), "{loaded:?}");
    })
    .await;
}

#[tokio::test]
async fn a_file_is_a_module_of_its_name_and_tracebacks_show_its_path() {
    session(|session, _| async move {
        let dir = tempfile::TempDir::new().unwrap();
        let path = dir.path().join("audit.py");
        std::fs::write(
            &path,
            "class Audit:\n    def fail(self):\n        return 1 / 0  # here\n",
        )
        .unwrap();
        let audit = session.load_file(&path).unwrap();
        assert_eq!(audit.module(), "audit");
        let error = audit.call::<Value>("Audit.fail", ()).await.unwrap_err();
        let frame = error.raised().unwrap().frames.last().unwrap();
        assert_eq!(
            (frame.file.as_str(), frame.line),
            (path.to_str().unwrap(), 3)
        );
        assert_eq!(frame.text.as_deref(), Some("return 1 / 0  # here"));

        let missing = dir.path().join("missing.py");
        let error = session.load_file(&missing).unwrap_err();
        assert!(matches!(&error, ModuleError::Read { path, .. } if *path == missing));
        assert!(chain(&error).contains("missing.py"), "{error}");
        let odd = dir.path().join("not-a-name.py");
        std::fs::write(&odd, "").unwrap();
        assert!(matches!(session.load_file(&odd), Err(ModuleError::Name(_))));
    })
    .await;
}

#[tokio::test]
async fn a_name_that_python_knows_hides_nothing_from_others() {
    session(|session, _| async move {
        let json = session.load_as("json", "class Tool:\n    @staticmethod\n    def name():\n        import json\n        return json.dumps([1]), __name__\n").unwrap();
        let names: (String, String) = json.call("Tool.name", ()).await.unwrap();
        assert_eq!(names, ("[1]".to_owned(), "json".to_owned()));
    })
    .await;
}

#[tokio::test]
async fn stubs_of_one_name_and_other_sources_live_beside_each_other() {
    session(|session, _| async move {
        let old = session.load_stub("counter", COUNTER).unwrap();
        let new = session
            .load_stub("counter", &COUNTER.replace("+= 1", "+= 10"))
            .unwrap();
        assert_ne!(old.module(), new.module());
        assert!(old.module().starts_with("counter"));
        assert_eq!(old.call::<i64>("Counter.next", ()).await.unwrap(), 1);
        assert_eq!(new.call::<i64>("Counter.next", ()).await.unwrap(), 10);
    })
    .await;
}

#[tokio::test]
async fn a_function_may_be_indented_decorated_and_async() {
    session(|session, wire| async move {
        let source = "
            import functools

            def helper(x):
                return x + 1

            @functools.lru_cache(None)
            def cached(x):
                return helper(x)
        ";
        let cached = session.function(source).unwrap();
        assert_eq!(cached.call::<i64>((1,)).await.unwrap(), 2);
        let later = session
            .function("async def later(x, *, y=0):\n    import asyncio\n    await asyncio.sleep(0)\n    return x + y\n")
            .unwrap();
        let arguments = rmote_client::Arguments::new(&(1,)).unwrap().keyword("y", &2).unwrap();
        assert_eq!(later.call_with::<i64>(arguments).await.unwrap(), 3);
        assert_eq!(later.call::<i64>((5,)).await.unwrap(), 5);
        assert_eq!(wire.loaded().len(), 6);
        assert!(matches!(session.function("x = 1"), Err(ModuleError::NoFunction)));
    })
    .await;
}

#[tokio::test]
async fn a_source_that_does_not_compile_is_told_with_its_line_each_time() {
    session(|session, _| async move {
        let broken = session.load_as("broken", "x = 1\ndef (:\n").unwrap();
        for _ in 0..2 {
            let error = broken.call::<Value>("Tool.run", ()).await.unwrap_err();
            let remote = error.remote().unwrap();
            assert!(remote.is("SyntaxError"), "{error:?}");
            assert!(remote.message.contains("broken.py, line 2"), "{error:?}");
        }
        let fails = session
            .load_as("fails", "import no_such_thing_at_all\n")
            .unwrap();
        let error = fails.call::<Value>("Tool.run", ()).await.unwrap_err();
        assert!(
            !matches!(error.kind, CallErrorKind::Link { .. }),
            "{error:?}"
        );
        assert!(
            error.remote().unwrap().is("ModuleNotFoundError"),
            "{error:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_large_source_arrives_whole() {
    session(|session, _| async move {
        let line = |number: u32| format!("# padding {number} {}\n", number * 7919);
        let lines: Vec<String> = (0..20_000).map(line).collect();
        let source = format!(
            "def size():\n    return LENGTH\n{}LENGTH = 42\n",
            lines.concat()
        );
        let tool = session.load(&source).unwrap();
        assert_eq!(tool.call::<i64>("size", ()).await.unwrap(), 42);
    })
    .await;
}

#[tokio::test]
async fn describe_lists_what_tools_define() {
    session(|session, _| async move {
        let tool = session
            .load_as("shop", "class Shop:\n    '''Sells.'''\n    def buy(self, what: str, count: int = 1) -> bool:\n        '''Buys it.'''\n")
            .unwrap();
        let described = session.describe(&[tool]).await.unwrap();
        let methods: BTreeMap<_, _> = described[0]
            .methods
            .iter()
            .map(|method| (method.name.as_str(), method.doc.as_str()))
            .collect();
        assert_eq!((described[0].name.as_str(), described[0].doc.as_str()), ("Shop", "Sells."));
        assert_eq!(methods, BTreeMap::from([("buy", "Buys it.")]));
    })
    .await;
}
