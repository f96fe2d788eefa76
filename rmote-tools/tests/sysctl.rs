//! Settings of a container's own kernel parts.

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use std::collections::BTreeMap;

use docker::Container;
use rmote_tools::{Docker, Session, Sysctl, SysctlFileOptions, SysctlOptions};

const FORWARD: &str = "net.ipv4.ip_forward";

#[tokio::test]
async fn settings_of_a_host() {
    let Some(container) = Container::systemd("rmote-test:tools") else {
        return;
    };
    container.unittest("test_sysctl");
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let sysctl = Sysctl::new(&host);
    let old = sysctl.get(FORWARD).await.unwrap();
    let new = if old == "0" { "1" } else { "0" };
    let refused = sysctl.present(FORWARD, new).await.unwrap_err();
    assert!(
        refused.missing().unwrap().contains("/proc/sys"),
        "{refused}"
    );
    let (writable, printed) = container.exec(&["mount", "-o", "remount,rw,bind", "/proc/sys"]);
    assert!(writable, "{printed}");

    let check = SysctlOptions::new().check(true);
    let checked = sysctl.present_with(FORWARD, new, check).await.unwrap();
    assert_eq!(sysctl.get(FORWARD).await.unwrap(), old);
    let first = sysctl.present(FORWARD, new).await.unwrap();
    assert_eq!(checked, first);
    assert!(first.changed && first.diff.contains("+net.ipv4.ip_forward = "));
    assert_eq!(
        (first.key.as_str(), first.value.as_deref()),
        (FORWARD, Some(new))
    );
    let second = sysctl.present(FORWARD, new).await.unwrap();
    assert!(!second.changed && second.diff.is_empty());

    let several = |value: &str| {
        BTreeMap::from([
            (FORWARD.to_owned(), value.to_owned()),
            (
                "net.ipv4.ip_local_port_range".to_owned(),
                "32000 60000".to_owned(),
            ),
        ])
    };
    let file = || SysctlOptions::new().name("50-router.conf");
    for changed in [true, false] {
        let results = sysctl.converge_with(several(&old), file()).await.unwrap();
        assert!(results.iter().all(|result| result.changed == changed));
    }
    let unknown = sysctl
        .present("net.ipv4.ip_froward", "1")
        .await
        .unwrap_err();
    assert!(unknown.raised().unwrap().is("LookupError"), "{unknown}");

    let check = SysctlFileOptions::new().name("50-router.conf").check(true);
    assert!(sysctl.absent_with(FORWARD, check).await.unwrap().changed);
    for changed in [true, false] {
        let name = SysctlFileOptions::new().name("50-router.conf");
        let gone = sysctl.absent_with(FORWARD, name).await.unwrap();
        assert_eq!(gone.changed, changed);
        assert_eq!(gone.value.as_deref(), Some(old.as_str()));
    }
    host.close().await.unwrap();
}
