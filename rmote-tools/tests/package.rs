//! Packages by whichever manager a host has, in containers with several. apk is tested in `python/tests`, with an imitation.

use rmote_tools::{
    CallError, Docker, Package, PackageConvergeOptions, PackageError, PackageErrorKind,
    PackageManager, PackageOptions, PackageResult, PackageState, PackageUpdateOptions, Session,
    Wanted,
};

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use docker::{Container, WORKSPACE};

fn container(image: &str) -> Option<Container> {
    Container::run(image, &["--init", WORKSPACE], &["sleep", "3600"])
}

#[test]
fn the_same_calls_with_each_manager() {
    if let Some(container) = container("rmote-test:families") {
        container.unittest("test_package");
    }
}

#[test]
fn dnf() {
    for image in ["rmote-test:families", "rmote-test:dnf5"] {
        if let Some(container) = container(image) {
            container.unittest("test_dnf");
        }
    }
}

#[tokio::test]
async fn the_typed_face() -> Result<(), CallError> {
    let Some(container) = container("rmote-test:families") else {
        return Ok(());
    };
    let script = "from pacman_host import *\nreset()\npublish(make('alpha', '1.0-1'), make('beta', '1.0-1'))";
    let folder = "/rmote/rmote-tools/python/tests/disposable";
    let words = ["env", "-C", folder, "PYTHONDONTWRITEBYTECODE=1"];
    let (succeeded, output) = container.exec(&[&words[..], &["python3", "-c", script]].concat());
    assert!(succeeded, "{output}");
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let package = Package::new(&host);
    let manager = PackageManager::Pacman;
    let lists = || {
        PackageUpdateOptions::new()
            .manager(manager)
            .lock_timeout(60.0)
    };
    assert!(package.update_with(lists().check(true)).await?);
    assert!(package.update_with(lists()).await?);
    assert!(!package.update_with(lists().ttl(3600.0)).await?);

    let options = |check| {
        PackageOptions::new()
            .manager(manager)
            .lock_timeout(60.0)
            .change_held(true)
            .check(check)
    };
    let changed = |results: Vec<PackageResult>| results.iter().any(|one| one.changed);
    for (check, expected) in [(true, true), (false, true), (false, false)] {
        let present = package.present_with(["alpha=1.0-1", "beta"], options(check));
        assert_eq!(changed(present.await?), expected);
    }
    assert!(!changed(
        package.latest_with(["alpha"], options(false)).await?
    ));
    for (check, expected) in [(true, true), (false, true), (false, false)] {
        let held = package.held_with(["alpha"], options(check)).await?;
        assert!(held[0].held);
        assert_eq!(changed(held), expected);
    }
    for (check, expected) in [(true, true), (false, true), (false, false)] {
        let converge = PackageConvergeOptions::new()
            .manager(manager)
            .lock_timeout(60.0)
            .change_held(true)
            .state(PackageState::Present)
            .check(check);
        let wanted = [Wanted::absent("alpha"), Wanted::latest("beta")];
        let converge = package.converge_with(wanted, converge);
        assert_eq!(changed(converge.await?), expected);
    }
    for (check, expected) in [(true, true), (false, true), (false, false)] {
        let absent = package.absent_with(["beta"], options(check));
        assert_eq!(changed(absent.await?), expected);
    }
    host.close().await.unwrap();
    Ok(())
}

#[tokio::test]
async fn one_error_of_all_managers() {
    let Some(container) = container("rmote-test:families") else {
        return;
    };
    let script = "import test_package as t\nfor one in t.Apt, t.Dnf, t.Pacman: one().setup()";
    let folder = "/rmote/rmote-tools/python/tests/disposable";
    let words = [
        "env",
        "-C",
        folder,
        "PYTHONDONTWRITEBYTECODE=1",
        "RMOTE_TEST_DISPOSABLE=yes",
    ];
    let (succeeded, output) = container.exec(&[&words[..], &["python3", "-c", script]].concat());
    assert!(succeeded, "{output}");
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let package = Package::new(&host);
    for manager in [
        PackageManager::Apt,
        PackageManager::Dnf,
        PackageManager::Pacman,
    ] {
        let lists = PackageUpdateOptions::new().manager(manager);
        assert!(package.update_with(lists).await.unwrap(), "{manager:?}");
        for (wanted, name, kind) in [
            ("nosuch", "nosuch", PackageErrorKind::Unknown),
            ("alpha=7", "alpha", PackageErrorKind::NoVersion),
        ] {
            let options = PackageOptions::new().manager(manager);
            let error = package.present_with([wanted], options).await.unwrap_err();
            let failed = PackageError::of(&error).unwrap();
            assert_eq!(
                (failed.kind, failed.packages),
                (kind, vec![name.to_owned()]),
                "{manager:?}"
            );
            assert!(failed.message.contains(name), "{}", failed.message);
        }
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_host_of_which_no_manager_is_known_says_what_it_lacks() {
    let Some(container) = container("rmote-test:bookworm") else {
        return;
    };
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let package = Package::new(&host);
    // A Debian: it is apt that is asked, and pacman that is lacking.
    assert!(!package.absent(["no-such-package"]).await.unwrap()[0].changed);
    let options = PackageOptions::new().manager(PackageManager::Pacman);
    let error = package.present_with(["x"], options).await.unwrap_err();
    assert_eq!(error.missing(), Some("pacman"), "{error}");
    let (succeeded, output) = container.exec(&["sh", "-c", "echo ID=arch > /etc/os-release"]);
    assert!(succeeded, "{output}");
    let error = package.present(["x"]).await.unwrap_err();
    assert_eq!(error.missing(), Some("pacman"), "{error}");
    host.close().await.unwrap();
}
