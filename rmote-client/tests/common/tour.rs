//! What every way to a host has to carry: values, a tool with a dataclass, a coroutine and a print, an exception, the
//! end.

use bytes::Bytes;
use rmote_client::{
    Arguments, Cancelled, Event, Input, Options, Output, Session, Tool, Transport, Value,
};
use serde::Deserialize;
use tokio::io::AsyncReadExt;

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
    def blocks(n):
        try:
            for i in range(n):
                yield bytes([i % 256]) * 100000
        finally:
            Tour.closed = True

    @staticmethod
    def upper(lines, out):
        for line in lines:
            out.write(line.upper())
        return "end"

    @staticmethod
    def spin():
        try:
            while True:
                pass
        finally:
            Tour.closed = True

    @staticmethod
    def was_closed():
        was, Tour.closed = getattr(Tour, "closed", False), False
        return was

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
        stream(&tool).await;
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

/// Streams there and back, one that is dropped, and a call that is stopped.
async fn stream(tool: &Tool) {
    let mut blocks = tool.stream::<Bytes>("Tour.blocks", (300,)).await.unwrap();
    let mut bytes = 0;
    while let Some(block) = blocks.next().await {
        bytes += block.unwrap().len();
    }
    assert_eq!(bytes, 30_000_000);
    assert!(tool.call::<bool>("Tour.was_closed", ()).await.unwrap());
    let mut blocks = tool
        .stream::<Bytes>("Tour.blocks", (1_000_000,))
        .await
        .unwrap();
    assert_eq!(blocks.next().await.unwrap().unwrap(), vec![0; 100_000]);
    drop(blocks);
    while !tool.call::<bool>("Tour.was_closed", ()).await.unwrap() {}

    let (output, stream) = Output::channel::<Bytes>();
    let lines = Input::iter((0..100).map(|_| Bytes::from(vec![b'x'; 50_000])));
    let arguments = Arguments::default().input(lines).output(output);
    let mut upper = Vec::new();
    let mut reader = stream.into_reader();
    let (end, read) = tokio::join!(
        tool.call_with::<String>("Tour.upper", arguments),
        reader.read_to_end(&mut upper)
    );
    assert_eq!((&*end.unwrap(), read.unwrap()), ("end", 5_000_000));
    assert!(upper.iter().all(|&byte| byte == b'X'));

    // A loop in Python can be interrupted, but not by PyPy.
    let name: String = tool
        .session()
        .call("platform.python_implementation", ())
        .await
        .unwrap();
    if name == "CPython" {
        let spin = tool.start_with::<Value>("Tour.spin", Arguments::default());
        let spin = spin.await.unwrap();
        let cancelled = spin.cancel(std::time::Duration::from_secs(20)).await;
        assert!(matches!(cancelled, Cancelled::Stopped), "{cancelled:?}");
    }
}
