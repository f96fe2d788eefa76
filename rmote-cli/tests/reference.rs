//! The commands that `docs/tools` shows, each run against a container in the place of the host that it names.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

use std::path::Path;
use std::process::{Command, Stdio};
use std::{env, fs};

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;

use docker::Container;

/// Makes a Debian host one on which the commands have something to do: a repository with the packages that they name.
const DEBIAN: &str = r#"
set -e
mkdir -p /srv/repo && cd /srv/repo
package() {
    mkdir -p "$1/DEBIAN" "$1/lib/systemd/system" "$1/usr/share/doc/$1"
    # A package without a file of its own disappears when the next one is installed.
    touch "$1/usr/share/doc/$1/copyright"
    printf 'Package: %s\nVersion: %s\nArchitecture: all\nMaintainer: a <a@example.org>\nDescription: for a test\n'         "$1" "$2" > "$1/DEBIAN/control"
    [ "$1" != nginx ] || printf '[Service]\nExecStart=/bin/sleep infinity\n[Install]\nWantedBy=multi-user.target\n'         > "$1/lib/systemd/system/nginx.service"
    dpkg-deb -b "$1" "$1_$2.deb" > /dev/null
}
package nginx 1.22.1-9
package nginx 1.24.0-1
for name in curl git rsync telnet; do package "$name" 1.0; done
apt-ftparchive packages . > Packages
rm -rf /etc/apt/sources.list.d/* && echo 'deb [trusted=yes] file:/srv/repo ./' > /etc/apt/sources.list
export GNUPGHOME=/srv/keys && mkdir -m 700 /srv/keys
gpg --batch --quiet --passphrase '' --quick-generate-key a@example.org ed25519
"#;

/// The same for a host of pacman, where `core` has the packages. Made by what the tests of pacman are made with.
const ARCH: &str = r#"
from pacman_host import *
reset(HEAD + "[core]\nSigLevel = Optional TrustAll\nServer = file://" + REPO + "\n")
publish(*[make(name, "1.0-1") for name in ("nginx", "git", "nano")], name="core")
subprocess.run(["pacman-key", "--init"], check=True)
keys = dict(os.environ, GNUPGHOME="/srv/keys")
os.mkdir("/srv/keys", 0o700)
gpg = ["gpg", "--batch", "--quiet", "--passphrase", ""]
subprocess.run(gpg + ["--quick-generate-key", "a@example.org", "ed25519"], env=keys, check=True)
key = subprocess.run(gpg + ["--export"], env=keys, check=True, stdout=subprocess.PIPE).stdout
subprocess.run(["pacman-key", "--add", "/dev/stdin"], input=key, check=True)
"#;

/// The commands of a page, in their order.
fn commands(page: &Path) -> Vec<String> {
    let text = fs::read_to_string(page).unwrap();
    let mut shell = false;
    let mut commands = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            shell = line == "```sh";
        } else if shell && line.starts_with("rmote-cli ") {
            commands.push(line.to_owned());
        }
    }
    commands
}

/// Runs a command as it is typed, but for the target. What is behind `#` says how it ends, if not well.
fn run(command: &str, container: &Container, folder: &Path) {
    let target = command.split(' ').nth(2).unwrap();
    let mut here = command.replacen(target, &format!("docker://{}", container.name()), 1);
    // Nobody has the private key of the one that is shown.
    if let Some(shown) = here.split(' ').find(|word| is_fingerprint(word)) {
        let list = "gpg --homedir /srv/keys --with-colons --list-keys 2> /dev/null | sed -n '/^fpr/ { s/^fpr:*//; s/://; p; q }'";
        let (listed, own) = container.exec(&["sh", "-c", list]);
        assert!(listed, "{own}");
        here = here.replace(shown, own.lines().last().unwrap());
    }
    let expected = command
        .rsplit_once("# exit code ")
        .map_or(0, |(_, code)| code.parse().unwrap());
    let built = Path::new(env!("CARGO_BIN_EXE_rmote-cli")).parent().unwrap();
    let path = format!("{}:{}", built.display(), env::var("PATH").unwrap());
    let output = Command::new("bash")
        .args(["-c", &here])
        .env("PATH", path)
        .current_dir(folder)
        .stdin(Stdio::null())
        .output()
        .unwrap();
    assert_eq!(
        output.status.code(),
        Some(expected),
        "{command}: {output:?}"
    );
}

fn is_fingerprint(word: &str) -> bool {
    word.len() == 40 && word.chars().all(|char| char.is_ascii_hexdigit())
}

/// Runs what the pages show for which this kind of host is meant.
fn pages(container: &Container, files: &Path, meant: impl Fn(&str) -> bool) {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs/tools");
    let mut ran = 0;
    let mut pages: Vec<_> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| meant(path.file_stem().unwrap().to_str().unwrap()))
        .collect();
    pages.sort();
    for page in pages {
        for command in commands(&page) {
            run(&command, container, files);
            ran += 1;
        }
    }
    assert!(ran > 0, "no page shows a command");
}

/// Pages of tools that Debian's hosts have no use for.
fn is_foreign(page: &str) -> bool {
    page.starts_with("pacman")
}

#[test]
fn on_a_debian_host() {
    if let Some(container) = Container::systemd("rmote-test:tools") {
        let (made, said) = container.exec(&["bash", "-c", DEBIAN]);
        assert!(made, "{said}");
        let files = tempfile::tempdir().unwrap();
        let key = "gpg --homedir /srv/keys --armor --export";
        let (exported, key) = container.exec(&["sh", "-c", key]);
        assert!(exported, "{key}");
        fs::write(files.path().join("tools.asc"), key).unwrap();
        let made = Command::new("ssh-keygen")
            .args(["-q", "-t", "ed25519", "-N", "", "-f", "id_ed25519"])
            .current_dir(files.path())
            .status();
        assert!(made.unwrap().success());
        pages(&container, files.path(), |page| !is_foreign(page));
    }
}

#[test]
fn on_a_host_of_pacman() {
    let options = ["--init", docker::WORKSPACE];
    let container = Container::run("rmote-test:families", &options, &["sleep", "3600"]);
    if let Some(container) = container {
        let folder = "/rmote/rmote-tools/python/tests/disposable";
        let (made, said) = container.exec(&["env", "-C", folder, "python3", "-B", "-c", ARCH]);
        assert!(made, "{said}");
        let files = tempfile::tempdir().unwrap();
        pages(&container, files.path(), is_foreign);
    }
}
