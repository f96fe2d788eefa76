"""Packages with pacman, as on Arch Linux."""
import os

from rmote.tools import alpm, packages, pacman_conf, pacman_hold
from rmote.tools.packages import PackageError
from rmote.tools.program import check_name

NAME = "[A-Za-z0-9@_+][A-Za-z0-9@._+-]*"
VERSION = "[A-Za-z0-9:][A-Za-z0-9:._+~^-]*"


class Pacman:
    """Installs, upgrades and removes packages with pacman.

    pacman's systems are upgraded as a whole. What is installed from lists that are newer than the system
    may not fit to the rest of it; so that is refused unless it is asked for, see `upgrade` of `converge`.
    """

    @staticmethod
    def update(*, ttl=None, check=False, lock_timeout=alpm.LOCK):
        """Fetches the lists of packages anew (-Sy), and says whether they changed. It upgrades nothing.

        What is newer in them is pending from then on: `upgrade` fetches the lists and upgrades all in one step.
        With `ttl` nothing is done if the lists were fetched within as many seconds and no configuration
        changed since. With `check` they are fetched to a temporary place.
        """
        alpm.need()
        base = alpm.database()
        before = alpm.lists(base)
        if ttl is not None and _age(base) < ttl:
            return False
        if check:
            with alpm.Fresh() as fresh:
                return alpm.lists(fresh.folder.name) != before
        alpm.transact("-Sy", lock_timeout=lock_timeout)
        # pacman gives lists the server's times; that of their directory says when they were fetched.
        os.utime(base + "/sync")
        return alpm.lists(base) != before

    @staticmethod
    def upgrade(*, check=False, lock_timeout=alpm.LOCK):
        """Fetches the lists of packages and upgrades the whole system (-Syu), less what is held.

        It returns the packages that changed. With `check` the lists are fetched to a temporary place.
        """
        alpm.need()
        before = alpm.installed()
        if check:
            with alpm.Fresh() as fresh:
                after = dict(before, **alpm.plan("-Su", *fresh.options))
        else:
            alpm.transact("-Syu", lock_timeout=lock_timeout)
            os.utime(alpm.database() + "/sync")
            after = alpm.installed()
        changed = [name for name in sorted(set(before) | set(after)) if before.get(name) != after.get(name)]
        return [packages.result(name, True, before.get(name, ""), after.get(name, "")) for name in changed]

    @staticmethod
    def package(
        package,
        *,
        state=None,
        upgrade=None,
        recursive=False,
        purge=False,
        change_held=False,
        check=False,
        lock_timeout=alpm.LOCK
    ):
        """Makes one package be as it is wanted, as `converge` does."""
        return Pacman.converge(
            package,
            state=state,
            upgrade=upgrade,
            recursive=recursive,
            purge=purge,
            change_held=change_held,
            check=check,
            lock_timeout=lock_timeout,
        )[0]

    @staticmethod
    def converge(
        *packages,
        state=None,
        upgrade=None,
        recursive=False,
        purge=False,
        change_held=False,
        check=False,
        lock_timeout=alpm.LOCK
    ):
        """Makes packages be as they are wanted: one transaction for those that go, one for those that come.

        A package is a text, `name` or `name=version`, or has `name`, `state` and `version`; `state` (default:
        present) is that of those that name none. A name may also be a group, or one that a package provides:
        such a name is present if all of the group, or any that provides it, is installed; only real packages
        can be held or have a version. To make a provided name absent does nothing.

        A version comes from the repositories, or from pacman's cache if they have another one; else it is an
        error that says which there are. It is written in full, with its release: `1.2-1`.

        `held` is a line IgnorePkg in pacman.conf. What is held there, by a pattern or a group (IgnoreGroup), too,
        is neither upgraded nor removed without `change_held`, and stays held if it is upgraded; `unhold` ends that.

        If upgrades of other packages are pending, installing something is refused. `upgrade=True` upgrades them in
        the same transaction, `upgrade=False` leaves them: a partial upgrade, which may break programs.

        `recursive` removes dependencies that nothing else needs along with a package, `purge` saves no changed
        configuration files. What another package needs is not removed: the error says which.

        Another pacman is waited for, `lock_timeout` seconds (60); the error then says who has the lock.
        """
        transaction = _Transaction(packages, state, upgrade, change_held)
        return transaction.run(recursive, purge, check, lock_timeout)

    @staticmethod
    def unhold(*packages, check=False):
        """Lets packages be upgraded again: takes them out of the lines IgnorePkg of pacman.conf.

        One that a pattern, a group or an included file holds is refused: others may be meant by it.
        """
        for name in packages:
            check_name("package", name, NAME)
        alpm.need()
        versions = alpm.installed()
        held = pacman_hold.Held()
        for name in packages:
            if held(name, but=held.own):
                text = "package %s is held by a pattern, a group or an included file, see pacman.conf"
                raise PackageError("held", text % name, [name])
        own = [name for name in packages if name in held.own]
        diffs = pacman_hold.write((), own, check)
        return [_unheld(name, name in own, versions.get(name, ""), diffs.get(name, "")) for name in packages]


def _age(base):
    """Seconds since the lists were fetched; for ever if one is missing, or some configuration is newer."""
    from time import time

    ever = float("inf")
    repositories = [name for name in pacman_conf.settings() if name != "options"]
    if not all(os.path.exists("%s/sync/%s.db" % (base, name)) for name in repositories):
        return ever
    try:
        fetched = os.stat(base + "/sync").st_mtime
    except FileNotFoundError:
        return ever
    age = time() - fetched
    return age if age >= 0 and all(os.stat(path).st_mtime < fetched for path in pacman_conf.files()) else ever


class _Transaction:
    """What has to be done for some packages."""

    def __init__(self, items, state, upgrade, change_held):
        self.wanted = packages.wanted(items, state or "present")
        for one in self.wanted:
            check_name("package", one.name, NAME)
            if one.version:
                check_name("version", one.version, VERSION)
        alpm.need()
        self.upgrade, self.change_held = upgrade, change_held
        self.held = pacman_hold.Held()
        self.before = alpm.installed()
        # What to remove; to install from the repositories; paths to install from.
        self.gone, self.targets, self.files = [], [], []
        self.hold, self.release = [], []
        # The packages that each name stands for.
        self.members = {}
        self.groups = None
        self.newer = None
        for one in self.wanted:
            getattr(self, "_absent" if one.state == "absent" else "_present")(one)
        # A version that is wanted is not upgraded along with all.
        self.keep = [one.name for one in self.wanted if one.version or one.state == "held"]

    def _absent(self, one):
        if one.name in self.before:
            members = [one.name]
        else:
            members = alpm.groups("-Q").get(one.name, [])
        self.members[one.name] = members
        for member in members:
            self._changes(member)
            if member not in self.gone:
                self.gone.append(member)
            if member in self.held.own:
                self.release.append(member)

    def _present(self, one):
        name = one.name
        members = [name]
        if name in self.before:
            if one.version and not _same(one.version, self.before[name]):
                if one.state != "held":
                    self._changes(name)
                self._pinned(one)
            elif one.state == "latest":
                self._latest(name)
        else:
            found = alpm.provider(name)
            real = bool(one.version) or one.state == "held"
            if found and not real:
                members = [found]
                if one.state == "latest":
                    self._latest(found)
            else:
                members = self._new(one, real)
        self.members[name] = members
        if one.state == "held" and not self.held(name):
            self.hold.append(name)

    def _new(self, one, real):
        """What is not installed: the packages that come with it."""
        if one.version:
            self._pinned(one)
            return [one.name]
        if self.groups is None:
            self.groups = alpm.groups("-S")
        group = self.groups.get(one.name)
        found = None if group else alpm.offered(one.name)
        if not group and not found:
            text = "no repository has a package or a group %s%s"
            raise PackageError("unknown", text % (one.name, _hint()), [one.name])
        if real and (group or found[0] != one.name):
            text = "%s cannot be held: it is %s" % (one.name, "a group" if group else "provided by " + found[0])
            raise PackageError("unknown", text, [one.name])
        if not group:
            self.targets.append(one.name)
            return [found[0]]
        for member in group:
            if member not in self.before:
                self.targets.append(member)
            elif one.state == "latest":
                self._latest(member)
        return group

    def _latest(self, name):
        if name in self._newer():
            self._changes(name)
            self.targets.append(name)

    def _changes(self, name):
        """Refuses what would change or remove a package that is held."""
        if name in self.before and not self.change_held and self.held(name):
            text = "package %s is held in version %s: it is changed only with change_held, or after unhold"
            raise PackageError("held", text % (name, self.before[name]), [name])

    def _newer(self):
        if self.newer is None:
            self.newer = alpm.upgrades()
        return self.newer

    def _pinned(self, one):
        target = "%s=%s" % (one.name, one.version)
        found = alpm.offered(target)
        if found and found[0] == one.name:
            self.targets.append(target)
            return
        path, cached = alpm.cached(one.name, one.version, pacman_conf.settings()["options"])
        if not path:
            offered = alpm.offered(one.name)
            text = "package %s has no version %s: the repositories have %s, the cache %s%s"
            text %= one.name, one.version, offered[1] if offered else "none", ", ".join(cached) or "none", _hint()
            raise PackageError("no-version" if offered or cached else "unknown", text, [one.name])
        self.files.append(path)

    def _install(self):
        """The words for pacman, and with them what will come."""
        words = ["-S", "--needed"]
        if self.upgrade:
            words[0] = "-Su"
            if self.keep:
                words += ["--ignore", ",".join(self.keep)]
        return words + ["--"] + self.targets

    def run(self, recursive, purge, check, lock_timeout):
        remove = ["-R" + ("s" if recursive else "") + ("n" if purge else ""), "--"] + self.gone
        files = ["-U", "--"] + self.files
        steps = []
        after = dict(self.before)
        # All are tried before the first is done.
        if self.gone:
            # Without -n, which pacman does not take together with --print.
            leaving = alpm.plan(remove[0].replace("n", ""), *remove[1:])
            for name in leaving:
                del after[name]
            steps.append(("removed " + ", ".join(sorted(leaving)), remove))
        if self.targets or self.files:
            coming = {}
            if self.files:
                coming.update(alpm.plan(*files))
                steps.append(("installed " + ", ".join(self.files), files))
            if self.targets:
                coming.update(alpm.plan(*self._install()))
                steps.append(("installed " + ", ".join(self.targets), self._install()))
            self._refuse_partial(coming)
            after.update(coming)
        diffs = {}
        if check:
            diffs = pacman_hold.write(self.hold, self.release, check)
        else:
            calls = [(what, lambda words=words: alpm.transact(*words, lock_timeout=lock_timeout)) for what, words in steps]
            calls.append(("", lambda: diffs.update(pacman_hold.write(self.hold, self.release))))
            packages.in_turn(calls)
            after = alpm.installed() if steps else after
        return [self._result(one, after, diffs, check) for one in self.wanted]

    def _refuse_partial(self, coming):
        if self.upgrade is not None:
            return
        pending = [name for name, (_, ignored) in self._newer().items() if not ignored]
        others = sorted(set(pending) - set(coming) - set(self.keep) - set(self.gone))
        if others:
            text = (
                "installing %s would be a partial upgrade: upgrades of %s are pending; upgrade the system, or say "
                "upgrade=True to do so in the same step, or upgrade=False to leave it"
            )
            raise PackageError("other", text % (", ".join(sorted(coming)), ", ".join(others)), others)

    def _result(self, one, after, diffs, check):
        members = self.members[one.name]
        before, now = ([x.get(name, "") for name in members] for x in (self.before, after))
        if not check and (any(now) if one.state == "absent" else not all(now)):
            text = "pacman succeeded, but package %s is not %s"
            raise PackageError("other", text % (one.name, one.state), [one.name])
        held = one.name in self.hold or one.state != "absent" and self.held(one.name)
        changed = before != now or one.name in self.hold
        diff = "".join(diffs.get(name, "") for name in members)
        return packages.result(one.name, changed, _text(members, before), _text(members, now), held, diff)


def _unheld(name, changed, version, diff):
    """The result of a package whose version stays, and that is not held."""
    return packages.result(name, changed, version, version, diff=diff)


def _text(members, versions):
    """Versions as text: of a group those of its members, if it is there as a whole."""
    if len(members) == 1:
        return versions[0]
    return ", ".join(map(" ".join, zip(members, versions))) if all(versions) else ""


def _same(wanted, version):
    """Whether a version is the wanted one, which may lack the release."""
    return wanted in (version, version.rsplit("-", 1)[0])


def _hint():
    """What else may be the reason that something is not found."""
    settings = pacman_conf.settings()
    base = settings["options"].get("DBPath", ["/var/lib/pacman"])[0].rstrip("/")
    missing = [name for name in settings if name != "options" and not os.path.exists("%s/sync/%s.db" % (base, name))]
    return " (never fetched: the list of %s)" % ", ".join(missing) if missing else ""
