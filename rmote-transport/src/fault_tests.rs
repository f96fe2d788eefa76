use super::*;

#[track_caller]
fn check(family: Family, code: i32, stderr: &str, kind: FaultKind, message: &str) {
    assert_eq!(
        family.interpret(Exit::Code(code), stderr),
        Fault {
            kind,
            message: message.into()
        },
        "{stderr}"
    );
}

#[test]
fn ssh_words() {
    use FaultKind::*;
    for (line, kind) in [
        (
            "ssh: connect to host web01 port 22: Connection refused",
            Refused,
        ),
        (
            "deploy@web01: Permission denied (publickey,password).",
            PermissionDenied,
        ),
        (
            "ssh: Could not resolve hostname web01: Name or service not known",
            UnknownHost,
        ),
        ("Host key verification failed.", HostKey),
        (
            "No ED25519 host key is known for web01 and you have requested strict checking.",
            HostKey,
        ),
        (
            "ssh: connect to host web01 port 22: Connection timed out",
            TimedOut,
        ),
        ("Connection timed out during banner exchange", TimedOut),
        ("Timeout, server web01 not responding.", TimedOut),
        (
            "ssh: connect to host web01 port 22: No route to host",
            Unreachable,
        ),
        (
            "kex_exchange_identification: Connection closed by remote host",
            Disconnected,
        ),
        ("Connection to web01 closed by remote host.", Disconnected),
        ("client_loop: send disconnect: Broken pipe", Disconnected),
        (
            "channel 0: open failed: connect failed: Connection refused\nstdio forwarding failed",
            Refused,
        ),
        (
            "/root/.ssh/config: line 3: Bad configuration option: nonsense",
            Other,
        ),
    ] {
        let fault = Family::Ssh.interpret(Exit::Code(255), line);
        assert_eq!(fault.kind, kind, "{line}");
        assert!(line.contains(&fault.message), "{line}: {}", fault.message);
    }
}

#[test]
fn a_changed_host_key_is_named_without_the_frame() {
    let text = "@@@@@@@@\n@    WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!     @\n@@@@@@@@\nIT IS POSSIBLE\n\
                Password authentication is disabled\nHost key verification failed.";
    let message = "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.";
    check(Family::Ssh, 255, text, FaultKind::HostKey, message);
}

#[test]
fn the_remote_programs_words_are_not_sshs() {
    check(
        Family::Ssh,
        1,
        "curl: Connection refused",
        FaultKind::Other,
        "curl: Connection refused",
    );
    check(
        Family::Ssh,
        0,
        "Connection refused",
        FaultKind::Other,
        "Connection refused",
    );
    check(
        Family::Ssh,
        127,
        "sh: 1: python3: not found",
        FaultKind::ProgramNotFound,
        "sh: 1: python3: not found",
    );
}

#[test]
fn container_words() {
    use FaultKind::*;
    for (code, line, kind) in [
        (
            1,
            "Error response from daemon: No such container: db",
            NoSuchContainer,
        ),
        (1, "Error: No such container: db", NoSuchContainer),
        (
            1,
            "Error response from daemon: container 1f2e is not running",
            NoSuchContainer,
        ),
        (
            125,
            "Error: no container with name or ID \"db\" found: no such container",
            NoSuchContainer,
        ),
        (
            255,
            "Error: can only create exec sessions on running containers: container state improper",
            NoSuchContainer,
        ),
        (
            127,
            "OCI runtime exec failed: exec: \"x\": executable file not found in $PATH: unknown",
            ProgramNotFound,
        ),
        (
            127,
            "OCI runtime exec failed: exec: \"/x\": stat /x: no such file or directory: unknown",
            ProgramNotFound,
        ),
        (
            1,
            "Cannot connect to the Docker daemon at unix:///var/run/docker.sock.",
            Refused,
        ),
        (
            1,
            "permission denied while trying to connect to the Docker daemon socket",
            PermissionDenied,
        ),
        (
            126,
            "unable to find user nobody2: no matching entries in passwd file",
            PermissionDenied,
        ),
        (3, "anything", Other),
        (126, "", ProgramNotFound),
    ] {
        check(Family::Container, code, line, kind, line);
    }
}

#[test]
fn the_programs_words_in_a_container_are_its_own() {
    for line in [
        "nginx is not running",
        "stat /x: no such file or directory",
        "curl: connection refused",
    ] {
        check(Family::Container, 1, line, FaultKind::Other, line);
        check(Family::Kubectl, 1, line, FaultKind::Other, line);
    }
    let line =
        "OCI runtime exec failed: chdir to cwd (\"/x\") failed: no such file or directory: unknown";
    check(Family::Container, 126, line, FaultKind::Other, line);
}

#[test]
fn kubectl_words() {
    use FaultKind::*;
    for (line, kind) in [
        (
            "Error from server (NotFound): pods \"web\" not found",
            NoSuchContainer,
        ),
        (
            "Error from server (BadRequest): container app is not valid for pod web",
            NoSuchContainer,
        ),
        (
            "Error from server (Forbidden): pods \"web\" is forbidden",
            PermissionDenied,
        ),
        (
            "The connection to the server localhost:8080 was refused",
            Refused,
        ),
        (
            "Unable to connect to the server: dial tcp: lookup k8s: no such host",
            UnknownHost,
        ),
        (
            "Unable to connect to the server: dial tcp 10.0.0.1:443: i/o timeout",
            TimedOut,
        ),
        ("command terminated with exit code 127", ProgramNotFound),
    ] {
        check(Family::Kubectl, 1, line, kind, line);
    }
}

#[test]
fn unknown_commands_try_all() {
    check(
        Family::Unknown,
        255,
        "Host key verification failed.",
        FaultKind::HostKey,
        "Host key verification failed.",
    );
    check(
        Family::Unknown,
        1,
        "Error: No such container: a",
        FaultKind::NoSuchContainer,
        "Error: No such container: a",
    );
    check(
        Family::Unknown,
        1,
        "a\nb\n\nc\nd\ne",
        FaultKind::Other,
        "b\nc\nd\ne",
    );
    check(Family::Plain, 127, "", FaultKind::ProgramNotFound, "");
    assert_eq!(Family::of_program("/usr/bin/ssh"), Family::Ssh);
    assert_eq!(Family::of_program("sudo"), Family::Unknown);
}

#[test]
fn fault_reads_as_a_sentence() {
    let fault = Family::Ssh.interpret(Exit::Code(255), "Host key verification failed.");
    assert_eq!(
        fault.to_string(),
        "host key not accepted: Host key verification failed."
    );
    assert_eq!(
        Family::Plain.interpret(Exit::Unknown, "").to_string(),
        "failed"
    );
}
