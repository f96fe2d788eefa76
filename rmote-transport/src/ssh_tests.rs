use super::*;

fn vector(ssh: &Ssh) -> String {
    let words = ssh.argument_vector("true", None).unwrap();
    words
        .iter()
        .map(|word| word.to_str().unwrap())
        .collect::<Vec<_>>()
        .join(" ")
}

const BASE: &str =
    "ssh -T -o BatchMode=yes -o RemoteCommand=none -o ClearAllForwardings=yes -o LogLevel=INFO";

#[test]
fn defaults_leave_the_configuration_alone() {
    assert_eq!(vector(&Ssh::new("web01")), format!("{BASE} -- web01 true"));
}

#[test]
fn destination_is_taken_apart() {
    assert_eq!(
        vector(&Ssh::new("ssh://a@[::1]:22")),
        format!("{BASE} -p 22 -l a -- ::1 true")
    );
    assert_eq!(
        vector(&Ssh::new("a@b@web01")),
        format!("{BASE} -l a@b -- web01 true")
    );
    assert_eq!(
        vector(&Ssh::new("a@web01").user("b").port(7)),
        format!("{BASE} -p 7 -l b -- web01 true")
    );
}

#[test]
fn setters_become_options() {
    let ssh = Ssh::new("h")
        .identity("/k/100%")
        .config_file("/c")
        .jump("a@b")
        .jump("ssh://[::1]:7")
        .known_hosts(KnownHosts::AcceptNew)
        .known_hosts_file("/a b/%k")
        .connect_timeout(Duration::from_millis(1500))
        .keepalive(Duration::ZERO);
    let expected = format!(
        "{BASE} -o StrictHostKeyChecking=accept-new -o UserKnownHostsFile=\"/a b/%%k\" -o ConnectTimeout=2 \
         -o ServerAliveInterval=1 -o ServerAliveCountMax=3 -o IdentitiesOnly=yes -i /k/100%% -F /c \
         -J a@b,[::1]:7 -- h true"
    );
    assert_eq!(vector(&ssh), expected);
}

#[test]
fn shared_makes_a_master_that_ends_by_itself() {
    let words = Ssh::new("h")
        .argument_vector("true", Some(Path::new("/t/m")))
        .unwrap();
    let text = format!("{words:?}");
    assert!(
        text.contains(r#""ControlMaster=yes", "-o", "ControlPersist=2", "-S", "/t/m""#),
        "{text}"
    );
}

#[tokio::test]
async fn start_reports_bad_parts() {
    for ssh in [
        Ssh::new("-oProxyCommand=x"),
        Ssh::new("web01").user("-x"),
        Ssh::new("web01").user("`id`"),
        Ssh::new("web01").jump("-oProxyCommand=x"),
        Ssh::new("web01:22"),
    ] {
        let error = ssh.start(&["true".into()]).await.unwrap_err();
        assert!(matches!(error, SpawnError::Target { .. }), "{error:?}");
    }
    let error = Ssh::new("web01").start(&["it's".into()]).await.unwrap_err();
    assert!(matches!(error, SpawnError::Command { .. }));
}
