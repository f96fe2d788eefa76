"""Packages of the host."""
import os

from rmote.tools.findings import names, program, section, text
from rmote.values import Record

FIELDS = "manager", "count", "packages"
DPKG = "/var/lib/dpkg/status"
PACMAN = "/var/lib/pacman/local"
APK = "/lib/apk/db/installed", "/usr/lib/apk/db/installed"
RPM = "/var/lib/rpm", "/usr/lib/sysimage/rpm"


def packages(raw):
    return section("PackageFacts", FIELDS, lambda: _packages(raw))


def _packages(raw):
    for manager, read in (("apt", _dpkg), ("apk", _apk), ("pacman", _pacman), (None, _rpm)):
        found = read()
        # Some hosts have the tools of another distribution, with an empty database.
        if found:
            found = sorted(found)
            listed = [Record("PackageVersion", name=n, version=v, architecture=a) for n, v, a in found]
            return {"manager": manager or _rpms(), "count": len(found), "packages": listed if raw else None}
    return {}


def _stanzas(path, fields):
    """The values of some fields of each paragraph of a file, such as `Package: rmote`; apk leaves out the space."""
    values = {}
    for line in (text(path) or "").split("\n"):
        if not line:
            if values:
                yield [values.get(field, "") for field in fields]
            values = {}
        elif line[0] not in " \t":
            name, _, value = line.partition(":")
            if name in fields:
                values[name] = value.strip()
    if values:
        yield [values.get(field, "") for field in fields]


def _dpkg():
    found = []
    for status, *package in _stanzas(DPKG, ("Status", "Package", "Version", "Architecture")):
        # What is wanted of it, and whether it is whole, are other words: "hold ok installed".
        if status.split()[2:] in (["installed"], ["triggers-awaited"], ["triggers-pending"]):
            found.append(package)
    return found


def _apk():
    for path in APK:
        found = [package for package in _stanzas(path, ("P", "V", "A")) if package[0]]
        if found:
            return found


def _pacman():
    found = []
    for folder in names(PACMAN):
        described = text(os.path.join(PACMAN, folder, "desc"))
        if described:
            # A title in percent signs, and a line each value.
            parts = [part.split("\n") for part in described.split("\n\n")]
            known = {part[0]: part[1] for part in parts if len(part) > 1}
            found.append([known.get("%" + name + "%", "") for name in ("NAME", "VERSION", "ARCH")])
    return found


def _rpm():
    # Its database is in a format of its own.
    path = program("rpm")
    if not path or not any(map(names, RPM)):
        return None
    from rmote.tools.program import output

    query = "%{NAME}\\t%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}\\t%{ARCH}\\n"
    listed = output(path, "-qa", "--qf", query, timeout=60).split("\n")
    # Keys of repositories are kept as packages.
    return [line.split("\t") for line in listed if line and not line.startswith("gpg-pubkey\t")]


def _rpms():
    for name in ("dnf", "dnf5", "microdnf", "zypper", "yum", "tdnf"):
        if program(name):
            return "dnf" if name == "dnf5" else name
    return "rpm"
