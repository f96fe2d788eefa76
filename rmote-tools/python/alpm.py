"""What pacman knows of packages, and how it is run where others run it too."""
import os

from rmote.tools import pacman_conf, packages, program

LOCK = 60.0
# The name in "name-version-release-architecture.pkg.tar.zst".
FILE = r"([^/\s]+)-[^-/\s]+-[^-/\s]+-[^-/\s]+\.pkg\."
DAMAGED = "^:: File .*/" + FILE + r"\S+ is corrupted"
# What pacman says of each kind of failure, and of the packages concerned.
SIGNS = (
    # Another one has its lock.
    ("locked", "could not lock database: File exists"),
    ("unknown", "^error: target not found: ", r"^error: target not found: (\S+)$"),
    ("signature", "^error: failed to commit .*(?:PGP signature|key missing)", "^error: ([^ :]+): .*signature", DAMAGED),
    # Of a repository.
    ("signature", "PGP signature|missing required signature"),
    ("download", r"download library error|\(checksum\)", "failed retrieving file '" + FILE, DAMAGED),
    (
        "conflict",
        r"^error: .*(?:could not satisfy dependencies|conflicting dependencies|conflicting files)\)",
        "^:: (?:removing|installing) ([^ ]+) .*breaks dependency .* required by ([^ ]+)$",
        "^:: unable to satisfy dependency .* required by ([^ ]+)$",
        # Newer ones tell versions, too.
        r"^:: ([^ ]+?)(?:-[^- ]+-[\d.]+)? and ([^ ]+?)(?:-[^- ]+-[\d.]+)? are in conflict",
        r"^([^ :]+): .* exists in filesystem(?: \(owned by ([^ ]+)\))?$",
        "exists in both '(.*)' and '(.*)'$",
    ),
    ("broken", "database is incorrect version|invalid or corrupted|could not open database"),
)


def need():
    return program.need("pacman", "packages of this family of systems are managed with it")


def run(*words, ok=(0,)):
    """Runs pacman to ask something. What it says as an error is one, whatever its exit code."""
    done = program.run(need(), *words, ok=None)
    if done.code not in ok or _errors(done):
        raise packages.failed(done, SIGNS)
    return done.stdout.decode("utf-8", "surrogateescape").splitlines()


def _errors(done):
    return any(line.startswith(b"error:") for line in done.stderr.splitlines())


def installed():
    """The version of each installed package."""
    # Without any it ends with 1, and says nothing.
    return dict(line.split(" ", 1) for line in run("-Q", ok=(0, 1)))


def provider(name):
    """The installed package that provides a name, or is called so: its name, or None."""
    if "" == "".join(run("-T", "--", name, ok=(0, 127))):
        return run("-Q", "--", name)[0].split(" ")[0]


def groups(where):
    """The members of each group: of the repositories ("-S"), or those that are installed ("-Q")."""
    found = {}
    for line in run(where + ("gg" if where == "-S" else "g"), ok=(0, 1)):
        group, name = line.split(" ", 1)
        found.setdefault(group, []).append(name)
    return found


def upgrades(*options):
    """The newer version that the repositories have of each installed package, and whether it is ignored."""
    found = {}
    for line in run("-Qu", *options, ok=(0, 1)):
        words = line.split(" ")
        found[words[0]] = words[3], words[-1] == "[ignored]"
    return found


def plan(*words):
    """What a transaction would work on: names with versions. It takes no lock."""
    words = [words[0] + "p", "--noconfirm", "--print-format", "=%n %v"] + list(words[1:])
    return dict(line[1:].split(" ", 1) for line in run(*words) if line[:1] == "=")


def offered(target):
    """Name and version of what the repositories have for `name` or `name=version`, or None."""
    done = packages.run(SIGNS, need(), "-Sddp", "--noconfirm", "--print-format", "=%n %v", "--", target, ok=(0, 1))
    lines = [line[1:] for line in done.stdout.decode("utf-8", "surrogateescape").splitlines() if line[:1] == "="]
    if len(lines) == 1:
        return tuple(lines[0].split(" ", 1))
    if lines or b"target not found" not in done.stderr:
        raise packages.failed(done, SIGNS)


def cached(name, version, options):
    """The path of a package in pacman's cache, or None; and the versions that it has there."""
    import re

    form = re.compile(r"%s-([^-]+-[^-]+)-(any|%s)\.pkg\.tar(\.\w+)?\Z" % (re.escape(name), "|".join(
        re.escape(word) for value in options.get("Architecture", []) for word in value.split())))
    versions = []
    for folder in options.get("CacheDir", []):
        for file in sorted(os.listdir(folder)) if os.path.isdir(folder) else ():
            match = form.match(file)
            if match:
                versions.append(match.group(1))
                if match.group(1) == version:
                    return os.path.join(folder, file), versions
    return None, versions


def database():
    """The directory of pacman's database."""
    return pacman_conf.settings()["options"].get("DBPath", ["/var/lib/pacman"])[0].rstrip("/")


def transact(*words, lock_timeout=LOCK):
    """Runs pacman to change something, as soon as no other one runs, or within `lock_timeout` seconds."""
    from time import monotonic, sleep

    lock = database() + "/db.lck"
    end = monotonic() + lock_timeout
    while True:
        try:
            packages.run(SIGNS, need(), words[0], "--noconfirm", *words[1:])
            return
        except packages.PackageError as e:
            if e.kind != "locked":
                raise
            said = e.said
        while True:
            if monotonic() >= end:
                text = "pacman's lock was not free for %g s: %s" % (lock_timeout, _holder(lock))
                raise packages.PackageError("locked", text, said=said)
            sleep(0.05)
            if not os.path.lexists(lock):
                break


def _holder(lock):
    """Who has the lock, in words."""
    from glob import glob
    from time import localtime, strftime

    try:
        since = strftime("%Y-%m-%d %H:%M:%S", localtime(os.lstat(lock).st_mtime))
    except FileNotFoundError:
        return "others had it in turn"
    real = os.path.realpath(lock)
    for fd in glob("/proc/[0-9]*/fd/*"):
        try:
            if os.readlink(fd) != real:
                continue
            pid = fd.split("/")[2]
            with open("/proc/%s/cmdline" % pid, "rb") as file:
                line = file.read().replace(b"\0", b" ").decode("utf-8", "backslashreplace").strip()
        except OSError:
            continue
        return "process %s (%s) has %s since %s" % (pid, line, lock, since)
    text = "no process that can be seen from here has %s open, which is there since %s: remove it if no pacman runs"
    return text % (lock, since)


class Fresh:
    """A copy of the database with the lists as the servers have them now: what `check` looks at. It changes nothing."""

    def __enter__(self):
        import shutil
        import tempfile

        base = database()
        self.folder = tempfile.TemporaryDirectory(prefix="rmote-")
        try:
            path = self.folder.name
            # pacman may download as another user.
            os.chmod(path, 0o755)
            # There is none where nothing was ever installed.
            if os.path.isdir(base + "/local"):
                os.symlink(base + "/local", path + "/local")
            if os.path.isdir(base + "/sync"):
                shutil.copytree(base + "/sync", path + "/sync")
            self.options = "--dbpath", path
            transact("-Sy", "--logfile", "/dev/null", *self.options)
        except BaseException:
            self.folder.cleanup()
            raise
        return self

    def __exit__(self, *_):
        self.folder.cleanup()


def lists(base):
    """What is in the lists of packages: a checksum for each."""
    import hashlib
    from glob import glob

    found = {}
    for path in glob(base + "/sync/*.db"):
        with open(path, "rb") as file:
            found[os.path.basename(path)] = hashlib.sha256(file.read()).digest()
    return found
