//! Users, groups, keys and rules of sudo: the Python tests in a container made for them, and the typed face.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use std::io::ErrorKind;

use docker::{Container, WORKSPACE};
use rmote_tools::{
    AuthorizedKeyOptions, AuthorizedKeysOptions, Change, Docker, Exec, FileSystem,
    GroupAbsentOptions, GroupOptions, HostPath, Session, SudoerOptions, User, UserAbsentOptions,
    UserOptions,
};

const KEY: &str =
    "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJ0dD7eCUQHGqiY1mNL3PqCF9tcRhtvxQTPAR+v0VA8h ci";

/// Without the capability `usermod` does not see the processes of others.
fn container() -> Option<Container> {
    Container::run(
        "rmote-test:tools",
        &["--init", "--cap-add=SYS_PTRACE", WORKSPACE],
        &["sleep", "3600"],
    )
}

#[test]
fn the_tools_of_debian() {
    let Some(container) = container() else { return };
    for module in ["test_user", "test_authorized_keys", "test_sudoers"] {
        container.unittest(module);
    }
}

/// Whether a call and the same once more changed anything.
macro_rules! twice {
    ($call:expr) => {{ [$call.await.unwrap().changed, $call.await.unwrap().changed] }};
}

#[tokio::test]
async fn every_method_twice_and_with_check() {
    let Some(container) = container() else { return };
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let user = User::new(&host);

    let told = user
        .group_present_with("web", GroupOptions::new().gid(4300_u32).check(true))
        .await
        .unwrap();
    assert!(told.changed && told.gid == Some(4300));
    let group = || user.group_present_with("web", GroupOptions::new().gid(4300_u32).system(true));
    assert_eq!(twice!(group()), [true, false]);
    assert_eq!(user.group_present("web").await.unwrap().gid, Some(4300));

    let options = || {
        UserOptions::new()
            .uid(4301_u32)
            .gid("web")
            .comment("Deploys")
            .home("/srv/deploy")
            .shell("/bin/bash")
            .groups(["adm".to_owned(), "web".to_owned()])
            .append_groups(false)
            .system(false)
            .create_home(true)
            .move_home(true)
            .password("$6$saltsalt$hash")
            .locked(false)
            .expires("2035-01-01")
            .umask(0o077_u32)
    };
    let told = user
        .present_with("deploy", options().check(true))
        .await
        .unwrap();
    assert!(told.changed && told.diff.starts_with("+ user deploy\n"));
    let made = user.present_with("deploy", options()).await.unwrap();
    assert_eq!((made.diff, made.changed), (told.diff, true));
    assert_eq!((made.uid, made.gid), (Some(4301), Some(4300)));
    assert_eq!(made.home, HostPath::from("/srv/deploy"));
    assert_eq!(made.shell, HostPath::from("/bin/bash"));
    assert!(
        !user
            .present_with("deploy", options())
            .await
            .unwrap()
            .changed
    );
    assert!(!user.present("deploy").await.unwrap().changed);
    assert_eq!(twice!(user.present("other")), [true, false]);
    let told = user.present_with("new", UserOptions::new().check(true));
    assert_eq!(told.await.unwrap().uid, None);

    let key = |options| user.authorized_key_with("deploy", KEY, options);
    assert!(
        key(AuthorizedKeyOptions::new().check(true))
            .await
            .unwrap()
            .changed
    );
    assert_eq!(twice!(user.authorized_key("deploy", KEY)), [true, false]);
    assert!(
        !key(AuthorizedKeyOptions::new().exclusive(true))
            .await
            .unwrap()
            .changed
    );
    assert_eq!(
        twice!(key(AuthorizedKeyOptions::new().absent(true))),
        [true, false]
    );
    let keys = || vec![KEY.to_owned()];
    let told =
        user.authorized_keys_with("deploy", keys(), AuthorizedKeysOptions::new().check(true));
    assert!(told.await.unwrap().diff.contains(KEY));
    assert_eq!(
        twice!(user.authorized_keys("deploy", keys())),
        [true, false]
    );

    let rule = || {
        SudoerOptions::new()
            .commands(["/usr/bin/id".to_owned()])
            .runas("ALL:ALL")
            .nopasswd(true)
    };
    let told: Change = user
        .sudoer_with("deploy", rule().check(true))
        .await
        .unwrap();
    assert!(
        told.diff
            .contains("+deploy ALL=(ALL:ALL) NOPASSWD: /usr/bin/id\n")
    );
    assert_eq!(twice!(user.sudoer_with("deploy", rule())), [true, false]);
    let id = ["su", "deploy", "-c", "sudo -n /usr/bin/id -u"];
    assert_eq!(Exec::new(&host).command(id).await.unwrap().stdout, "0\n");
    assert!(user.sudoer("deploy").await.unwrap().changed);
    let gone = || user.sudoer_with("deploy", SudoerOptions::new().absent(true));
    assert_eq!(twice!(gone()), [true, false]);

    let absent = |options| user.absent_with("deploy", options);
    assert!(
        absent(UserAbsentOptions::new().check(true))
            .await
            .unwrap()
            .changed
    );
    let whole = || absent(UserAbsentOptions::new().remove_home(true));
    assert_eq!(twice!(whole()), [true, false]);
    assert_eq!(twice!(user.absent("other")), [true, false]);
    let told = user.group_absent_with("web", GroupAbsentOptions::new().check(true));
    assert!(told.await.unwrap().changed);
    assert_eq!(twice!(user.group_absent("web")), [true, false]);
    assert!(
        !FileSystem::new(&host)
            .stat("/srv/deploy")
            .await
            .unwrap()
            .exists
    );
    host.close().await.unwrap();
}

#[tokio::test]
async fn errors_say_what_is_wrong() {
    let Some(container) = container() else { return };
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let user = User::new(&host);
    let exec = Exec::new(&host);

    let refused = user.sudoer("evil.name").await.unwrap_err();
    assert!(refused.raised().unwrap().is("ValueError"));

    user.present("deploy").await.unwrap();
    let busy = "setpriv --reuid=deploy --clear-groups sleep 1000 > /dev/null 2>&1 &
        timeout 60 sh -c 'until pgrep -u deploy sleep; do :; done'";
    assert_eq!(exec.shell(busy).await.unwrap().code, Some(0));
    let refused = user.absent("deploy").await.unwrap_err();
    assert_eq!(
        refused.raised().unwrap().io_kind(),
        Some(ErrorKind::ResourceBusy)
    );
    assert!(refused.to_string().contains("(sleep)"), "{refused}");

    let options = UserOptions::new().password("$6$salt:hunter2");
    assert!(!format!("{options:?}").contains("hunter2"));
    let refused = user.present_with("deploy", options).await.unwrap_err();
    assert!(!format!("{refused} {refused:?}").contains("hunter2"));

    exec.command(["rm", "/usr/sbin/visudo", "/usr/sbin/useradd"])
        .await
        .unwrap();
    for (refused, missing) in [
        (user.sudoer("deploy").await.unwrap_err(), "visudo"),
        (user.present("new").await.unwrap_err(), "useradd"),
    ] {
        assert_eq!(refused.missing(), Some(missing));
    }
    host.close().await.unwrap();
}
