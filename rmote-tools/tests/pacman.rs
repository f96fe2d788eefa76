//! pacman for real, in containers that have it. What is to be so is said in `python/tests/disposable`.

use rmote_tools::{
    CallError, Docker, PackageError, PackageErrorKind, PackageResult, PackageState, Pacman,
    PacmanKeyOptions, PacmanOptions, PacmanRepository, PacmanRepositoryAbsentOptions,
    PacmanRepositoryOptions, PacmanTrustOptions, PacmanUnholdOptions, PacmanUpdateOptions,
    PacmanUpgradeOptions, Session, Wanted,
};

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use docker::{Container, WORKSPACE};

fn container() -> Option<Container> {
    Container::run(
        "rmote-test:families",
        &["--init", WORKSPACE],
        &["sleep", "3600"],
    )
}

#[test]
fn packages() {
    if let Some(container) = container() {
        for module in ["test_pacman", "test_pacman_holds", "test_pacman_versions"] {
            container.unittest(module);
        }
    }
}

#[test]
fn repositories() {
    if let Some(container) = container() {
        container.unittest("test_pacman_repository");
    }
}

/// Runs Python beside the helper that makes repositories.
fn prepare(container: &Container, code: &str) {
    let script = format!("from pacman_host import *\n{code}");
    let folder = "/rmote/rmote-tools/python/tests/disposable";
    let words = ["env", "-C", folder, "PYTHONDONTWRITEBYTECODE=1"];
    let (succeeded, output) =
        container.exec(&[&words[..], &["python3", "-c", script.as_str()]].concat());
    assert!(succeeded, "{output}");
}

type Brief<'a> = (&'a str, bool, &'a str, &'a str, bool);

fn brief(results: &[PackageResult]) -> Vec<Brief<'_>> {
    results
        .iter()
        .map(|one| {
            (
                one.name.as_str(),
                one.changed,
                one.before.as_str(),
                one.version.as_str(),
                one.held,
            )
        })
        .collect()
}

#[tokio::test]
async fn the_typed_face_of_pacman() -> Result<(), CallError> {
    let Some(container) = container() else {
        return Ok(());
    };
    prepare(
        &container,
        "reset()\npublish(make('alpha', '1.0-1'), make('beta', '1.0-1', 'depend = alpha'))",
    );
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let pacman = Pacman::new(&host);
    let check = PacmanUpdateOptions::new().check(true).lock_timeout(60.0);
    assert!(pacman.update_with(check.clone()).await?);
    assert!(pacman.update().await?);
    assert!(!pacman.update().await?);
    assert!(!pacman.update_with(check.ttl(3600.0)).await?);

    let options = || PacmanOptions::new().upgrade(true).lock_timeout(60.0);
    let wanted = || [Wanted::held("alpha"), "beta=1.0-1".into()];
    let after = [
        ("alpha", true, "", "1.0-1", true),
        ("beta", true, "", "1.0-1", false),
    ];
    let dry = pacman
        .converge_with(wanted(), options().check(true))
        .await?;
    assert_eq!(brief(&dry), after);
    let done = pacman.converge(wanted()).await?;
    assert_eq!(brief(&done), after);
    assert_eq!(done, dry);
    assert!(done[0].diff.contains("+IgnorePkg = alpha\n"), "{done:?}");
    assert_eq!(done[1].diff, "");
    assert!(
        pacman
            .converge(wanted())
            .await?
            .iter()
            .all(|one| !one.changed)
    );

    prepare(&container, "publish(make('alpha', '2.0-1'))");
    assert!(pacman.update().await?);
    assert_eq!(pacman.upgrade().await?, []);
    let held = pacman.package(Wanted::latest("alpha")).await.unwrap_err();
    let held = PackageError::of(&held).unwrap();
    assert_eq!(
        (held.kind, held.packages),
        (PackageErrorKind::Held, vec!["alpha".to_owned()])
    );
    assert!(
        held.message.contains("held in version 1.0-1"),
        "{}",
        held.message
    );
    for check in [true, false] {
        let options = PacmanUnholdOptions::new().check(check);
        assert!(pacman.unhold_with(["alpha"], options).await?[0].changed);
    }
    assert!(!pacman.unhold(["alpha"]).await?[0].changed);
    let upgraded = [("alpha", true, "1.0-1", "2.0-1", false)];
    let check = PacmanUpgradeOptions::new().check(true).lock_timeout(60.0);
    assert_eq!(brief(&pacman.upgrade_with(check).await?), upgraded);
    assert_eq!(brief(&pacman.upgrade().await?), upgraded);
    assert_eq!(pacman.upgrade().await?, []);

    let needed = pacman.package(Wanted::absent("alpha")).await.unwrap_err();
    let needed = PackageError::of(&needed).unwrap();
    assert_eq!(
        (needed.kind, needed.packages),
        (
            PackageErrorKind::Conflict,
            vec!["alpha".to_owned(), "beta".to_owned()]
        )
    );
    assert!(needed.said.contains("required by beta"), "{}", needed.said);
    let remove = || options().recursive(true).purge(true).change_held(true);
    let gone = Wanted::new("beta", PackageState::Absent);
    assert!(pacman.package_with(gone.clone(), remove()).await?.changed);
    let state = remove().state(PackageState::Absent);
    assert!(!pacman.package_with(gone, state).await?.changed);
    host.close().await.unwrap();
    Ok(())
}

#[tokio::test]
async fn the_typed_face_of_repositories() -> Result<(), CallError> {
    let Some(container) = container() else {
        return Ok(());
    };
    prepare(&container, "reset(HEAD)\nopen('/etc/mirrorlist', 'w')");
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let repository = PacmanRepository::new(&host);
    let servers = || ["https://packages.example.com/$repo".to_owned()];
    let options = || {
        PacmanRepositoryOptions::new()
            .sig_level("Required")
            .usage("Sync Search")
            .include(["/etc/mirrorlist".to_owned()])
            .path("/etc/pacman.conf")
    };
    let dry = repository
        .present_with("custom", servers(), options().check(true))
        .await?;
    let done = repository
        .present_with("custom", servers(), options().backup(true))
        .await?;
    assert!(done.changed && done.backup.is_some() && done.diff.contains("+[custom]\n"));
    assert_eq!((dry.changed, dry.diff), (true, done.diff));
    assert!(!repository.present("custom", servers()).await?.changed);
    let before = PacmanRepositoryOptions::new().before("custom");
    for changed in [true, false] {
        let other = repository.present_with("other", servers(), before.clone());
        assert_eq!(other.await?.changed, changed);
    }
    let absent = PacmanRepositoryAbsentOptions::new()
        .path("/etc/pacman.conf")
        .backup(false);
    for (check, changed) in [(true, true), (false, true), (false, false)] {
        let gone = repository.absent_with("custom", absent.clone().check(check));
        assert_eq!(gone.await?.changed, changed);
    }
    assert!(repository.absent("other").await?.changed);
    let refused = repository.absent("options").await.unwrap_err();
    assert!(refused.raised().unwrap().is("ValueError"), "{refused}");

    let make = "mkdir -m 700 /srv/gpg; export GNUPGHOME=/srv/gpg; gpg --batch --quiet --passphrase '' \
                --quick-gen-key packager ed25519 sign never 2> /dev/null; gpg --armor --export";
    let (succeeded, data) = container.exec(&["sh", "-c", make]);
    assert!(succeeded, "{data}");
    let dry = repository
        .key_with(
            "packager",
            data.as_str(),
            PacmanKeyOptions::new().check(true),
        )
        .await?;
    let [fingerprint] = dry.fingerprints.as_slice() else {
        panic!("{dry:?}")
    };
    let key = || {
        let options = PacmanKeyOptions::new().fingerprint(fingerprint.as_str());
        repository.key_with("packager", data.as_str(), options)
    };
    assert_eq!(key().await?, dry);
    assert!(!key().await?.changed);
    assert!(!repository.key("packager", data.as_str()).await?.changed);
    let check = PacmanTrustOptions::new().check(true);
    let trusted = repository.trust_with(fingerprint.as_str(), check).await?;
    assert_eq!(repository.trust(fingerprint.as_str()).await?, trusted);
    assert!(trusted.changed && trusted.fingerprints == dry.fingerprints);
    assert!(!repository.trust(fingerprint.as_str()).await?.changed);
    host.close().await.unwrap();
    Ok(())
}
