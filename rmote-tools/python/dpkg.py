"""What dpkg knows of the packages of this host."""
from rmote.tools.apt_get import output

FIELDS = "Package", "db:Status-Want", "db:Status-Status", "db:Status-Eflag", "Version", "Architecture", "Provides"
FORMAT = "\\t".join("${%s}" % field for field in FIELDS) + "\\n"
# Their scripts have run; only what others want to hear of them has not.
TRIGGERS = "triggers-awaited", "triggers-pending"
# What `apt-get -s` says that it would do.
STEP = "(Inst|Conf|Remv|Purg) ([^ \n]+)(?: \\[[^]\n]*\\])?(?: \\(([^ )\n]+))?"


class Entry:
    """One package in one architecture.

    `status` is "installed", "config-files" once it was removed, "not-installed", or how far dpkg got, such as
    "half-configured".
    """

    def __init__(self, name, architecture, want, status, flag, version, provides=""):
        self.name, self.architecture, self.version = name, architecture, version
        self.status = "installed" if status in TRIGGERS else status
        self.there = status not in ("not-installed", "config-files")
        self.installed = self.status == "installed" and flag == "ok"
        self.held = want == "hold" and self.there
        self.broken = (self.status if flag == "ok" else flag) if self.there and not self.installed else ""
        self.provides = {one.split()[0] for one in provides.split(",") if one.strip()}


class Packages:
    """All packages of this host at one moment, by name and architecture."""

    def __init__(self, native, found):
        self.native, self.found = native, found

    @classmethod
    def read(cls):
        native = output("dpkg", "--print-architecture").strip()
        found = {}
        # Without names: those with several architectures come once for each, and what is unknown is no error.
        for line in output("dpkg-query", "-W", "-f", FORMAT).split("\n"):
            fields = line.split("\t")
            if len(fields) == len(FIELDS):
                name, want, status, flag, version, architecture, provides = fields
                one = Entry(name, architecture, want, status, flag, version, provides)
                found[name, native if architecture in ("all", "") else architecture] = one
        return cls(native, found)

    def key(self, text):
        """What `name` or `name:architecture` means; packages for all architectures count as native."""
        name, _, architecture = text.partition(":")
        return name, self.native if architecture in ("", "all", "native") else architecture

    def text(self, key):
        """A key as apt writes it."""
        return key[0] if key[1] == self.native else "%s:%s" % key

    def foreign(self, name):
        """Whether a package is there in another architecture than the native one."""
        return any(one.there and key[0] == name and key[1] != self.native for key, one in self.found.items())

    def providers(self, name, others=()):
        """The installed packages that provide a virtual one, or are one of `others`."""
        return [k for k, one in sorted(self.found.items()) if one.installed and (name in one.provides or k[0] in others)]

    def broken(self):
        """Those that are neither installed nor gone, as texts."""
        return ["%s (%s)" % (self.text(key), one.broken) for key, one in sorted(self.found.items()) if one.broken]

    def after(self, simulated):
        """What they would be after what `apt-get -s` printed."""
        import re

        found = dict(self.found)
        for step, text, version in re.findall("(?m)^" + STEP, simulated):
            key = self.key(text)
            old = found.get(key)
            want = "hold" if old and old.held else "install"
            status = {"Remv": "config-files", "Purg": "not-installed"}.get(step, "installed")
            found[key] = Entry(key[0], key[1], want, status, "ok", version)
            if old and old.version == version:
                found[key].provides = old.provides
        return Packages(self.native, found)

    def differences(self, other):
        """The keys of the packages whose version is another one in `other`."""
        return [key for key in sorted(set(self.found) | set(other.found)) if self.version(key) != other.version(key)]

    def version(self, key):
        """The version of an installed package, "" of another."""
        one = self.found.get(key)
        return one.version if one and one.installed else ""

    def held(self, key):
        return key in self.found and self.found[key].held

    def state(self, key):
        """Status, version and whether it is held: what a change of a package changes."""
        one = self.found.get(key)
        if not one or not one.there:
            return one.status if one else "not-installed", "", False
        return one.broken or one.status, one.version, one.held

    def hold(self, keys):
        """The same packages with these ones held."""
        found = dict(self.found)
        for key in keys:
            one = found[key]
            found[key] = Entry(key[0], one.architecture, "hold", one.status, "ok", one.version)
            found[key].provides = one.provides
        return Packages(self.native, found)
