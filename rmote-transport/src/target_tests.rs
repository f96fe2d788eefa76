use proptest::prelude::*;

use super::*;

#[track_caller]
fn parses(text: &str, shown: &str) {
    let target: Target = text
        .parse()
        .unwrap_or_else(|error| panic!("{text}: {error}"));
    assert_eq!(target.to_string(), shown);
    assert_eq!(
        shown.parse::<Target>().as_ref(),
        Ok(&target),
        "what is shown is read again"
    );
    assert_eq!(
        target.transport().target(),
        shown,
        "the transport calls itself the same"
    );
}

#[track_caller]
fn refused(text: &str, message: &str) {
    let error = text.parse::<Target>().expect_err(text).to_string();
    assert!(error.contains(message), "{text}: {error}");
}

#[test]
fn all_forms_are_read() {
    parses("local", "local");
    parses("web01", "ssh://web01");
    parses("deploy@web01.example.org", "ssh://deploy@web01.example.org");
    parses("name@domain@web01", "ssh://name@domain@web01");
    parses("DOMAIN\\name@web01", "ssh://DOMAIN\\name@web01");
    parses("ssh://deploy@web01:2222", "ssh://deploy@web01:2222");
    parses("ssh://web01", "ssh://web01");
    parses("ssh://[::1]:22", "ssh://[::1]:22");
    parses("ssh://a@[fe80::1%eth0]", "ssh://a@[fe80::1%eth0]");
    parses("::1", "ssh://[::1]");
    parses("a@fe80::1%eth0", "ssh://a@[fe80::1%eth0]");
    parses("10.0.0.1", "ssh://10.0.0.1");
    parses("büro", "ssh://büro");
    parses("docker://test-db_1.x", "docker://test-db_1.x");
    parses("docker://postgres@db", "docker://postgres@db");
    parses("podman://0:0@db", "podman://0:0@db");
    parses("kubectl://prod/web-0", "kubectl://prod/web-0");
    parses("kubectl://prod/web-0/app", "kubectl://prod/web-0/app");
    parses("cmd:sudo -n --", "cmd:sudo -n --");
    parses("cmd:  ssh 'a b'  \"c\"", "cmd:ssh 'a b' c");
}

#[test]
fn options_in_disguise_are_refused() {
    for text in [
        "-oProxyCommand=x",
        "ssh://-oProxyCommand=x",
        "ssh://-V",
        "x@-oProxyCommand",
        "ssh://x@-V",
        "-x@host",
        "ssh://-x@host",
        "ssh://[-x]:22",
        "docker://-it",
        "docker://-it@c",
        "docker://c@-it",
        "podman://--help",
        "kubectl://-n/pod",
        "kubectl://ns/-pod",
        "kubectl://ns/pod/--stdin",
    ] {
        let error = text.parse::<Target>().expect_err(text);
        assert!(
            matches!(
                error,
                TargetError::Edge {
                    verb: "begin",
                    character: '-',
                    ..
                }
            ),
            "{text}: {error:?}"
        );
    }
}

#[test]
fn shell_characters_are_refused() {
    for name in [
        "`id`", "$(id)", "a;b", "a|b", "a&b", "a b", "a\"b", "a'b", "a<b", "a>b", "(a)", "{a}",
        "a*", "a!b",
    ] {
        for text in [
            name.to_string(),
            format!("ssh://{name}"),
            format!("docker://{name}"),
            format!("kubectl://a/{name}"),
        ] {
            assert!(
                matches!(text.parse::<Target>(), Err(TargetError::Character { .. })),
                "{text}"
            );
        }
        if name != "$(id)" {
            assert!(
                format!("{name}@host").parse::<Target>().is_err(),
                "{name}@host"
            );
        }
    }
    refused("a\\@host", "must not end with '\\\\'");
    refused("a%b", "must not contain '%'");
    refused("fe80::1%-x", "must not begin with '-'");
    refused("fe80::1%a;b", "must not contain ';'");
}

#[test]
fn other_mistakes_are_named() {
    refused("", "the target is missing");
    refused("ssh://", "the host is missing");
    refused("@host", "the user is missing");
    refused("user@", "the host is missing");
    refused("docker://", "the container is missing");
    refused("kubectl://pod", "the pod is missing");
    refused("kubectl://ns/", "the name is missing");
    refused("kubectl://ns/pod/a/b", "must not contain '/'");
    refused("cmd:", "the command is missing");
    refused("cmd:'' a", "the command is missing");
    refused("cmd:'a", "open quote");
    refused("web01:22", "write ssh://web01:22");
    refused("docker:db", "write ssh://docker:db");
    refused("[::1]:22", "write ssh://[::1]:22");
    refused("ftp://web01", "unknown scheme \"ftp\"");
    refused(
        "ssh://a:secret@web01",
        "a password cannot be part of a target",
    );
    refused("ssh://web01/path", "must not contain '/'");
    for port in ["", "0", "65536", "+22", "a", "22x", "-1"] {
        refused(&format!("ssh://web01:{port}"), "is not a port");
        refused(&format!("ssh://[::1]:{port}"), "is not a port");
    }
    refused("ssh://[::1]x", "is not a port");
    refused("ssh://[::1", "must not contain '['");
    refused("a\nb", "must not contain '\\n'");
    refused("a\u{202e}b", "'\\u{202e}'");
    refused("cmd:a\x1bb", "'\\u{1b}'");
}

#[test]
fn errors_hold_no_control_characters() {
    for text in ["a\x1b[2Jb", "ssh://\x07", "docker://a\rb", "x\u{2066}"] {
        let message = text.parse::<Target>().unwrap_err().to_string();
        assert!(!message.contains(is_hidden), "{message:?}");
    }
}

#[test]
fn ssh_commands_get_a_quoted_line() {
    let shown = |text: &str| format!("{:?}", text.parse::<Target>().unwrap().transport());
    assert!(shown("cmd:/usr/bin/ssh web01").contains("remote_shell: true"));
    assert!(shown("cmd:sudo -n").contains("remote_shell: false"));
}

/// Words that belong to us on each command line. Everything else must come after the end of options, or be the value
/// of one of them.
fn assert_no_foreign_option(target: &Target) {
    let argv = ["true".to_string()];
    let words = match &target.kind {
        // What the user wrote is what runs, by design.
        Kind::Command(_) | Kind::Local => return,
        Kind::Ssh(destination) => Ssh::from(destination.clone()).argument_vector("true", None),
        Kind::Docker {
            podman,
            user,
            container,
        } => {
            let docker = if *podman {
                Docker::podman(container)
            } else {
                Docker::new(container)
            };
            user.iter()
                .fold(docker, Docker::user)
                .argument_vector(&argv)
        }
        Kind::Kubectl {
            namespace,
            pod,
            container,
        } => Kubectl::new(namespace, pod, container.as_deref()).argument_vector(&argv),
    };
    let words = words.expect("what was parsed is accepted");
    for word in words.iter().skip(1).map(|word| word.to_str().unwrap()) {
        let ours = ["-T", "-o", "-p", "-l", "-i", "-n", "-c", "--"].contains(&word)
            || word.starts_with("--user=");
        assert!(ours || !word.starts_with('-'), "{words:?}");
        assert!(!word.contains(is_hidden), "{words:?}");
    }
}

/// Text that looks like a target, and text that looks like an attack on one.
fn text() -> impl Strategy<Value = String> {
    let scheme = prop::sample::select(vec![
        "",
        "ssh://",
        "docker://",
        "podman://",
        "kubectl://",
        "x://",
        "cmd:",
    ]);
    let part = prop_oneof![
        3 => prop::sample::select(vec![
            "-", "--", "-o", "-oProxyCommand=x", "@", ":", "/", "[", "]", "::1", "%", "22", "a", "web", "$(x)", "\\", "\n",
            " ", "=", "'", "\u{202e}", ".", "user",
        ]).prop_map(String::from),
        1 => ".",
        1 => "[a-z]{1,5}",
    ];
    (scheme, prop::collection::vec(part, 0..6))
        .prop_map(|(scheme, parts)| format!("{scheme}{}", parts.concat()))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 4000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_becomes_an_option(text in text()) {
        if let Ok(target) = text.parse::<Target>() {
            assert_no_foreign_option(&target);
            prop_assert_eq!(target.to_string().parse::<Target>(), Ok(target));
        }
    }

    #[test]
    fn any_text_is_read_or_refused(text in any::<String>()) {
        if let Ok(target) = text.parse::<Target>() {
            assert_no_foreign_option(&target);
        }
    }

    #[test]
    fn setters_take_no_option_either(name in text()) {
        let argv = ["true".to_string()];
        for words in [
            Ssh::new(&name).argument_vector("true", None),
            Ssh::new("h").user(&name).argument_vector("true", None),
            Docker::new(&name).argument_vector(&argv),
            Kubectl::new(&name, "p", None).argument_vector(&argv),
            Kubectl::new("n", &name, Some("c")).argument_vector(&argv),
            Kubectl::new("n", "p", Some(&name)).argument_vector(&argv),
        ].into_iter().flatten() {
            for word in words.iter().skip(1).filter_map(|word| word.to_str()) {
                let ours = ["-T", "-o", "-p", "-l", "-i", "-n", "-c", "--"].contains(&word);
                prop_assert!(ours || !word.starts_with('-'), "{:?}", words);
            }
        }
    }
}
