"""A signed archive of Debian packages on this machine, and nothing else for apt to read."""
import os
import shutil
import subprocess

ROOT = "/srv/archive"
HOME = "/srv/gnupg"
BUILD = "/srv/build"
KEYS = "/etc/apt/keyrings"
SOURCES = "/etc/apt/sources.list.d"


def run(*argv, **options):
    """What a command prints; it has to succeed."""
    done = subprocess.run(argv, stdout=subprocess.PIPE, stderr=subprocess.PIPE, stdin=subprocess.DEVNULL, **options)
    if done.returncode:
        raise AssertionError("%s: %s %s" % (argv, done.stdout, done.stderr))
    return done.stdout.decode()


def add(name, version, architecture="all", fields=(), conffile=None, scripts=()):
    """Builds a package: `conffile` is the text of its configuration, `scripts` maps names to what they do."""
    folder = os.path.join(BUILD, "%s_%s_%s" % (name, version, architecture))
    os.makedirs(os.path.join(folder, "DEBIAN"), 0o755, exist_ok=True)
    control = [("Package", name), ("Version", version), ("Architecture", architecture)]
    control += [("Maintainer", "Test <test@example.org>"), ("Description", "a test")] + list(dict(fields).items())
    put(os.path.join(folder, "DEBIAN/control"), "".join("%s: %s\n" % pair for pair in control))
    if conffile is not None:
        put(os.path.join(folder, "etc", name + ".conf"), conffile)
        put(os.path.join(folder, "DEBIAN/conffiles"), "/etc/%s.conf\n" % name)
    for script, text in dict(scripts).items():
        put(os.path.join(folder, "DEBIAN", script), "#!/bin/sh\n" + text + "\n", 0o755)
    os.makedirs(os.path.join(ROOT, "pool"), exist_ok=True)
    run("dpkg-deb", "--build", "-Znone", "--root-owner-group", folder, os.path.join(ROOT, "pool"))


def put(path, text, mode=0o644):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as file:
        file.write(text)
    os.chmod(path, mode)


def gpg(*words, home=HOME):
    return ("gpg", "--batch", "--quiet", "--homedir", home) + words


def new_key(home=HOME):
    """Makes a key that signs, and returns its public part, armoured."""
    os.makedirs(home, 0o700)
    run(*gpg("--passphrase", "", "--quick-gen-key", "Test <test@example.org>", "ed25519", "sign", "never", home=home))
    return run(*gpg("--armor", "--export", home=home))


def publish(home=HOME):
    """Indexes the packages anew and signs that: as the suite `stable` with the component `main`, and as a flat one."""
    options = ["-o", "APT::FTPArchive::Release::Suite=stable", "-o", "APT::FTPArchive::Release::Codename=stable"]
    for architecture in ("amd64", "i386"):
        path = os.path.join(ROOT, "dists/stable/main/binary-" + architecture, "Packages")
        put(path, run("apt-ftparchive", "--arch", architecture, "packages", "pool", cwd=ROOT))
    put(os.path.join(ROOT, "Packages"), run("apt-ftparchive", "packages", "pool", cwd=ROOT))
    for folder in ("dists/stable", "."):
        path = os.path.join(ROOT, folder)
        for name in ("Release", "InRelease"):
            if os.path.exists(os.path.join(path, name)):
                os.unlink(os.path.join(path, name))
        release = run("apt-ftparchive", *options, "release", folder, cwd=ROOT)
        put(os.path.join(path, "Release"), release)
        run(*gpg("--clearsign", "-o", os.path.join(path, "InRelease"), os.path.join(path, "Release"), home=home))


def make():
    """Makes the archive of the tests, and returns the public key that it is signed with."""
    # This machine is thrown away: it need not sync its disk.
    put("/etc/dpkg/dpkg.cfg.d/test", "force-unsafe-io\n")
    same = {"Multi-Arch": "same"}
    add("tiny", "1.0")
    add("tiny", "2.0")
    add("other", "1.0")
    add("other", "2.0")
    add("c++", "1.0")
    add("conf", "1.0", conffile="version 1\n")
    add("conf", "2.0", conffile="version 2\n")
    for version in ("1.0", "2.0"):
        for architecture in ("amd64", "i386"):
            add("multi", version, architecture, same)
    add("foreign", "1.0", "i386")
    add("mail-a", "1.0", fields={"Provides": "mail-server, other-name (= 1.0)"})
    add("mail-b", "1.0", fields={"Provides": "mail-server"})
    add("needs", "1.0", fields={"Depends": "tiny (>= 2.0)", "Recommends": "other"})
    add("clash", "1.0", fields={"Conflicts": "tiny"})
    add("impossible", "1.0", fields={"Depends": "nowhere"})
    add("grown", "1.0")
    add("grown", "2.0", fields={"Depends": "other"})
    add("failing", "1.0", scripts={"postinst": "echo said on the one; echo said on the other >&2; exit 3"})
    add("killing", "1.0", scripts={"postinst": "test -e /tmp/mended || kill -9 $PPID"})
    add("waiting", "1.0", scripts={"postinst": "exec sleep 1000"})
    add("telling", "1.0", scripts={"postinst": "env > /tmp/environment"})
    put(os.path.join(BUILD, "thief_1.0_all/etc/conf.conf"), "mine\n")
    add("thief", "1.0")
    key = new_key()
    publish()
    return key


def reset():
    """Takes all packages of the archive off this machine, and all sources."""
    names = sorted({name.split("_")[0] for name in os.listdir(os.path.join(ROOT, "pool"))})
    present = run("dpkg-query", "-W", "-f", "${binary:Package} ${db:Status-Status}\n").split("\n")
    known = [line.split()[0] for line in present if line and line.split()[0].split(":")[0] in names]
    if known:
        run("dpkg", "--force-all", "--purge", *known)
    for folder in (SOURCES, KEYS):
        shutil.rmtree(folder, ignore_errors=True)
        os.mkdir(folder)
    for path in ("/etc/apt/sources.list", "/var/lib/apt/periodic/update-success-stamp", "/tmp/mended"):
        if os.path.exists(path):
            os.unlink(path)
    for folder, _, files in os.walk("/var/lib/apt/lists"):
        for name in files:
            os.unlink(os.path.join(folder, name))
