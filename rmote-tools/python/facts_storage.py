"""Mounts and block devices of the host."""
import os

from rmote.tools.findings import ask, names, number, section, text, word
from rmote.values import Record

FIELDS = "mounts", "devices"
# File systems that hold nothing of their own; to look at one of autofs would mount it.
OWN = frozenset(
    "autofs binfmt_misc bpf cgroup cgroup2 configfs debugfs devpts devtmpfs efivarfs fuse.gvfsd-fuse fuse.lxcfs fuse.portal"
    " fusectl hugetlbfs mqueue nfsd nsfs proc pstore ramfs resctrl rpc_pipefs securityfs selinuxfs sysfs tracefs".split()
)
BLOCKS = "/sys/block"


def storage(timeout):
    return section("StorageFacts", FIELDS, lambda: _mounts(timeout), _devices)


def _mounts(timeout):
    table = text("/proc/self/mountinfo")
    if table is None:
        return {}
    found = {}
    for line in table.split("\n"):
        left, sign, right = line.partition(" - ")
        left, right = left.split(" "), right.split(" ")
        if sign and right[0] not in OWN:
            # What is mounted later hides what is below it.
            found[_plain(left[4])] = left[2], right[0], _plain(right[1]), left[5].split(",")
    # One question for each file system, however often it is mounted.
    paths = {}
    for path, (device, kind, _, _) in found.items():
        paths.setdefault((device, kind), path)
    answers = ask({key + (path,): _question(path) for key, path in paths.items()}, timeout)
    mounts = []
    for path, (device, kind, source, options) in found.items():
        sizes = answers.get((device, kind, paths[device, kind]))
        error = None
        if sizes is None:
            error = "it did not tell its size within %g s" % timeout
        elif isinstance(sizes, OSError):
            error = sizes.strerror or str(sizes)
        known = (None,) * 3
        if isinstance(sizes, tuple) and sizes[0]:
            # Some that have no size of their own claim more than there can be.
            known = [size if 0 <= size < 1 << 63 else None for size in sizes]
        mounts.append(
            Record(
                "Mount", path=path, device=source, type=kind, size=known[0], used=known[1], free=known[2],
                read_only="ro" in options, options=options, error=error,
            )
        )
    return {"mounts": mounts}


def _question(path):
    def sizes():
        st = os.statvfs(path)
        return tuple(blocks * st.f_frsize for blocks in (st.f_blocks, st.f_blocks - st.f_bfree, st.f_bavail))

    return sizes


def _plain(name):
    """A name without the octal escapes for white space."""
    if "\\" not in name:
        return name
    return name.encode().decode("unicode_escape").encode("latin-1").decode("utf-8", "surrogateescape")


def _devices():
    if not os.path.isdir(BLOCKS):
        return {}
    devices = []
    for name in names(BLOCKS):
        folder = os.path.join(BLOCKS, name)
        size = _size(folder)
        # Loops that hold no file.
        if not size and name.startswith("loop"):
            continue
        parts = [part for part in names(folder) if os.path.exists(os.path.join(folder, part, "partition"))]
        devices.append(
            Record(
                "BlockDevice",
                name=name,
                size=size,
                model=word(folder + "/device/model"),
                rotational=_flag(folder + "/queue/rotational"),
                removable=_flag(folder + "/removable"),
                read_only=_flag(folder + "/ro"),
                partitions=[Record("Partition", name=part, size=_size(os.path.join(folder, part))) for part in parts],
            )
        )
    return {"devices": devices}


def _size(folder):
    sectors = number(folder + "/size")
    # Of 512 bytes, whatever the device has.
    return None if sectors is None else sectors << 9


def _flag(path):
    found = number(path)
    return None if found is None else bool(found)
