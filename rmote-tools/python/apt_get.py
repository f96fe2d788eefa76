"""Runs apt's commands: waits for its locks, and says all that they say when they fail."""
import os

from rmote.tools import packages
from rmote.tools.edit import beside
from rmote.tools.packages import PackageError, failed

# Maintainers' scripts take the character set of databases and the like from the locale.
ENVIRONMENT = {"DEBIAN_FRONTEND": "noninteractive", "APT_LISTCHANGES_FRONTEND": "none", "LC_ALL": "C.UTF-8"}
JOURNAL = "/var/lib/dpkg/updates"
LISTS = "/var/lib/apt/lists"
# Ubuntu's own hook touches it too, whoever updates.
STAMP = "/var/lib/apt/periodic/update-success-stamp"
# What `apt-get update` reads. A folder is newer when something was added to it or removed.
SOURCES = "/etc/apt/sources.list", "/etc/apt/trusted.gpg", "/var/lib/dpkg/arch"
FOLDERS = "/etc/apt/sources.list.d", "/etc/apt/keyrings", "/etc/apt/trusted.gpg.d", "/usr/share/keyrings"
# "dpkg: error processing package x (--configure)", of one that is not unpacked yet its file.
BROKEN = r"^dpkg: error processing (?:package (\S+)|archive (?:\S*/apt-dpkg-install-[^/]*/\d+-|\S*/)?([^/_\s]+)_)"
OVERWRITTEN = "trying to overwrite '.*', which is also in package "
LISTED = r"\n((?:  .*\n)+)"
# What these commands say of each kind of failure, and of the packages concerned.
SIGNS = (
    ("locked", "^(?:E|dpkg: error): .*(?:Could not get lock|locked by another process)"),
    ("interrupted", "^E: (?:dpkg was interrupted|Sub-process .* (?:exited unexpectedly|received))", BROKEN),
    ("held", "^E: Held packages were changed", "^The following held packages will be changed:" + LISTED),
    ("signature", "^E: There were unauthenticated|^E: .* (?:not|no longer) signed|GPG error", "authenticated!" + LISTED),
    ("download", "^E: (?:Failed|Unable) to fetch|^E: Some index files", r"^E: Failed to fetch \S*/([^/_\s]+)_\S*\.deb"),
    ("conflict", "^E: (?:Unable to (?:correct problems|satisfy dep)|Error, pkgProblemResolver|Unmet dep)", r"^ (\S+) : "),
    ("conflict", OVERWRITTEN, BROKEN, OVERWRITTEN + r"(\S+)"),
    ("unknown", "^E: Unable to locate package", r"^E: Unable to locate package (\S+)"),
    ("unknown", "^E: Package '.*' has no installation candidate", r"^E: Package '(.*)' has no"),
    ("no-version", "^E: Version '.*' for '.*' was not found", r"^E: Version '.*' for '(\S+)' was"),
    ("broken", BROKEN, BROKEN),
)


def seconds(what, value):
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not value >= 0:
        raise ValueError("%s is a number of seconds, not %r" % (what, value))
    return value


class Commands:
    """Runs commands, all of them within `timeout` seconds, and waits `lock_timeout` seconds for locks."""

    def __init__(self, lock_timeout, timeout):
        from time import monotonic

        now = monotonic()
        self.patience = now + seconds("lock_timeout", lock_timeout)
        self.end = None if timeout is None else now + seconds("timeout", timeout)

    def run(self, *argv, apt_get=True):
        """Runs a command that has to succeed, with `apt_get` the words of one for apt-get, and returns a `Finished`."""
        from time import monotonic, sleep

        while True:
            now = monotonic()
            words = argv
            if apt_get:
                # A pty would mix its outputs. Lists and archives have locks that apt itself does not wait for, and apt
                # before 2.0 waits for none: those are tried again below.
                wait = "DPkg::Lock::Timeout=%d" % max(0, self.patience - now)
                words = ("apt-get", "-y", "-q", "-o", "Dpkg::Use-Pty=0", "-o", wait) + argv
            left = None if self.end is None else max(0.001, self.end - now)
            try:
                return packages.run(SIGNS, *words, env=ENVIRONMENT, timeout=left)
            except PackageError as e:
                if e.kind != "locked" or monotonic() >= self.patience:
                    raise
            sleep(0.2)


def output(*argv):
    """What a program prints that asks something, as text."""
    return packages.output(SIGNS, *argv)


def check_journal():
    """Refuses to begin where dpkg was cut off: it would refuse too, but `apt-get -s` would not."""
    if os.path.isdir(JOURNAL) and any(name.isdigit() for name in os.listdir(JOURNAL)):
        raise PackageError("interrupted", "dpkg was interrupted: `dpkg --configure -a` mends that, nothing was changed")


def remedy(packages):
    """What broken packages need, as text."""
    broken = packages.broken()
    if not broken:
        return ""
    text = "left behind: %s; when the cause is mended `dpkg --configure -a` goes on, or they can be made absent"
    return text % ", ".join(broken)


def outdated(ttl=None):
    """Whether sources, keys or architectures changed after the last update, or it is `ttl` seconds ago."""
    from time import time

    try:
        last = os.stat(STAMP).st_mtime_ns
        if not any(os.path.isfile(os.path.join(LISTS, name)) for name in os.listdir(LISTS) if name != "lock"):
            return True
    except FileNotFoundError:
        return True
    if ttl is not None and not 0 <= time() - last / 1e9 < ttl:
        return True
    paths = list(SOURCES)
    for folder in FOLDERS:
        if os.path.isdir(folder):
            paths.append(folder)
            paths += [os.path.join(folder, name) for name in os.listdir(folder)]
    for path in paths:
        try:
            st = os.stat(path)
        except FileNotFoundError:
            continue
        # Not the time of its content, which a file brings along when it is moved or copied.
        if st.st_ctime_ns > last:
            return True
    return False


def update(commands):
    """Runs `apt-get update`, and keeps when it began if it succeeded."""
    temp = beside(STAMP)
    os.makedirs(os.path.dirname(STAMP), exist_ok=True)
    os.close(os.open(temp, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644))
    try:
        # apt makes do with old lists where new ones cannot be fetched, and calls that a success.
        done = commands.run("-o", "APT::Update::Error-Mode=any", "update")
        # Before apt 2.3 there was no such mode.
        if b"Some index files failed to download" in done.stderr:
            raise failed(done, SIGNS)
        os.rename(temp, STAMP)
    finally:
        if os.path.lexists(temp):
            os.unlink(temp)
