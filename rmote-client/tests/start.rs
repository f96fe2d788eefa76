//! Which Python is found on a host, and what is said when there is none.
#![allow(clippy::unwrap_used, reason = "test code")]

mod common;
#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use common::host::Host;
use common::{chain, start_error, within};
use docker::Container;
use rmote_client::{CallErrorKind, Docker, Local, Options, Session, SpawnError, StartErrorKind};

/// A session on the host, to its end: what the host says its Python is.
async fn version(host: &Host, options: Options) -> (u32, u32, u32) {
    let version = within(async {
        let session = Session::connect_with(host.transport(), options)
            .await
            .unwrap();
        let total: i64 = session.call("builtins.sum", ([1, 2],)).await.unwrap();
        assert_eq!(total, 3);
        let version = session.ready().await.unwrap().python;
        session.close().await.unwrap();
        version
    })
    .await;
    host.marker.gone().await;
    version
}

#[tokio::test]
async fn a_host_without_python_is_told_as_that() {
    let host = Host::new();
    let error = start_error(host.transport(), Options::new()).await;
    assert!(
        matches!(error.kind, StartErrorKind::NoPython { .. }),
        "{error:?}"
    );
    assert!(error.to_string().contains("install python3"), "{error}");
    host.marker.gone().await;
}

#[tokio::test]
async fn a_python_that_is_only_a_name_is_no_python() {
    let host = Host::new().with(
        "python3",
        "echo 'shim: python3: no such version' >&2; exit 127",
    );
    let error = start_error(host.transport(), Options::new()).await;
    let StartErrorKind::NoPython { said } = &error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(said, "shim: python3: no such version");
    assert!(error.to_string().contains(said.as_str()), "{error}");
    host.marker.gone().await;
}

#[tokio::test]
async fn pythons_that_are_too_old_are_named() {
    let host = Host::new()
        .with_old_python("python3", "3,5,2")
        .with_old_python("python", "2,7,18");
    let error = start_error(host.transport(), Options::new()).await;
    let StartErrorKind::PythonTooOld { found } = &error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(found, "3.5.2 2.7.18");
    assert!(
        error
            .to_string()
            .contains("found 3.5.2 2.7.18, need 3.6 or newer"),
        "{error}"
    );
    host.marker.gone().await;
}

#[tokio::test]
async fn the_good_python_beside_an_old_one_is_found_in_the_same_start() {
    let host = Host::new()
        .with_old_python("python3", "3,4,0")
        .with_old_python("python3.12", "3,5,9")
        .with_python("python3.11");
    let version = version(&host, Options::new()).await;
    assert!(version >= (3, 6, 0), "{version:?}");
}

#[tokio::test]
async fn the_interpreter_that_was_asked_for_is_the_one_that_is_used() {
    let host = Host::new()
        .with_python("good")
        .with_old_python("python3", "3,5,2");
    let version = version(&host, Options::new().interpreter("good")).await;
    assert!(version >= (3, 6, 0), "{version:?}");

    let options = Options::new().interpreter("python3");
    let error = start_error(host.transport(), options).await;
    assert!(
        matches!(&error.kind, StartErrorKind::PythonTooOld { found } if found == "3.5.2"),
        "{error:?}"
    );
    let options = Options::new().interpreter("missing");
    let error = start_error(host.transport(), options).await;
    assert!(
        matches!(error.kind, StartErrorKind::NoPython { .. }),
        "{error:?}"
    );
    host.marker.gone().await;
}

#[tokio::test]
async fn a_missing_local_program_is_told_by_connect() {
    let options = Options::new().interpreter("no-such-python");
    let error = Session::connect_with(Local::new(), options)
        .await
        .unwrap_err();
    assert!(
        matches!(
            error.kind,
            StartErrorKind::Spawn(SpawnError::NotFound { .. })
        ),
        "{error:?}"
    );
    let text = chain(&error);
    assert!(
        text.starts_with("local: ") && text.contains("no-such-python"),
        "{text}"
    );
}

#[tokio::test]
async fn a_python_that_fails_at_its_start_is_quoted() {
    let host = Host::new().with("python3", "echo 'python3: bad magic number' >&2; exit 3");
    let error = start_error(host.transport(), Options::new()).await;
    let StartErrorKind::NoAgent { exit, said, .. } = &error.kind else {
        panic!("{error:?}")
    };
    assert_eq!(
        (exit.as_str(), said.as_str()),
        ("exit code 3", "python3: bad magic number")
    );
    host.marker.gone().await;
}

#[tokio::test]
async fn python_2_alone_is_too_old() {
    let Some(container) = Container::start("rmote-test:python2") else {
        return;
    };
    for options in [Options::new(), Options::new().interpreter("python2")] {
        let error = start_error(Docker::new(container.name()), options).await;
        assert!(
            matches!(&error.kind, StartErrorKind::PythonTooOld { found } if found.starts_with("2.7.")),
            "{error:?}"
        );
    }
}

#[tokio::test]
async fn a_container_without_python_is_told_as_that() {
    let Some(container) = Container::start("rmote-test:nopython") else {
        return;
    };
    let error = start_error(Docker::new(container.name()), Options::new()).await;
    assert!(
        matches!(error.kind, StartErrorKind::NoPython { .. }),
        "{error:?}"
    );
    // docker says so itself, on standard output.
    let options = Options::new().interpreter("python3");
    let error = start_error(Docker::new(container.name()), options).await;
    assert!(
        matches!(error.kind, StartErrorKind::NoPython { .. }),
        "{error:?}"
    );
}

#[tokio::test]
async fn a_function_that_is_not_there_is_no_failure_of_the_start() {
    let host = Host::new().with_python("python3");
    within(async {
        let session = Session::connect(host.transport()).await.unwrap();
        let error = session
            .call::<()>("no.such.function", ())
            .await
            .unwrap_err();
        assert!(matches!(error.kind, CallErrorKind::Agent(_)), "{error:?}");
        session.close().await.unwrap();
    })
    .await;
    host.marker.gone().await;
}
