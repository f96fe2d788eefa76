"""Whether the host is a container, and which engines it has for its own."""
import os

from rmote.tools.findings import ask, program, section, text, word
from rmote.values import Record

FIELDS = "inside", "kind", "engines"
# The kernel's own numbers for its first namespaces.
FIRST = {"pid": "pid:[4026531836]", "uts": "uts:[4026531838]"}
# Words in the control group of the first process.
GROUPS = (
    ("kubepods", "kubernetes"), ("libpod", "podman"), ("docker", "docker"), ("containerd", "containerd"),
    ("lxc", "lxc"), ("machine.slice/machine-", "systemd-nspawn"),
)
ENGINES = (
    ("docker", "docker", ("/run/docker.sock", "/var/run/docker.sock")),
    ("podman", "podman", ("/run/podman/podman.sock",)),
    ("containerd", "containerd", ("/run/containerd/containerd.sock",)),
    ("crio", "crio", ("/run/crio/crio.sock", "/var/run/crio/crio.sock")),
    ("incus", "incusd", ("/var/lib/incus/unix.socket",)),
    ("lxc", "lxc-start", ()),
)


def containers(timeout):
    return section("ContainerFacts", FIELDS, _inside, lambda: _engines(timeout))


def _inside():
    apart = None
    try:
        apart = any(os.readlink("/proc/self/ns/" + name) != first for name, first in FIRST.items())
    except OSError:
        pass
    # A machine whose files came from an image of a container still has its marks.
    kind = None if apart is False else _kind()
    return {"inside": True if kind else apart, "kind": kind}


def _kind():
    said = word("/run/systemd/container")
    for variable in (text("/proc/1/environ") or "").split("\0"):
        if variable.startswith("container="):
            said = said or variable[10:]
    if os.path.exists("/run/.containerenv"):
        return "podman"
    if os.path.exists("/.dockerenv"):
        return "docker"
    if said:
        return said
    if "microsoft" in (word("/proc/sys/kernel/osrelease") or "").lower():
        return "wsl"
    groups = text("/proc/1/cgroup") or ""
    return next((kind for word, kind in GROUPS if "/" + word in groups or "." + word in groups), None)


def _engines(timeout):
    own = "/run/user/%d/podman/podman.sock" % os.getuid()
    wanted = [name for _, name, _ in ENGINES]
    paths = ask({"programs": lambda: dict(zip(wanted, map(program, wanted)))}, timeout).get("programs")
    engines = []
    for kind, name, sockets in ENGINES:
        if kind == "podman":
            sockets += (own,)
        path = (paths or {}).get(name)
        socket = next(filter(os.path.exists, sockets), None)
        if path or socket:
            engines.append(Record("ContainerEngine", name=kind, program=path, socket=socket))
    # Without an answer it is not known that there are no others.
    return {"engines": engines if paths is not None or engines else None}
