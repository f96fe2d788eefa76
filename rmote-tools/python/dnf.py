"""Packages with dnf, as on Fedora and its kin."""
from rmote.failure import Unsupported
from rmote.tools import packages, program
from rmote.tools.packages import PackageError, in_turn
from rmote.tools.program import check_name

NAME = "[A-Za-z0-9_][A-Za-z0-9._+-]*"
VERSION = "[A-Za-z0-9][A-Za-z0-9:._+~^-]*"
# dnf's exit code when another one has its lock.
LOCKED = 200
CACHES = "/var/cache/dnf", "/var/cache/libdnf5"
# The name in "name-version-release.architecture".
FULL = r"([^\s\"]+)-[^-\s]+-[^-\s]+\.\w+"
# What dnf and rpm say of each kind of failure, and of the packages concerned.
SIGNS = (
    # An rpm that began just after it was looked for.
    ("locked", "can't create transaction lock"),
    (
        "unknown",
        "^Error: Unable to find a match: |^No match for argument: ",
        "^Error: Unable to find a match: (.*)$",
        "^No match for argument: (.*)$",
    ),
    (
        "signature",
        "GPG check FAILED|do not have any GPG public keys|GPG signature verification error|^OpenPGP check for package",
        "^Package " + FULL + " is not signed",
        "^Public key for " + FULL + " is not installed",
        '^OpenPGP check for package "' + FULL,
    ),
    (
        "download",
        "^(?:Error: )?Failed to download|^Error: Error downloading packages|incorrect checksum$",
        '^Package "' + FULL + '" from',
        "^ +" + FULL + ": Cannot download",
        "Cannot download " + FULL,
    ),
    ("conflict", "^error: Failed dependencies:|^ ?Problem|conflicts? with file from", r"(?:package|by|of|installed\)) " + FULL),
    (
        "broken",
        "(?i)error in .* scriptlet|cannot open Packages database",
        r"^Error in .* scriptlet in rpm package (\S+)$",
        "(?i)error in %.* scriptlet: " + FULL,
    ),
)


class Dnf:
    """Installs, upgrades and removes packages with dnf; what is there, rpm says.

    It was run for real with dnf 4 and dnf 5. Packages cannot be held with it.
    """

    @staticmethod
    def update(*, ttl=None, check=False, lock_timeout=60):
        """Fetches the metadata of the repositories, and says whether it changed.

        With `ttl` only what is older than that many seconds is fetched. With `check` it goes to a temporary place.
        """
        import tempfile

        program.need("dnf", "packages of this family of systems are managed with it")
        words = ["--refresh"] if ttl is None else ["--setopt=metadata_expire=%d" % ttl, "--setopt=*.metadata_expire=%d" % ttl]
        before = _metadata(CACHES)
        if not check:
            _change(lock_timeout, "makecache", *words)
            return _metadata(CACHES) != before
        with tempfile.TemporaryDirectory(prefix="rmote-") as folder:
            # dnf 5 would begin with what is in the system's.
            places = ["--setopt=%s=%s" % (name, folder) for name in ("cachedir", "system_cachedir", "logdir")]
            _change(lock_timeout, "makecache", *places)
            return _metadata([folder]) != before

    @staticmethod
    def converge(*packages, state=None, check=False, lock_timeout=60, change_held=False):
        """Makes packages be as they are wanted: one transaction for those that come, one for those that go.

        A name may be one that a package provides: it is present if any that provides it is. A version may lack
        the epoch and the release. What another package needs is not removed: the error says which.
        """
        wants = _checked(packages, state)
        before = _installed()
        coming, expected = [], {}
        gone = [one.name for one in wants if one.state == "absent" and one.name in before]
        for one in wants:
            if one.state == "absent":
                continue
            versions = before.get(one.name, [])
            if one.version:
                if not any(_same(one.version, version) for version in versions):
                    coming.append("%s-%s" % (one.name, _pinned(one)))
                    expected[one.name] = one.version
            elif not versions and not _provider(one.name):
                expected[one.name] = _offered(one.name)
                coming.append(one.name)
        latest = [one.name for one in wants if one.state == "latest" and one.name in before]
        for name, version in _query("--upgrades", "--latest-limit", "1", names=latest):
            if name in latest:
                coming.append("%s-%s" % (name, version))
                expected[name] = version
        if gone:
            # dnf would remove what needs them along with them.
            _run("rpm", "-e", "--test", "--", *gone)
        after = dict(before, **{name: [version] for name, version in expected.items()})
        for name in gone:
            del after[name]
        if not check:
            remove, install = ["remove", "--noautoremove", "--"] + gone, ["install", "--"] + coming
            steps = [("removed " + ", ".join(gone), remove)] * bool(gone) + [("", install)] * bool(coming)
            in_turn([(what, lambda words=words: _change(lock_timeout, *words)) for what, words in steps])
            after = _installed() if gone or coming else before
        return [_result(one, before, after, check) for one in wants]


def _checked(items, state):
    wants = packages.wanted(items, state or "present")
    for one in wants:
        check_name("package", one.name, NAME)
        if one.version:
            check_name("version", one.version, VERSION)
    for name in ("dnf", "rpm"):
        program.need(name, "packages of this family of systems are managed with it")
    if any(one.state == "held" for one in wants):
        raise Unsupported("way to hold packages", "dnf needs a plugin for that, which is not used here")
    return wants


def _result(one, before, after, check):
    name = one.name
    if one.state != "absent" and name not in after:
        name = _provider(name) or name
    old, new = (", ".join(versions.get(name, [])) for versions in (before, after))
    if not check and bool(new) == (one.state == "absent"):
        raise PackageError("other", "dnf succeeded, but package %s is not %s" % (one.name, one.state), [one.name])
    return packages.result(one.name, old != new, old, new)


def _run(*argv, **options):
    return packages.run(SIGNS, *argv, **options)


def _installed():
    """The versions of each installed package, by its name and by name and architecture."""
    found = {}
    for line in packages.output(SIGNS, "rpm", "-qa", "--qf", "%{NAME} %{EVR} %{ARCH}\n").splitlines():
        name, version, architecture = line.split(" ")
        for key in (name, "%s.%s" % (name, architecture)):
            found.setdefault(key, []).append(version)
    return found


def _provider(name):
    """The installed package that provides a name, or None."""
    done = _run("rpm", "-q", "--whatprovides", "--qf", "%{NAME}\n", "--", name, ok=(0, 1))
    if done.code and b"no package provides" not in done.stdout:
        raise packages.failed(done, SIGNS)
    return done.stdout.decode().split()[0] if done.code == 0 else None


def _query(*words, names):
    """What the repositories have of some names: (name, version)."""
    if not names:
        return []
    text = packages.output(SIGNS, "dnf", "-q", "repoquery", *words, "--qf", "=%{name} %{evr}\n", "--", *names)
    return [tuple(line[1:].split(" ", 1)) for line in text.splitlines() if line[:1] == "="]


def _offered(name):
    found = _query("--latest-limit", "1", names=[name]) or _query("--latest-limit", "1", "--whatprovides", name, names=["*"])
    if not found:
        raise PackageError("unknown", "no repository has a package %s" % name, [name])
    return found[0][1]


def _pinned(one):
    versions = [version for name, version in _query(names=[one.name])]
    for version in reversed(versions):
        if _same(one.version, version):
            return version
    text = "package %s has no version %s: the repositories have %s"
    text %= one.name, one.version, ", ".join(versions) or "none"
    raise PackageError("no-version" if versions else "unknown", text, [one.name])


def _same(wanted, version):
    """Whether a version is the wanted one, which may lack epoch and release."""
    plain = version.split(":", 1)[-1]
    return wanted in (version, plain, version.rsplit("-", 1)[0], plain.rsplit("-", 1)[0])


def _change(lock_timeout, *words):
    """Runs dnf to change something, as soon as no other one runs, or within `lock_timeout` seconds."""
    from time import monotonic, sleep

    end = monotonic() + lock_timeout
    while True:
        said = words[0] != "makecache" and _rpm_runs()
        if not said:
            done = _run("dnf", "-y", "-q", "--setopt=exit_on_lock=True", *words, ok=(0, LOCKED))
            if done.code == 0:
                return
            said = packages.failed(done, ()).said
        if monotonic() >= end:
            raise PackageError("locked", "dnf's lock was not free for %g s" % lock_timeout, said=said)
        sleep(0.2)


def _rpm_runs():
    """Which process changes packages now, if any: dnf 5 has no lock but rpm's, and waits for that as long as it takes."""
    import os

    path = packages.output(SIGNS, "rpm", "--eval", "%{_rpmlock_path}").strip()
    try:
        inode = ":%d" % os.stat(path).st_ino
        with open("/proc/locks") as locks:
            for one in map(str.split, locks):
                # A number, POSIX, ADVISORY, WRITE, the process, the device with the inode, from, to.
                if len(one) == 8 and one[3] == "WRITE" and one[5].endswith(inode):
                    return "process %s has locked %s" % (one[4], path)
    except FileNotFoundError:
        pass
    return ""


def _metadata(folders):
    """A checksum of the metadata of each repository."""
    import hashlib
    from glob import glob

    found = {}
    for folder in folders:
        for path in glob(folder + "/*/repodata/repomd.xml"):
            with open(path, "rb") as file:
                found[path.split("/")[-3]] = hashlib.sha256(file.read()).digest()
    return found
