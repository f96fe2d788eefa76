"""Packages with apk, as on Alpine Linux."""
import re

from rmote.failure import Unsupported
from rmote.tools import packages, program
from rmote.tools.packages import PackageError, in_turn
from rmote.tools.program import check_name

NAME = "[A-Za-z0-9_][A-Za-z0-9._+-]*"
VERSION = "[0-9][A-Za-z0-9._-]*"
# What apk says of each kind of failure, and of the packages concerned.
SIGNS = (
    ("locked", "Unable to lock database"),
    ("unknown", r"\(no such package\)", r"^  (\S+) \(no such package\)"),
    ("conflict", "unable to select packages", r"^  (\S+)-\d\S*-r\d+:$"),
    ("signature", "UNTRUSTED signature|BAD signature"),
    ("download", "temporary error|network error|remote server returned error"),
    ("broken", "script exited with error|database is broken", r"^ERROR: (\S+)-\d\S*-r\d+\.\S+: script"),
)
# "(1/2) Upgrading musl (1.2.3-r0 -> 1.2.4-r0)"
STEP = re.compile(r"\(\s*\d+/\d+\) (\w+) (\S+) \((?:\S+ -> )?([^\s)]+)\)")


class Apk:
    """Installs, upgrades and removes packages with apk.

    No apk was at hand where this was made: it is written by apk's manual, and tested with an imitation only. Packages
    cannot be held with it.
    """

    @staticmethod
    def update(*, ttl=None, check=False, lock_timeout=60):
        """Fetches the indexes of the repositories, and says whether it did.

        With `ttl` only if they are older than that many seconds.
        """
        import os
        from glob import glob
        from time import time

        _need()
        ages = [time() - os.stat(path).st_mtime for path in glob("/var/cache/apk/APKINDEX.*") + glob("/etc/apk/cache/APKINDEX.*")]
        if ttl is not None and ages and 0 <= min(ages) and max(ages) < ttl:
            return False
        if not check:
            _apk(lock_timeout, "update")
        return True

    @staticmethod
    def converge(*packages, state=None, check=False, lock_timeout=60, change_held=False):
        """Makes packages be as they are wanted: one transaction for those that come, one for those that go.

        A name may be one that a package provides: it is present if any that provides it is. A version is given in full,
        with its release (1.2-r0), and apk keeps to it from then on.
        """
        wants = _checked(packages, state)
        before = _installed()
        coming = []
        gone = [one.name for one in wants if one.state == "absent" and one.name in before]
        for one in wants:
            version = before.get(one.name)
            if one.version and one.version != version:
                coming.append("%s=%s" % (one.name, one.version))
            elif one.state == "latest" or one.state == "present" and not version and not _provided(one.name):
                coming.append(one.name)
        steps = []
        if gone:
            steps.append(["del", "--"] + gone)
        if coming:
            steps.append(["add", "--upgrade", "--"] + coming)
        after = dict(before)
        for step in steps:
            _simulate(after, _apk(lock_timeout, step[0], "--simulate", *step[1:]))
        # What another package needs, apk leaves where it is, and calls that a success.
        needed = [name for name in gone if name in after]
        if needed:
            told = _apk(lock_timeout, "del", "--simulate", "--", *needed).strip()
            raise PackageError("conflict", "packages that others need are not removed: " + ", ".join(needed), needed, told)
        if after == before:
            steps = []
        if not check:
            in_turn([("apk " + " ".join(step), lambda step=step: _apk(lock_timeout, *step)) for step in steps])
            after = _installed() if steps else after
        return [_result(one, before, after, check) for one in wants]


def _need():
    return program.need("apk", "packages of this family of systems are managed with it")


def _checked(items, state):
    wants = packages.wanted(items, state or "present")
    for one in wants:
        check_name("package", one.name, NAME)
        if one.version:
            check_name("version", one.version, VERSION)
    _need()
    if any(one.state == "held" for one in wants):
        raise Unsupported("way to hold packages", "with apk, give a version: it keeps to that")
    return wants


def _result(one, before, after, check):
    old, new = before.get(one.name, ""), after.get(one.name, "")
    if one.state != "absent" and not new:
        # Another one that provides it.
        name = _provided(one.name)
        old, new = (before.get(name, ""), after.get(name, "")) if name else ("", "")
    if not check and (bool(new) == (one.state == "absent") or one.version not in ("", new)):
        text = "apk succeeded, but package %s is not %s %s"
        raise PackageError("other", text % (one.name, one.state, one.version), [one.name])
    return packages.result(one.name, old != new, old, new)


def _apk(lock_timeout, *words):
    return packages.output(SIGNS, "apk", "--wait", "%d" % lock_timeout, "--no-progress", *words)


def _installed():
    """The version of each installed package."""
    found = {}
    for line in packages.output(SIGNS, "apk", "info", "-v").splitlines():
        name, version, release = line.strip().rsplit("-", 2)
        found[name] = "%s-%s" % (version, release)
    return found


def _provided(name):
    """The installed package that provides a name, or None."""
    done = packages.run(SIGNS, "apk", "info", "-e", "--", name, ok=(0, 1))
    words = done.stdout.decode().split()
    return words[0] if done.code == 0 and words else None


def _simulate(known, told):
    """Applies the steps that apk told to versions."""
    for line in told.splitlines():
        step = STEP.match(line)
        if step:
            verb, name, version = step.groups()
            if verb == "Purging":
                known.pop(name, None)
            else:
                known[name] = version
