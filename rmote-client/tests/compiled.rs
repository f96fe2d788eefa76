//! Sessions after the second on this machine bring the agent compiled, and work as all others do.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;

use common::within;
use rmote_client::{Local, Session, Tool};

const CODE: &str = r#"
import sys

def left():
    "The files whose code was brought and not asked for yet."
    make = sys.modules["rmote.loader"].__dict__.get("compile")
    if make:
        cells = [cell.cell_contents for cell in make.__closure__]
        return sorted(file for cell in cells if isinstance(cell, dict) for file, _ in cell)

def fails():
    raise ValueError("no")
"#;

async fn start() -> (Session, Tool) {
    let session = Session::connect(Local::new()).await.unwrap();
    let tool = session.load(CODE).unwrap();
    (session, tool)
}

#[tokio::test]
async fn later_sessions_compile_nothing_of_what_all_need() {
    within(async {
        for _ in 0..2 {
            let (session, tool) = start().await;
            let left: Option<Vec<String>> = tool.call("left", ()).await.unwrap();
            assert_eq!(left, None);
            session.close().await.unwrap();
        }
        // The second has it compiled; nobody waits for that.
        let (session, tool, left) = loop {
            let (session, tool) = start().await;
            let left: Option<Vec<String>> = tool.call("left", ()).await.unwrap();
            if let Some(left) = left {
                break (session, tool, left);
            }
        };
        let has = |left: &[String], name: &str| left.iter().any(|file| file == name);
        for used in ["loader", "agent", "wire"] {
            assert!(!has(&left, &format!("rmote/{used}.py")), "{left:?}");
        }
        assert!(has(&left, "rmote/failure.py"), "{left:?}");

        let error = tool.call::<()>("fails", ()).await.unwrap_err();
        let raised = error.remote().unwrap();
        assert_eq!((&*raised.class, &*raised.message), ("ValueError", "no"));
        let left: Vec<String> = tool.call("left", ()).await.unwrap();
        assert!(!has(&left, "rmote/failure.py"), "{left:?}");
        session.close().await.unwrap();
    })
    .await;
}
