"""Packages of Debian and its kin."""
from rmote.tools.apt_get import Commands, check_journal, outdated, output, remedy, seconds, update
from rmote.tools.dpkg import Packages
from rmote.tools.packages import STATES, PackageError, result, wanted
from rmote.tools.program import check_name, need
from rmote.values import Record

# A final "-" or a "_" would have apt-get remove a package.
NAME = "[a-z0-9](?:[a-z0-9+._-]*[a-z0-9+.])?(?::[a-z0-9-]+)?"
VERSION = "[A-Za-z0-9][A-Za-z0-9.+~:-]*"
# With confdef, dpkg would keep the old one even with confnew: that is its default.
CONFFILES = {"old": ("confdef", "confold"), "new": ("confnew",)}


class Apt:
    """Installs, upgrades and removes packages with apt-get.

    It waits `lock_timeout` seconds (60) while other processes work on packages, and `timeout` seconds (no limit) for
    all it runs; stopped by that, dpkg may need `dpkg --configure -a`. Where both versions of a configuration file were
    changed, `conffiles` says which is taken, "old" or "new". A package that is `held` keeps its version: what would
    change or remove it is refused without `change_held`, and it stays held. With `check` nothing is changed, and the
    answer is that of `apt-get -s`.
    """

    @staticmethod
    def update(*, ttl=None, check=False, lock_timeout=60, timeout=None):
        """Fetches the lists of packages, and says whether it did.

        With `ttl` only if they are older than that many seconds, or sources, keys or architectures were changed after
        the last time. Lists that could not be fetched are an error.
        """
        commands = Commands(lock_timeout, timeout)
        ttl = None if ttl is None else seconds("ttl", ttl)
        need("apt-get", "lists of packages are fetched with it")
        if ttl is not None and not outdated(ttl):
            return False
        if not check:
            update(commands)
        return True

    @staticmethod
    def package(
        package,
        *,
        state=None,
        check=False,
        purge=False,
        conffiles="old",
        lock_timeout=60,
        recommends=None,
        allow_downgrade=False,
        change_held=False,
        timeout=None
    ):
        """Makes one package what it is to be, as `converge` does."""
        if isinstance(package, (list, tuple)):
            raise TypeError("one package; several are given to converge")
        return Apt.converge(
            package,
            state=state,
            check=check,
            purge=purge,
            conffiles=conffiles,
            lock_timeout=lock_timeout,
            recommends=recommends,
            allow_downgrade=allow_downgrade,
            change_held=change_held,
            timeout=timeout,
        )[0]

    @staticmethod
    def converge(
        *packages,
        state=None,
        check=False,
        purge=False,
        conffiles="old",
        lock_timeout=60,
        recommends=None,
        allow_downgrade=False,
        change_held=False,
        timeout=None
    ):
        """Makes packages what they are to be, all in one transaction of apt-get.

        They are texts `name`, `name=version`, `name:architecture`, or maps with name, state and version; `state` holds
        for those without one and is "present" by default. Present: installed, in the version if one is given; no
        longer one that apt would remove as unneeded. Latest: in the newest version that the sources have. Held:
        installed and on hold. Absent: removed, with `purge` its configuration too, also that of one removed before. A
        virtual package is present if an installed one provides it. `recommends` says whether recommended packages are
        installed, by default as apt is set up here; an older version than the installed one needs `allow_downgrade`.
        What is wrong with any of them is found before the first is changed.
        """
        plan = _Plan(wanted(packages, _state(state)), purge, change_held)
        options = _options(conffiles, recommends, allow_downgrade) + (["--purge"] if purge else [])
        commands = Commands(lock_timeout, timeout)
        need("apt-get", "packages are installed with it")
        need("dpkg-query", "packages are looked up with it")
        before = Packages.read()
        plan.make(before)
        after = plan.simulate(before, commands, options)
        plan.verify(after)
        results = plan.results(before, after)
        if any(one.changed for one in results):
            check_journal()
            if not check:
                _guarded(lambda: plan.run(commands, options), before)
                after = Packages.read()
                plan.verify(after)
                results = plan.results(before, after)
        return results

    @staticmethod
    def unhold(*packages, check=False, lock_timeout=60, timeout=None):
        """Lets packages be upgraded again that were held. One that is not installed is not held."""
        for name in packages:
            check_name("a package", name, NAME)
        commands = Commands(lock_timeout, timeout)
        need("apt-mark", "packages are held with it")
        before = after = Packages.read()
        keys = [before.key(name) for name in packages]
        held = [before.text(key) for key in keys if before.held(key)]
        if held and not check:
            commands.run("apt-mark", "unhold", *held, apt_get=False)
            after = Packages.read()
        return [
            result(name, before.held(key), before.version(key), after.version(key), after.held(key) and not check)
            for name, key in zip(packages, keys)
        ]

    @staticmethod
    def upgrade(*, full=False, check=False, conffiles="old", lock_timeout=60, recommends=None, timeout=None):
        """Upgrades all packages that are not held, and returns those that changed.

        Without `full` none is removed or newly installed for that; with it, as `apt-get dist-upgrade` does.
        """
        options = _options(conffiles, recommends, False)
        commands = Commands(lock_timeout, timeout)
        need("apt-get", "packages are upgraded with it")
        verb = "dist-upgrade" if full else "upgrade"
        check_journal()
        before = Packages.read()
        after = before.after(_text(commands.run("-s", *options, verb)))
        if not check and before.differences(after):
            _guarded(lambda: commands.run(*options, verb), before)
            after = Packages.read()
        return [
            result(before.text(key), True, before.version(key), after.version(key), after.held(key))
            for key in before.differences(after)
        ]

    @staticmethod
    def installed(*packages):
        """Lists packages that are there, all of them or those of these names, with what dpkg says of them.

        `status` is "installed", or how far dpkg got with one that is broken.
        """
        for name in packages:
            check_name("a package", name, NAME)
        need("dpkg-query", "packages are looked up with it")
        now = Packages.read()
        keys = [now.key(name) for name in packages] or sorted(now.found)
        return [
            Record(
                "InstalledPackage",
                name=now.text(key),
                version=one.version,
                architecture=one.architecture,
                status=one.broken or one.status,
                held=one.held,
            )
            for key, one in ((key, now.found.get(key)) for key in keys)
            if one and one.there
        ]


class _Plan:
    """What is to be done so that packages become what they are to be."""

    def __init__(self, wants, purge, change_held):
        for one in wants:
            check_name("a package", one.name, NAME)
            if one.version:
                check_name("a version", one.version, VERSION)
        self.wants, self.purge, self.change_held = wants, purge, change_held
        # What the packages are called, with their architecture; and what may provide those that are virtual.
        self.keys = {}
        self.provided = {}
        self.words = []
        self.manual = []
        self.hold = []
        # Held ones that may be changed.
        self.released = set()

    def make(self, before):
        """Finds out what they are, and what each of them needs."""
        policies = _policies(before, [one for one in self.wants if _unclear(one, before)])
        for one in self.wants:
            key = before.key(one.name)
            if key not in policies and not (key in before.found and before.found[key].there):
                # As apt understands a name that is none of the native architecture.
                others = [k for k in policies if k[0] == key[0]] if ":" not in one.name else []
                key = others[0] if others else key
            word = self.word(one, key, before, policies.get(key, ("", [])))
            if word is None:
                continue
            if key in self.keys.values():
                raise ValueError("package %s is wanted twice, once as %s" % (before.text(key), one.name))
            self.keys[one.name] = key
            now = before.found.get(key)
            if word:
                self.words.append(word)
            elif one.state != "absent":
                self.manual.append(before.text(key))
            if one.state == "held" or now and now.held and one.state != "absent":
                self.hold.append(key)
            if now and now.held and word:
                if not self.change_held and not (one.state == "held" and one.version):
                    text = "package %s is held in version %s: it is changed only with change_held, or after unhold"
                    raise PackageError("held", text % (one.name, now.version), [one.name])
                self.released.add(key)
        if self.manual:
            self.manual = output("apt-mark", "showauto", *self.manual).split()

    def word(self, one, key, before, policy):
        """What apt-get is told: "" if nothing is to be done, None for a virtual package that is there."""
        now = before.found.get(key)
        name = before.text(key)
        candidate, versions = policy
        if one.state == "absent":
            providers = () if now and now.there else before.providers(one.name)
            if providers and not versions:
                text = "package %s is virtual: it is provided by %s, and what provides it is made absent by its own name"
                raise PackageError("unknown", text % (one.name, ", ".join(map(before.text, providers))), [one.name])
            return name + "-" if now and (now.there or self.purge and now.status == "config-files") else ""
        if now and now.installed and one.version in ("", now.version):
            if one.state != "latest" or candidate in ("", now.version):
                return ""
        if one.version and one.version not in versions:
            text = "package %s has no version %s; the lists of packages have %s"
            text %= one.name, one.version, ", ".join(versions) or "none of it"
            raise PackageError("no-version" if versions else "unknown", text, [one.name])
        if not versions:
            return self.virtual(one, before)
        return "%s=%s" % (name, one.version) if one.version else name

    def virtual(self, one, before):
        """A package that exists only by being provided, or not at all."""
        if before.providers(one.name) and one.state == "present":
            return None
        names = _providers(one.name)
        if not names:
            hint = "the lists are older than the sources: Apt.update fetches them" if outdated() else ""
            if ":" in one.name:
                hint = "is its architecture known, by `dpkg --add-architecture`?"
            text = "package %s is in no list of packages%s"
            raise PackageError("unknown", text % (one.name, hint and "; " + hint), [one.name])
        if one.state == "present" and any(w.name in names and w.state != "absent" for w in self.wants):
            self.provided[one.name] = names
            return None
        text = "package %s is virtual: it is provided by %s"
        raise PackageError("unknown", text % (one.name, ", ".join(names)), [one.name])

    def simulate(self, before, commands, options):
        """What `apt-get -s` and the marks would make of the packages."""
        after = before
        if self.words:
            after = before.after(_text(commands.run("-s", *self.install(options))))
        return after.hold(key for key in self.hold if key in after.found)

    def install(self, options):
        # Held ones that are not named apt leaves as they are all the same: it fails before it changes or removes one.
        released = ["--allow-change-held-packages"] if self.released else []
        return list(options) + released + ["install", "--"] + self.words

    def run(self, commands, options):
        if self.words:
            try:
                commands.run(*self.install(options))
            except PackageError:
                # apt takes holds away before it changes a package.
                self.mark_held(commands, self.released)
                raise
        if self.manual:
            commands.run("apt-mark", "manual", *self.manual, apt_get=False)
        self.mark_held(commands, self.hold)

    def mark_held(self, commands, keys):
        now = Packages.read()
        names = [now.text(key) for key in keys if key in now.found and now.found[key].there and not now.held(key)]
        if names:
            commands.run("apt-mark", "hold", *names, apt_get=False)

    def results(self, before, after):
        results = []
        for one in self.wants:
            key = self.keys.get(one.name)
            keys = [key, key]
            if not key:
                names = self.provided.get(one.name, ())
                keys = [(packages.providers(one.name, names) + [None])[0] for packages in (before, after)]
            changed = before.state(keys[0]) != after.state(keys[1]) or key and before.text(key) in self.manual
            versions = before.version(keys[0]), after.version(keys[1])
            results.append(result(one.name, bool(changed), versions[0], versions[1], after.held(key)))
        return results

    def verify(self, after):
        """Believes nothing: to bring one package apt-get may remove another one that is wanted, and call that a success."""
        for one in self.wants:
            if one.name in self.keys:
                key = self.keys[one.name]
                status, version, held = after.state(key)
                right = status in ("not-installed",) + (() if self.purge else ("config-files",))
                if one.state != "absent":
                    right = status == "installed" and one.version in ("", version) and (held or one.state != "held")
                if not right:
                    text = "package %s is to be %s, but with apt-get it is %s"
                    text %= one.name, one.state, " ".join([status, version]).strip()
                    raise PackageError("conflict", text, [one.name])


def _state(state):
    if state not in (None,) + STATES:
        raise ValueError("a package is %s, not %r" % (" or ".join(STATES), state))
    return state or "present"


def _options(conffiles, recommends, allow_downgrade):
    if conffiles not in CONFFILES:
        raise ValueError("conffiles is 'old' or 'new', not %r" % (conffiles,))
    options = []
    for force in CONFFILES[conffiles]:
        options += ["-o", "Dpkg::Options::=--force-" + force]
    if recommends is not None:
        options.append("--install-recommends" if recommends else "--no-install-recommends")
    if allow_downgrade:
        options.append("--allow-downgrades")
    return options


def _text(done):
    return done.stdout.decode("utf-8", "surrogateescape")


def _guarded(work, before):
    """Does something that changes packages; an error says how far it got."""
    try:
        work()
    except PackageError as e:
        after = Packages.read()
        done = [
            "%s %s -> %s" % (before.text(key), before.version(key) or "none", after.version(key) or "none")
            for key in before.differences(after)
        ]
        e.note = "done before it stopped: %s" % (", ".join(done) or "nothing")
        if remedy(after):
            e.note += "\n" + remedy(after)
        names = e.packages + [one.split()[0] for one in after.broken()]
        e.packages[:] = sorted({after.text(after.key(name)) for name in names})
        raise


def _unclear(one, before):
    """Whether apt has to be asked what a name means, or which versions there are."""
    key = before.key(one.name)
    now = before.found.get(key)
    if one.state == "absent":
        return not (now and now.there) and (before.foreign(key[0]) or before.providers(one.name))
    return one.state == "latest" or not (now and now.installed and one.version in ("", now.version))


def _policies(before, wants):
    """What apt would install: by key the candidate, "" for none, and all versions. Virtual and unknown ones have none."""
    if not wants:
        return {}
    found = {}
    versions = []
    # Of unknown names it makes patterns: what it tells of others is not looked at.
    for line in output("apt-cache", "policy", "--", *[one.name for one in wants]).split("\n"):
        if line[:1] not in ("", " "):
            versions = []
            found[before.key(line[:-1])] = ["", versions]
            last = before.key(line[:-1])
        elif line.startswith("  Candidate: ") and line[13:] != "(none)":
            found[last][0] = line[13:]
        elif line[:5] in ("     ", " *** ") and line[5:6] not in ("", " "):
            versions.append(line.split()[line[:5] == " *** "])
    return {key: value for key, value in found.items() if value[1]}


def _providers(name):
    """All packages in the lists that provide a virtual one."""
    # Of an unknown name it makes a pattern, and tells of others.
    for part in output("apt-cache", "showpkg", "--", name).split("Package: "):
        if part.split("\n", 1)[0].partition(":")[0] == name.partition(":")[0]:
            lines = part.partition("\nReverse Provides:")[2].split("\n")
            return sorted({line.split()[0] for line in lines if line.strip()})
    return []
