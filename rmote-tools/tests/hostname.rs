//! Names of containers, with systemd and without, and of one that may not be named.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use docker::{Container, WORKSPACE};
use rmote_tools::{Docker, Hostname, HostnameOptions, HostsOptions, Session};

async fn named(container: &Container) {
    container.unittest("test_hostname");
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let hostname = Hostname::new(&host);
    let old = hostname.get().await.unwrap();
    let check = HostnameOptions::new().check(true);
    let checked = hostname.set_with("web01", check).await.unwrap();
    assert_eq!(hostname.get().await.unwrap(), old);
    let first = hostname.set("web01").await.unwrap();
    assert!(first.changed && first.in_place && first.name == "web01");
    assert_eq!((checked.changed, &checked.diff), (true, &first.diff));
    assert_eq!(hostname.get().await.unwrap(), "web01");
    let second = hostname.set("web01").await.unwrap();
    assert!(!second.changed && second.diff.is_empty());
    assert_eq!(container.exec(&["cat", "/etc/hostname"]).1, "web01\n");
    let refused = hostname.set("web_01").await.unwrap_err();
    assert!(refused.raised().unwrap().is("ValueError"));

    let names = || ["db.example.com", "db"];
    let check = HostsOptions::new().check(true);
    let checked = hostname
        .hosts_entry_with("10.0.0.7", names(), check)
        .await
        .unwrap();
    let first = hostname.hosts_entry("10.0.0.7", names()).await.unwrap();
    assert!(first.changed && first.in_place && first.diff == checked.diff);
    assert!(
        !hostname
            .hosts_entry("10.0.0.7", names())
            .await
            .unwrap()
            .changed
    );
    let (found, printed) = container.exec(&["getent", "hosts", "db"]);
    assert!(found && printed.starts_with("10.0.0.7"), "{printed}");
    for changed in [true, false] {
        let gone = HostsOptions::new().absent(true);
        let gone = hostname
            .hosts_entry_with("10.0.0.7", ["db"], gone)
            .await
            .unwrap();
        assert_eq!(gone.changed, changed);
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_host_with_systemd() {
    if let Some(container) = Container::systemd("rmote-test:tools") {
        named(&container).await;
    }
}

#[tokio::test]
async fn a_host_without_systemd() {
    let options = [
        "--init",
        "--cap-add=SYS_ADMIN",
        "--security-opt=seccomp=unconfined",
        "--security-opt=apparmor=unconfined",
        WORKSPACE,
    ];
    if let Some(container) = Container::run("rmote-test:tools", &options, &["sleep", "3600"]) {
        named(&container).await;
    }
}

#[tokio::test]
async fn a_container_that_may_not_be_named_is_unsupported_and_its_file_stays() {
    let Some(container) = Container::start("rmote-test:bookworm") else {
        return;
    };
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let hostname = Hostname::new(&host);
    let old = hostname.get().await.unwrap();
    for check in [true, false] {
        let options = HostnameOptions::new().check(check);
        let refused = hostname.set_with("web01", options).await.unwrap_err();
        assert!(
            refused.missing().unwrap().contains("CAP_SYS_ADMIN"),
            "{refused}"
        );
    }
    assert_eq!(
        container.exec(&["cat", "/etc/hostname"]).1,
        format!("{old}\n")
    );
    let file = HostnameOptions::new().runtime(false);
    assert!(hostname.set_with("web01", file).await.unwrap().changed);
    host.close().await.unwrap();
}
