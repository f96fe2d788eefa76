//! What every way to a host has to carry: values, a tool with a dataclass, a coroutine and a print, an exception, the
//! end.

use rmote_client::{Event, Options, Session, Transport, Value};
use serde::Deserialize;

use super::within;

const TOOL: &str = r#"
import dataclasses


@dataclasses.dataclass
class Report:
    name: str
    numbers: list


class Tour:
    async def report(self, name, count):
        import asyncio
        await asyncio.sleep(0)
        print("about " + name)
        return Report(name, list(range(count)))

    @staticmethod
    def fail():
        raise OSError(2, "gone", "/the/file")

    @staticmethod
    def work():
        from rmote.process import run
        run(["sleep", "1000"])
"#;

#[derive(Debug, Deserialize, PartialEq)]
struct Report {
    name: String,
    numbers: Vec<u32>,
}

/// Goes the whole way and closes; gives what Python says its version is.
pub async fn tour(transport: impl Transport, options: Options) -> String {
    within(async {
        let session = Session::connect_with(transport, options).await.unwrap();
        let mut events = session.events();
        let tool = session.load_as("tour", TOOL).unwrap();
        let report: Report = tool.call("Tour.report", ("grüße", 3)).await.unwrap();
        let expected = Report {
            name: "grüße".to_owned(),
            numbers: vec![0, 1, 2],
        };
        assert_eq!(report, expected);
        let Some(Event::Output { data, function, .. }) = events.try_next() else {
            panic!("the output comes before the result")
        };
        assert_eq!(&data[..], "about grüße\n".as_bytes());
        assert_eq!(function.as_deref(), Some("tour:Tour.report"));
        let error = tool.call::<Value>("Tour.fail", ()).await.unwrap_err();
        let remote = error.raised().unwrap();
        assert!(remote.is("FileNotFoundError"), "{error:?}");
        let text = remote.traceback();
        assert!(text.contains("raise OSError(2, \"gone\", \"/the/file\")"), "{text}");
        let data = Value::from(bytes::Bytes::from(vec![7; 1 << 20]));
        let back: Value = session.call("copy.copy", (&data,)).await.unwrap();
        assert_eq!(back, data);
        let version: String = session.call("platform.python_version", ()).await.unwrap();
        let (major, minor, patch) = session.ready().await.unwrap().python;
        assert!(version.starts_with(&format!("{major}.{minor}.{patch}")), "{version}");
        // What runs when the session closes ends with it.
        let work = tokio::spawn({
            let tool = tool.clone();
            async move { tool.call::<Value>("Tour.work", ()).await }
        });
        let listed = session
            .function("def children():\n    import os\n    return [open('/proc/%s/cmdline' % p).read() for p in os.listdir('/proc') if p.isdigit() and os.path.exists('/proc/%s' % p)]\n")
            .unwrap();
        loop {
            // A process may end between the two looks at it.
            let lines = listed.call::<Vec<String>>(()).await.unwrap_or_default();
            if lines.iter().any(|line| line == "sleep\u{0}1000\u{0}") {
                break;
            }
        }
        session.close().await.unwrap();
        work.await.unwrap().unwrap_err();
        version
    })
    .await
}
