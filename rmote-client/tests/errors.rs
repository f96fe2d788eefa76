//! Who failed, and what a tool may do without hurting more than its own call.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use std::io::ErrorKind;

use common::{Marker, chain, within};
use rmote_client::{
    Arguments, CallError, CallErrorKind, Limits, Options, RemoteError, Session, Tool, Value,
};

const HOSTILE: &str = include_str!("hostile.py");

async fn hostile<F: Future<Output = ()>>(test: impl FnOnce(Tool) -> F) {
    hostile_with(Options::new(), test).await;
}

/// Runs a test with the tool; afterwards the session serves as before, and nothing is left of it.
async fn hostile_with<F: Future<Output = ()>>(options: Options, test: impl FnOnce(Tool) -> F) {
    let marker = Marker::new();
    within(async {
        let session = Session::connect_with(marker.local(), options)
            .await
            .unwrap();
        let tool = session.load_as("hostile", HOSTILE).unwrap();
        test(tool.clone()).await;
        let done: String = tool.call("Hostile.no_arguments", ()).await.unwrap();
        assert_eq!(done, "done");
        session.close().await.unwrap();
    })
    .await;
    marker.gone().await;
}

async fn fails(tool: &Tool, method: &str) -> CallError {
    let error = tool.call::<Value>(&format!("Hostile.{method}"), ()).await;
    error.expect_err(method)
}

/// The error that the function raised.
async fn raised(tool: &Tool, method: &str) -> RemoteError {
    let error = fails(tool, method).await;
    match error.kind {
        CallErrorKind::Raised(error) => *error,
        _ => panic!("{method}: {error:?}"),
    }
}

#[tokio::test]
async fn an_exception_arrives_whole() {
    hostile(|tool| async move {
        let error = tool.call::<Value>("Hostile.value_error", ("input",)).await.unwrap_err();
        let text = error.to_string();
        assert!(text.contains(tool.session().target()) && text.contains("hostile:Hostile.value_error"), "{text}");
        let error = error.raised().unwrap();
        assert_eq!((error.class.as_str(), error.module.as_str()), ("ValueError", "builtins"));
        assert_eq!(error.bases, ["ValueError", "Exception", "BaseException"]);
        assert_eq!(error.message, "('bad input', 7)");
        assert_eq!(error.args, Some(vec!["bad input".into(), 7.into()]));
        assert_eq!((error.errno, error.io_kind()), (None, None));
        assert!(error.is("ValueError") && error.is("builtins.Exception") && !error.is("OSError"));
        let frame = error.frames.last().unwrap();
        assert_eq!((frame.file.as_str(), frame.function.as_str()), ("hostile.py", "value_error"));
        assert_eq!(frame.text.as_deref(), Some("raise ValueError(\"bad \" + text, 7)"));
        let line = HOSTILE.lines().position(|line| line.contains("raise ValueError(\"bad \"")).unwrap() + 1;
        assert_eq!(usize::try_from(frame.line).unwrap(), line);
        assert_eq!(
            error.traceback(),
            format!(
                "Traceback (most recent call last):\n  File \"hostile.py\", line {line}, in value_error\n    \
                 raise ValueError(\"bad \" + text, 7)\nValueError: ('bad input', 7)\n"
            )
        );
    })
    .await;
}

#[tokio::test]
async fn causes_and_contexts_come_along() {
    hostile(|tool| async move {
        let error = raised(&tool, "cause").await;
        assert!(error.is("KeyError") && error.explicit_cause);
        assert!(error.cause.as_ref().unwrap().is("ValueError"));
        let text = error.traceback();
        assert!(
            text.contains("was the direct cause of the following exception")
                && text.contains("bad input"),
            "{text}"
        );
        let error = raised(&tool, "context").await;
        assert!(error.is("LookupError") && !error.explicit_cause);
        let text = error.traceback();
        assert!(
            text.contains("During handling of the above exception"),
            "{text}"
        );
        let chained = chain(&error);
        assert!(
            chained.contains("KeyError: 'missing'")
                && chained.contains("ValueError: ('bad input', 7)"),
            "{chained}"
        );
    })
    .await;
}

#[tokio::test]
async fn an_os_error_has_its_kind_and_its_file() {
    hostile(|tool| async move {
        let session = tool.session();
        for (function, path, kind, errno) in [
            ("os.stat", "/no/such/file", ErrorKind::NotFound, 2),
            ("os.listdir", "/dev/null", ErrorKind::NotADirectory, 20),
            ("os.rmdir", "/proc/self", ErrorKind::NotADirectory, 20),
            ("os.mkdir", "/", ErrorKind::AlreadyExists, 17),
        ] {
            let error = session.call::<Value>(function, (path,)).await.unwrap_err();
            let error = error.raised().unwrap();
            assert_eq!(error.io_kind(), Some(kind), "{error:?}");
            assert_eq!(error.errno, Some(errno));
            assert_eq!(error.filename.as_deref(), Some(path.as_ref()));
        }
    })
    .await;
}

#[tokio::test]
async fn odd_exceptions_are_described_all_the_same() {
    hostile(|tool| async move {
        let error = raised(&tool, "odd").await;
        assert!(
            error.is("hostile.OddError") && error.is("OddError"),
            "{error:?}"
        );
        assert!(error.message.contains("str() of it failed"), "{error:?}");
        assert_eq!(error.args, Some(vec![1.into()]));
        let error = raised(&tool, "made_at_run_time").await;
        assert!(error.message.contains('\x1b'), "the field is as it came");
        for text in [error.to_string(), error.traceback()] {
            assert!(
                !text.contains('\x1b') && !text.contains('\u{202e}'),
                "{text}"
            );
        }
        let error = raised(&tool, "long").await;
        assert!(error.message.len() < 70_000);
    })
    .await;
}

#[tokio::test]
async fn what_would_end_a_program_ends_its_call_alone() {
    hostile(|tool| async move {
        for (method, class) in [
            ("exit", "SystemExit"),
            ("interrupt", "KeyboardInterrupt"),
            ("stop", "StopIteration"),
            ("generator_exit", "GeneratorExit"),
            ("async_exit", "SystemExit"),
            ("async_cancelled", "CancelledError"),
            ("recurse", "RecursionError"),
        ] {
            let error = raised(&tool, method).await;
            assert!(error.is(class), "{method}: {error:?}");
        }
        let error = raised(&tool, "async_stop").await;
        assert!(
            error.is("RuntimeError") || error.is("StopAsyncIteration"),
            "{error:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_result_that_is_no_data_is_named_with_its_path() {
    hostile(|tool| async move {
        let error = fails(&tool, "a_lambda").await;
        let CallErrorKind::Agent(remote) = &error.kind else {
            panic!("{error:?}")
        };
        assert!(
            remote.message.contains("result.items[1].callback"),
            "{remote:?}"
        );
        for method in ["deep", "cycle"] {
            let error = fails(&tool, method).await;
            assert!(matches!(error.kind, CallErrorKind::Limit(_)), "{error:?}");
        }
    })
    .await;
}

#[tokio::test]
async fn a_result_over_the_limit_hurts_its_call_alone() {
    let options = Options::new().limits(Limits::default().with_frame(100_000));
    hostile_with(options, |tool| async move {
        let size: Vec<u8> = tool
            .call::<bytes::Bytes>("Hostile.large", (99_000,))
            .await
            .unwrap()
            .into();
        assert_eq!(size.len(), 99_000);
        for size in [100_000, 1 << 20] {
            let error = tool
                .call::<Value>("Hostile.large", (size,))
                .await
                .unwrap_err();
            assert!(matches!(error.kind, CallErrorKind::Limit(_)), "{error:?}");
        }
        // Of an argument, too: nothing is sent.
        let error = tool
            .call::<Value>("Hostile.large", ("x".repeat(100_000),))
            .await
            .unwrap_err();
        assert!(
            matches!(error.kind, CallErrorKind::Arguments(_)),
            "{error:?}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_call_that_cannot_be_made_is_the_agents_to_tell() {
    hostile(|tool| async move {
        let session = tool.session();
        for function in [
            "no_such_module.function",
            "os.no_such_function",
            "os",
            "",
            "os:",
            "os:sep",
            "os.sep",
            "..",
        ] {
            let error = session
                .call::<Value>(function, (1, 2, 3))
                .await
                .unwrap_err();
            assert!(
                matches!(error.kind, CallErrorKind::Agent(_)),
                "{function:?}: {error:?}"
            );
        }
        for name in ["", "Hostile.missing", "Missing", "Hostile.no_arguments.x"] {
            let error = tool.call::<Value>(name, ()).await.unwrap_err();
            assert!(
                matches!(error.kind, CallErrorKind::Agent(_)),
                "{name:?}: {error:?}"
            );
        }
        let error = tool
            .call::<Value>("Hostile.no_arguments", (1,))
            .await
            .unwrap_err();
        assert!(matches!(error.kind, CallErrorKind::Agent(_)), "{error:?}");
        let arguments = Arguments::default().keyword("nonsense", &1).unwrap();
        let error = tool
            .call_with::<Value>("Hostile.no_arguments", arguments)
            .await
            .unwrap_err();
        assert!(
            matches!(&error.kind, CallErrorKind::Agent(remote) if remote.is("TypeError")),
            "{error:?}"
        );
    })
    .await;
}

#[derive(serde::Serialize)]
struct Unsendable {
    inner: Vec<Failing>,
}

struct Failing;

impl serde::Serialize for Failing {
    fn serialize<S: serde::Serializer>(&self, _: S) -> Result<S::Ok, S::Error> {
        Err(serde::ser::Error::custom("not today"))
    }
}

#[tokio::test]
async fn what_does_not_fit_on_this_side_is_told_with_its_path() {
    hostile(|tool| async move {
        let error = tool
            .call::<(i64, Vec<String>)>("Hostile.no_arguments", ())
            .await
            .unwrap_err();
        assert!(matches!(error.kind, CallErrorKind::Result(_)), "{error:?}");
        let value = Unsendable {
            inner: vec![Failing],
        };
        let error = tool
            .call::<Value>("Hostile.large", (value,))
            .await
            .unwrap_err();
        assert!(
            matches!(error.kind, CallErrorKind::Arguments(_)),
            "{error:?}"
        );
        let text = chain(&error);
        assert!(
            text.contains("not today") && text.contains("inner[0]"),
            "{text}"
        );
    })
    .await;
}

#[tokio::test]
async fn forks_closed_descriptors_and_threads_do_not_touch_the_link() {
    hostile(|tool| async move {
        for (method, expected) in [
            ("fork", "parent"),
            ("close_descriptors", "done"),
            ("thread_dies", "done"),
            ("fork", "parent"),
        ] {
            let result: String = tool.call(&format!("Hostile.{method}"), ()).await.unwrap();
            assert_eq!(result, expected);
        }
        let input: (String, bytes::Bytes) = tool.call("Hostile.read_input", ()).await.unwrap();
        assert!(input.0.is_empty() && input.1.is_empty());
    })
    .await;
}
