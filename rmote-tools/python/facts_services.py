"""What manages the services of the host."""
import os

from rmote.tools.findings import program, section, word

FIELDS = "manager", "version", "state"
# First processes that may manage services, in a way that we do not know.
OTHERS = "busybox", "dinit", "init", "launchd", "nosh", "runit", "s6-svscan", "shepherd", "systemd"


def service_manager(timeout):
    return section("ServiceManagerFacts", FIELDS, _manager, lambda: _systemd(timeout), _openrc)


def _runs_systemd():
    return os.path.isdir("/run/systemd/system")


def _manager():
    if _runs_systemd():
        return {"manager": "systemd"}
    if word("/run/openrc/softlevel"):
        return {"manager": "openrc"}
    first = word("/proc/1/comm")
    return {"manager": "none" if first and first not in OTHERS else None}


def _systemd(timeout):
    path = _runs_systemd() and program("systemctl")
    if not path:
        return {}
    from rmote.tools.program import output

    shown = output(path, "show", "--no-pager", "-p", "Version", "-p", "SystemState", timeout=timeout)
    found = dict(line.split("=", 1) for line in shown.split("\n") if "=" in line)
    return {"version": found.get("Version") or None, "state": found.get("SystemState") or None}


def _openrc():
    if _runs_systemd():
        return {}
    level = word("/run/openrc/softlevel")
    if not level:
        return {}
    versions = [word(folder + "/rc/version") for folder in ("/lib", "/libexec", "/usr/libexec", "/usr/lib")]
    return {"version": next(filter(None, versions), None), "state": level}
