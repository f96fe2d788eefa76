//! Packages and their sources on a Debian host, with a signed archive that is made there. The tools' rules themselves are
//! tested in `python/tests/disposable`.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use std::collections::BTreeMap;

use docker::{Container, WORKSPACE};
use rmote_tools::{
    Apt, AptKeyOptions, AptOptions, AptRepository, AptSourceAbsentOptions, AptSourceOptions,
    AptUnholdOptions, AptUpdateOptions, AptUpgradeOptions, CallErrorKind, Conffiles, Docker,
    PackageError, PackageErrorKind, PackageResult, Session, Wanted,
};

const IMAGE: &str = "rmote-test:tools";

fn container(image: &str) -> Option<Container> {
    Container::run(image, &["--init", WORKSPACE], &["sleep", "3600"])
}

#[test]
fn packages_of_a_real_host() {
    let Some(container) = container(IMAGE) else {
        return;
    };
    for module in ["test_apt", "test_apt_faults", "test_apt_upgrades"] {
        container.unittest(module);
    }
}

#[test]
fn sources_of_a_real_host() {
    let Some(container) = container(IMAGE) else {
        return;
    };
    container.unittest("test_apt_repository");
}

/// Makes the archive of the Python tests, and gives the key that it is signed with.
fn archive(container: &Container) -> String {
    let script = "cd /rmote/rmote-tools/python/tests/disposable && \
        python3 -B -c 'import archive; key = archive.make(); archive.reset(); print(key, end=\"\")'";
    let (made, key) = container.exec(&["sh", "-c", script]);
    assert!(made, "{key}");
    key
}

fn changed(results: &[PackageResult]) -> Vec<bool> {
    results.iter().map(|result| result.changed).collect()
}

#[tokio::test]
async fn a_playbook_changes_nothing_the_second_time() {
    let Some(container) = container(IMAGE) else {
        return;
    };
    let key = archive(&container);
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let (apt, sources) = (Apt::new(&host), AptRepository::new(&host));
    let uris = || vec!["file:/srv/archive".to_owned()];
    let suites = || vec!["stable".to_owned()];
    for first in [true, false] {
        for check in [true, false] {
            let options = AptKeyOptions::new().check(check);
            let done = sources.key_with("test", key.as_str(), options).await;
            let done = done.unwrap();
            assert_eq!((done.changed, done.update_needed), (first, first));
            assert_eq!(done.path.to_string_lossy(), "/etc/apt/keyrings/test.asc");
            let fields = BTreeMap::from([("Languages".to_owned(), "none".to_owned())]);
            let options = AptSourceOptions::new()
                .types(["deb".to_owned()])
                .components(["main".to_owned()])
                .signed_by("test")
                .architectures(["amd64".to_owned()])
                .enabled(true)
                .trusted(true)
                .fields(fields)
                .secret(true)
                .check(check);
            let done = sources
                .present_with("test", uris(), suites(), options)
                .await
                .unwrap();
            assert_eq!((done.changed, done.update_needed), (first, first));
        }
        for check in [true, false] {
            let options = AptUpdateOptions::new()
                .ttl(3600.0)
                .lock_timeout(60.0)
                .timeout(600.0)
                .check(check);
            assert_eq!(apt.update_with(options).await.unwrap(), first);
        }
        for check in [true, false] {
            let options = AptOptions::new()
                .purge(true)
                .conffiles(Conffiles::New)
                .lock_timeout(60.0)
                .recommends(false)
                .allow_downgrade(true)
                .change_held(false)
                .timeout(600.0)
                .check(check);
            let wanted = [
                Wanted::held("tiny").version("1.0"),
                Wanted::latest("other"),
                "conf=1.0".into(),
                Wanted::absent("needs"),
            ];
            let done = apt.converge_with(wanted, options).await.unwrap();
            assert_eq!(changed(&done), [first, first, first, false]);
            let tiny = &done[0];
            assert_eq!((tiny.name.as_str(), tiny.version.as_str()), ("tiny", "1.0"));
            assert_eq!(
                (tiny.before.as_str(), tiny.held),
                (if first { "" } else { "1.0" }, true)
            );
        }
    }
    the_other_methods_change_things_once(&apt).await;
    let check = AptSourceAbsentOptions::new().check(true);
    assert!(sources.absent_with("test", check).await.unwrap().changed);
    assert!(sources.absent("test").await.unwrap().changed);
    assert!(!sources.absent("test").await.unwrap().changed);
    // Always, with no limit to their age.
    assert!(apt.update().await.unwrap());
    host.close().await.unwrap();
}

/// On the host as the playbook leaves it.
async fn the_other_methods_change_things_once(apt: &Apt) {
    let options = |check: bool| {
        AptUpgradeOptions::new()
            .full(true)
            .conffiles(Conffiles::Old)
            .check(check)
    };
    for check in [true, false] {
        let done = apt.upgrade_with(options(check)).await.unwrap();
        assert_eq!((done.len(), done[0].name.as_str()), (1, "conf"));
    }
    assert_eq!(apt.upgrade().await.unwrap(), []);
    let found = apt.installed(["tiny", "needs"]).await.unwrap();
    assert_eq!((found.len(), found[0].version.as_str()), (1, "1.0"));
    assert_eq!(
        (found[0].status.as_str(), found[0].held),
        ("installed", true)
    );
    assert!(apt.installed(Vec::<String>::new()).await.unwrap().len() > 50);
    let check = AptUnholdOptions::new().check(true);
    assert_eq!(
        changed(&apt.unhold_with(["tiny"], check).await.unwrap()),
        [true]
    );
    assert_eq!(changed(&apt.unhold(["tiny"]).await.unwrap()), [true]);
    assert_eq!(changed(&apt.unhold(["tiny"]).await.unwrap()), [false]);
    assert!(apt.package(Wanted::latest("tiny")).await.unwrap().changed);
    assert!(!apt.package("tiny").await.unwrap().changed);
}

#[tokio::test]
async fn errors_say_what_kind_they_are() {
    let Some(container) = container(IMAGE) else {
        return;
    };
    archive(&container);
    let trusted = "echo 'deb [trusted=yes] file:/srv/archive ./' > /etc/apt/sources.list.d/a.list && apt-get update";
    assert!(container.exec(&["sh", "-c", trusted]).0);
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let apt = Apt::new(&host);
    for (wanted, kind, part) in [
        ("failing", PackageErrorKind::Broken, "said on the one"),
        (
            "nosuch",
            PackageErrorKind::Unknown,
            "in no list of packages",
        ),
    ] {
        let error = apt.package(wanted).await.unwrap_err();
        let failed = PackageError::of(&error).unwrap();
        assert_eq!(
            (failed.kind, &failed.packages[..]),
            (kind, &[wanted.to_owned()][..])
        );
        assert!(failed.to_string().contains(part), "{failed}");
        assert_eq!(failed.said.contains(part), kind == PackageErrorKind::Broken);
    }
    let error = apt.package("ti*").await.unwrap_err();
    assert!(error.raised().unwrap().is("ValueError"), "{error}");
    assert_eq!(PackageError::of(&error), None);
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_host_without_apt_says_so() {
    let Some(container) = container("rmote-test:families") else {
        return;
    };
    // It has apt, being made of Debian's packages.
    let (moved, said) = container.exec(&["mv", "/usr/bin/apt-get", "/usr/bin/apt-mark", "/root"]);
    assert!(moved, "{said}");
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let error = Apt::new(&host).package("tiny").await.unwrap_err();
    assert!(
        matches!(error.kind, CallErrorKind::Unsupported(_)),
        "{error}"
    );
    assert_eq!(error.missing(), Some("apt-get"));
    let error = Apt::new(&host).unhold(["tiny"]).await.unwrap_err();
    assert_eq!(error.missing(), Some("apt-mark"));
    let error = AptRepository::new(&host).key("a", "b").await.unwrap_err();
    assert!(error.raised().unwrap().is("ValueError"));
    host.close().await.unwrap();
}
