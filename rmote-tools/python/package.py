"""Packages with whichever package manager a host has."""
from rmote.failure import Unsupported
from rmote.tools import program

# Each with the families of systems that use it: the words ID and ID_LIKE of os-release.
MANAGERS = {
    "apt": ("apt-get", ("debian", "ubuntu")),
    "pacman": ("pacman", ("arch", "archlinux", "manjaro")),
    "dnf": ("dnf", ("fedora", "rhel", "centos")),
    "apk": ("apk", ("alpine",)),
}


class Package:
    """Installs, upgrades and removes packages with the host's package manager: apt, pacman, dnf or apk.

    Which one is found out by /etc/os-release, and if that names none of these families, by which of the programs is
    there; `manager` names it instead. All packages of a call go through one transaction (with pacman, dnf and apk one
    for those that are removed, and one for the others). What is a package's name is each system's own matter. apt and
    pacman are there in full, and have more options as `Apt` and `Pacman`; with dnf and apk packages cannot be held.

    A package is a text, `name` or `name=version`; for `converge` it may also have `name`, `state` and `version`. Another
    package manager that is at work is waited for, `lock_timeout` seconds (60). What is held is changed only with
    `change_held`. What a manager refuses or fails at is a `PackageError`, see `packages`.
    """

    @staticmethod
    def present(*packages, check=False, lock_timeout=60, change_held=False, manager=None):
        """Makes sure that packages are installed, in a version if one is given."""
        return _converge(_texts(packages), "present", check, lock_timeout, change_held, manager)

    @staticmethod
    def absent(*packages, check=False, lock_timeout=60, change_held=False, manager=None):
        """Makes sure that packages are not installed."""
        return _converge(_texts(packages), "absent", check, lock_timeout, change_held, manager)

    @staticmethod
    def latest(*packages, check=False, lock_timeout=60, change_held=False, manager=None):
        """Makes sure that packages are installed in the newest version that the lists have."""
        return _converge(_texts(packages), "latest", check, lock_timeout, change_held, manager)

    @staticmethod
    def held(*packages, check=False, lock_timeout=60, change_held=False, manager=None):
        """Makes sure that packages are installed and keep their version when others are upgraded."""
        return _converge(_texts(packages), "held", check, lock_timeout, change_held, manager)

    @staticmethod
    def converge(*packages, state=None, check=False, lock_timeout=60, change_held=False, manager=None):
        """Makes packages be as they are wanted; `state` is that of those that name none."""
        return _converge(packages, state, check, lock_timeout, change_held, manager)

    @staticmethod
    def update(*, ttl=None, check=False, lock_timeout=60, manager=None):
        """Fetches the lists of packages, with `ttl` only if they are older than that many seconds.

        It says whether it did; with pacman and dnf, whether they changed.
        """
        return _backend(manager).update(ttl=ttl, check=check, lock_timeout=lock_timeout)


def _converge(items, state, check, lock_timeout, change_held, manager):
    backend = _backend(manager)
    return backend.converge(*items, state=state, check=check, lock_timeout=lock_timeout, change_held=change_held)


def _texts(items):
    """Packages without a state of their own, which might be another than the method's."""
    for item in items:
        if not isinstance(item, str):
            raise TypeError("a package is a text here, not %r; others go to converge" % (item,))
    return items


def _backend(manager):
    name = manager or _manager()
    if name not in MANAGERS:
        raise ValueError("manager is %s, not %r" % (" or ".join(MANAGERS), name))
    if name == "apt":
        from rmote.tools.apt import Apt

        return Apt
    if name == "pacman":
        from rmote.tools.pacman import Pacman

        return Pacman
    if name == "dnf":
        from rmote.tools.dnf import Dnf

        return Dnf
    from rmote.tools.apk import Apk

    return Apk


def _manager(path="/etc/os-release"):
    """The package manager of this host."""
    families = _families(path)
    for family in families:
        for name, (_, known) in MANAGERS.items():
            if family in known:
                # A host of that family without it is a mistake to name, not one to work around.
                program.need(MANAGERS[name][0], "packages of %s are managed with it" % family)
                return name
    for name, (tool, _) in MANAGERS.items():
        if program.find(tool):
            return name
    tools = ", ".join(tool for tool, _ in MANAGERS.values())
    raise Unsupported("package manager", "none of %s is here" % tools)


def _families(path):
    """What a host says that it is, and what it is like, the nearest first."""
    import shlex

    values = {}
    try:
        with open(path, encoding="utf-8", errors="replace") as file:
            for line in file:
                key, mark, value = line.strip().partition("=")
                if mark and key in ("ID", "ID_LIKE"):
                    values[key] = " ".join(shlex.split(value))
    except FileNotFoundError:
        pass
    return (values.get("ID", "") + " " + values.get("ID_LIKE", "")).lower().split()
