"""A host of pacman for one test: a repository made of packages as small as can be."""
import io
import os
import shutil
import subprocess
import tarfile

REPO = "/srv/repo"
CONF = "/etc/pacman.conf"
BASE = "/var/lib/pacman"
CACHE = "/var/cache/pacman/pkg"
BIN = "/srv/bin"
HEAD = "# Kept.\n[options]\nArchitecture = auto\n\n"
CUSTOM = "[custom]\nSigLevel = Optional TrustAll\nServer = file:///srv/repo\n"

# Debian's repo-add wants bsdtar, which is not in the image: GNU tar does the same, but has no option to stop at the
# first match.
BSDTAR = """#!/bin/sh
words=$(echo "$1" | tr -d q)
shift
exec tar "$words" "$@"
"""


def pacman(*words):
    """What pacman itself says."""
    done = subprocess.run(("pacman",) + words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, universal_newlines=True)
    return done.stdout


def reset(conf=HEAD + CUSTOM):
    """Nothing is installed, the repository is empty."""
    for folder in (REPO, BASE, CACHE, BIN, "/usr/share/rmote-test"):
        shutil.rmtree(folder, ignore_errors=True)
        os.makedirs(folder)
    for path, text in ((CONF, conf), ("/var/log/pacman.log", "")):
        with open(path, "w") as file:
            file.write(text)
    with open(BIN + "/bsdtar", "w") as file:
        file.write(BSDTAR)
    os.chmod(BIN + "/bsdtar", 0o755)


def make(name, version, *fields, files=()):
    """Makes a package, with more fields of its .PKGINFO, and returns its path."""
    path = "%s/%s-%s-any.pkg.tar.gz" % (REPO, name, version)
    info = ["pkgname = " + name, "pkgbase = " + name, "pkgver = " + version, "arch = any", "size = 1"]
    info += ["pkgdesc = for a test", "builddate = 1600000000", "packager = nobody"] + list(fields)
    with tarfile.open(path, "w:gz") as tar:
        for member, text in [(".PKGINFO", "\n".join(info) + "\n"), ("usr/share/rmote-test/" + name, version)] + [
            (file, name) for file in files
        ]:
            entry = tarfile.TarInfo(member)
            data = text.encode()
            entry.size = len(data)
            tar.addfile(entry, io.BytesIO(data))
    return path


def publish(*packages, name="custom", sign=()):
    """Puts packages into the repository's list, with repo-add."""
    env = dict(os.environ, PATH=BIN + ":" + os.environ["PATH"])
    path = "%s/%s.db.tar.gz" % (REPO, name)
    before = os.stat(path).st_mtime if os.path.exists(path) else 0
    subprocess.run(["repo-add", "--quiet", *sign, path, *packages], env=env, check=True, stdout=subprocess.DEVNULL)
    # pacman fetches a list only if its time is another one, in seconds.
    after = max(os.stat(path).st_mtime, before + 1)
    os.utime(path, (after, after))


def state():
    """All that a tool might have changed: paths with contents."""
    found = {}
    for folder in (BASE, CACHE, "/usr/share/rmote-test", CONF):
        for top, _, files in os.walk(folder):
            for file in files:
                with open(os.path.join(top, file), "rb") as opened:
                    found[os.path.join(top, file)] = opened.read()
    with open(CONF, "rb") as opened:
        found[CONF] = opened.read()
    return found
