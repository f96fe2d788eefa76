//! The system's ssh against a real sshd.

mod common;
mod sshd;

use std::fs;
use std::time::Duration;

use common::{echo, eventually, gone, marker, output, processes_with, within, words};
use rmote_transport::{Command, Exit, FaultKind, KnownHosts, Link, SpawnError, Ssh, Transport};
use sshd::Sshd;
use tokio::io::AsyncReadExt;

fn host(sshd: &Sshd) -> Ssh {
    // An empty configuration: this machine's own must not decide on a test.
    Ssh::new(sshd.url())
        .config_file("/dev/null")
        .identity(sshd.identity())
        .known_hosts(KnownHosts::Strict)
        .known_hosts_file(sshd.known_hosts())
}

#[track_caller]
fn assert_fault(result: &(String, Exit, rmote_transport::Fault), kind: FaultKind, message: &str) {
    let (_, exit, fault) = result;
    assert_eq!((*exit, fault.kind), (Exit::Code(255), kind), "{fault}");
    assert!(fault.message.contains(message), "{fault}");
}

#[tokio::test]
async fn bytes_pass_both_ways() {
    let Some(sshd) = Sshd::start() else { return };
    within(echo(&host(&sshd))).await;
}

#[tokio::test]
async fn exit_codes_and_quoting() {
    let Some(sshd) = Sshd::start() else { return };
    let ssh = host(&sshd);
    let argv = [
        "sh",
        "-c",
        "printf \"%s|\" \"$@\"; echo said >&2; exit 7",
        "sh",
        "",
        "a  b",
        "$HOME",
        "*",
        "~",
        "ü",
    ];
    let (text, exit, fault) = within(output(&ssh, &argv)).await;
    assert_eq!((text.as_str(), exit), ("|a  b|$HOME|*|~|ü|", Exit::Code(7)));
    assert_eq!(
        (fault.kind, fault.message.as_str()),
        (FaultKind::Other, "said")
    );
    let (_, exit, fault) = within(output(&ssh, &["rmote-no-such-program"])).await;
    assert_eq!(
        (exit, fault.kind),
        (Exit::Code(127), FaultKind::ProgramNotFound),
        "{fault}"
    );
    let error = ssh.start(&words(&["echo", "it's"])).await.unwrap_err();
    assert!(matches!(error, SpawnError::Command { .. }), "{error:?}");
}

#[tokio::test]
async fn configuration_is_honoured() {
    let Some(sshd) = Sshd::start() else { return };
    let alias = Ssh::new("rmote-test").config_file(sshd.config_file());
    within(echo(&alias)).await;
    assert_eq!(sshd.logins(), 1);
    // Through itself: one login at the jump host, one behind it.
    within(echo(
        &Ssh::new("rmote-jump").config_file(sshd.config_file()),
    ))
    .await;
    assert_eq!(sshd.logins(), 3);
    within(echo(&alias.jump("rmote-test").jump("rmote-test"))).await;
    assert_eq!(sshd.logins(), 6);
}

#[tokio::test]
async fn interactive_settings_do_not_hurt() {
    let Some(sshd) = Sshd::start() else { return };
    let config = sshd.dir().join("interactive");
    let lines =
        "RemoteCommand echo noise\nRequestTTY force\nLocalForward 1 localhost:1\nLogLevel QUIET\n";
    fs::write(
        &config,
        lines.to_string() + &fs::read_to_string(sshd.config_file()).unwrap(),
    )
    .unwrap();
    let ssh = Ssh::new("rmote-test").config_file(&config);
    within(echo(&ssh)).await;
    let denied = within(output(
        &ssh.identity(sshd.other_identity()).user("rmote-nobody"),
        &["true"],
    ))
    .await;
    assert_fault(
        &denied,
        FaultKind::PermissionDenied,
        "Permission denied (publickey)",
    );
}

#[tokio::test]
async fn an_existing_master_is_used() {
    let Some(sshd) = Sshd::start() else { return };
    let config = sshd.dir().join("with_master");
    let lines = format!(
        "ControlPath {}/cm\nControlMaster auto\nControlPersist 3\n",
        sshd.dir().display()
    );
    fs::write(
        &config,
        lines + &fs::read_to_string(sshd.config_file()).unwrap(),
    )
    .unwrap();
    let ssh = Ssh::new("rmote-test").config_file(&config);
    within(echo(&ssh)).await;
    within(echo(&ssh)).await;
    assert_eq!(sshd.logins(), 1);
    eventually("end of the master", || !sshd.dir().join("cm").exists()).await;
}

#[tokio::test]
async fn command_runs_ssh_too() {
    let Some(sshd) = Sshd::start() else { return };
    let config = sshd.config_file();
    let text = format!("cmd:ssh -F {} rmote-test", config.display());
    let transport = text.parse::<rmote_transport::Target>().unwrap().transport();
    within(echo(&transport)).await;
    let (text, exit, _) = within(output(&transport, &["echo", "a  b", "$HOME"])).await;
    assert_eq!((text.as_str(), exit), ("a  b $HOME\n", Exit::Code(0)));
    let words =
        Command::new("ssh").args(["-oBatchMode=yes", "-F", "/dev/null", "-p", "1", "127.0.0.1"]);
    assert_fault(
        &within(output(&words, &["true"])).await,
        FaultKind::Refused,
        "Connection refused",
    );
}

#[tokio::test]
async fn failures_have_names() {
    let Some(mut sshd) = Sshd::start() else {
        return;
    };
    let ssh = host(&sshd);
    let run = ["true"];
    let wrong_key = Ssh::new(sshd.url())
        .config_file("/dev/null")
        .identity(sshd.other_identity());
    let wrong_key = wrong_key.known_hosts_file(sshd.known_hosts());
    let denied = within(output(&wrong_key, &run)).await;
    assert_fault(
        &denied,
        FaultKind::PermissionDenied,
        "Permission denied (publickey)",
    );

    let refused = within(output(&ssh.clone().port(1), &run)).await;
    assert_fault(&refused, FaultKind::Refused, "Connection refused");

    let unknown = Ssh::new("rmote-no-such-host.invalid").config_file("/dev/null");
    let unknown = within(output(&unknown, &run)).await;
    assert_fault(
        &unknown,
        FaultKind::UnknownHost,
        "Could not resolve hostname",
    );

    let empty = sshd.dir().join("empty");
    let new_host = within(output(&ssh.clone().known_hosts_file(&empty), &run)).await;
    assert_fault(
        &new_host,
        FaultKind::HostKey,
        "Host key verification failed",
    );

    let accept = ssh
        .clone()
        .known_hosts_file(&empty)
        .known_hosts(KnownHosts::AcceptNew);
    assert_eq!(within(output(&accept, &run)).await.1, Exit::Code(0));
    sshd.change_host_key();
    for ssh in [&ssh, &accept] {
        let changed = within(output(ssh, &run)).await;
        assert_fault(
            &changed,
            FaultKind::HostKey,
            "REMOTE HOST IDENTIFICATION HAS CHANGED",
        );
    }
    let any = ssh.clone().known_hosts(KnownHosts::AcceptAny);
    assert_eq!(within(output(&any, &run)).await.1, Exit::Code(0));
}

#[tokio::test]
async fn a_silent_host_times_out() {
    // Accepts and says nothing.
    let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!(
        "ssh://a@127.0.0.1:{}",
        listener.local_addr().unwrap().port()
    );
    let ssh = Ssh::new(url)
        .config_file("/dev/null")
        .connect_timeout(Duration::from_secs(1));
    assert_fault(
        &within(output(&ssh, &["true"])).await,
        FaultKind::TimedOut,
        "timed out",
    );
}

#[tokio::test]
async fn a_lost_connection_is_seen() {
    let Some(mut sshd) = Sshd::start() else {
        return;
    };
    within(async {
        let mut link = host(&sshd).start(&words(&["cat"])).await.unwrap();
        eventually("login", || sshd.logins() == 1).await;
        sshd.stop();
        let mut rest = Vec::new();
        link.stdout.read_to_end(&mut rest).await.unwrap();
        let exit = link.process.wait().await;
        link.process.stderr().settle().await;
        let fault = link.process.fault(exit);
        assert_eq!(
            (exit, fault.kind),
            (Exit::Code(255), FaultKind::Disconnected),
            "{fault}"
        );
    })
    .await;
}

#[tokio::test]
async fn a_forced_command_answers_instead() {
    let Some(mut sshd) = Sshd::start() else {
        return;
    };
    sshd.set_forced_command("echo forced");
    let (text, exit, _) = within(output(&host(&sshd), &["cat"])).await;
    assert_eq!((text.as_str(), exit), ("forced\n", Exit::Code(0)));
}

#[tokio::test]
async fn a_missing_ssh_is_named() {
    let error = Ssh::new("web01")
        .program("rmote-no-ssh")
        .start(&words(&["true"]))
        .await
        .unwrap_err();
    assert_eq!(
        error.to_string(),
        "the program rmote-no-ssh for ssh://web01 was not found on this machine"
    );
}

#[tokio::test]
async fn nothing_is_left_after_drop() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        for jump in [false, true] {
            let marker = marker();
            let ssh = Ssh::new(if jump { "rmote-jump" } else { "rmote-test" })
                .config_file(sshd.config_file());
            let mut link = ssh
                .start(&words(&["sh", "-c", "echo here; cat; :", &marker]))
                .await
                .unwrap();
            let mut text = [0; 5];
            link.stdout.read_exact(&mut text).await.unwrap();
            assert!(!processes_with(&marker).is_empty());
            drop(link);
            gone(&marker).await;
        }
        let config = sshd.config_file().display().to_string();
        gone(&config).await;
    })
    .await;
}

#[tokio::test]
async fn a_left_link_delivers_its_last_bytes() {
    let Some(sshd) = Sshd::start() else { return };
    within(async {
        use tokio::io::AsyncWriteExt;
        let file = sshd.dir().join("received");
        let script = format!("cat > {}", file.display());
        let Link {
            mut stdin,
            stdout,
            mut process,
        } = host(&sshd)
            .start(&words(&["sh", "-c", &script]))
            .await
            .unwrap();
        process.leave_on_drop(true);
        stdin.write_all(&vec![b'x'; 50_000]).await.unwrap();
        drop((stdin, stdout, process));
        eventually("the bytes", || {
            fs::metadata(&file).is_ok_and(|meta| meta.len() == 50_000)
        })
        .await;
    })
    .await;
}
