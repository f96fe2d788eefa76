"""The system and the Python of the host."""
import os

from rmote.tools.findings import assignments, lines, section, text, word
from rmote.values import Record

SYSTEM = (
    "kernel", "kernel_release", "kernel_version", "architecture", "hostname", "fqdn", "os", "boot_time", "uptime",
    "virtualization", "init", "timezone", "utc_offset", "locale",
)
PYTHON = "implementation", "version", "implementation_version", "executable", "platform", "bits", "virtualenv", "libc"
OS = "id", "id_like", "name", "pretty_name", "version", "version_id", "version_codename"
# What the firmware's tables begin with; the names are those of systemd-detect-virt.
VENDORS = (
    ("KVM", "kvm"), ("OpenStack", "kvm"), ("KubeVirt", "kvm"), ("Amazon EC2", "amazon"), ("QEMU", "qemu"),
    ("VMware", "vmware"), ("VMW", "vmware"), ("innotek GmbH", "oracle"), ("VirtualBox", "oracle"), ("Xen", "xen"),
    ("Bochs", "bochs"), ("Parallels", "parallels"), ("BHYVE", "bhyve"), ("Hyper-V", "microsoft"),
    ("Google Compute Engine", "google"), ("Apple Virtualization", "apple"),
)
DMI = "product_name", "sys_vendor", "board_vendor", "bios_vendor", "product_version"


def system():
    return section("SystemFacts", SYSTEM, _kernel, _names, _os, _times, _virtualization, _init, _timezone, _locale)


def python():
    return section("PythonFacts", PYTHON, _python, _libc)


def _kernel():
    name = os.uname()
    return {
        "kernel": name.sysname,
        "kernel_release": name.release,
        "kernel_version": name.version,
        "architecture": name.machine,
        "hostname": name.nodename,
    }


def _names():
    name = os.uname().nodename
    if "." in name:
        return {"fqdn": name}
    # No look-up: a name server may be away.
    for line in lines("/etc/hosts"):
        words = line.partition("#")[0].split()[1:]
        if name in words:
            for full in words:
                if full.startswith(name + "."):
                    return {"fqdn": full}
    return {}


def _os():
    for path in ("/etc/os-release", "/usr/lib/os-release"):
        found = assignments(path)
        if found:
            fields = {field: found.get(field.upper()) or None for field in OS}
            fields["id_like"] = (fields["id_like"] or "").split()
            return {"os": Record("OsRelease", fields)}
    return {}


def _times():
    import time

    uptime = (text("/proc/uptime") or "").split()
    uptime = float(uptime[0]) if uptime else None
    if uptime is None and hasattr(time, "clock_gettime"):
        try:
            # CLOCK_BOOTTIME of Linux has no name before Python 3.7.
            uptime = time.clock_gettime(7) if os.uname().sysname == "Linux" else None
        except OSError:
            pass
    boot = [int(line.split()[1]) for line in lines("/proc/stat") if line.startswith("btime ")]
    if not boot and uptime is not None:
        boot = [int(time.time() - uptime)]
    return {"uptime": uptime, "boot_time": boot[0] if boot else None}


def _virtualization():
    if word("/sys/hypervisor/type") == "xen" or os.path.isdir("/proc/xen"):
        # The domain that controls the others has the machine itself.
        return {"virtualization": "none" if "control_d" in (text("/proc/xen/capabilities") or "") else "xen"}
    tables = [word("/sys/class/dmi/id/" + name) or "" for name in DMI]
    if tables[:2] == ["Virtual Machine", "Microsoft Corporation"]:
        return {"virtualization": "microsoft"}
    for start, name in VENDORS:
        if any(table.startswith(start) for table in tables):
            return {"virtualization": name}
    if word("/proc/device-tree/hypervisor/compatible") == "linux,kvm":
        return {"virtualization": "kvm"}
    for line in lines("/proc/cpuinfo"):
        # An x86 processor tells whether there is a hypervisor; others do not.
        if line.startswith("flags"):
            return {"virtualization": "vm-other" if "hypervisor" in line.split() else "none"}
    return {}


def _init():
    return {"init": word("/proc/1/comm")}


def _timezone():
    import time

    zone = None
    try:
        zone = os.readlink("/etc/localtime").partition("zoneinfo/")[2] or None
    except OSError:
        pass
    return {"timezone": zone or word("/etc/timezone"), "utc_offset": time.localtime().tm_gmtoff}


def _locale():
    for path in ("/etc/locale.conf", "/etc/default/locale"):
        found = assignments(path).get("LANG")
        if found:
            return {"locale": found}
    return {}


def _python():
    import sys

    own = sys.implementation
    return {
        "implementation": own.name,
        "version": "%d.%d.%d" % sys.version_info[:3],
        "implementation_version": "%d.%d.%d" % own.version[:3],
        "executable": sys.executable or None,
        "platform": sys.platform,
        "bits": sys.maxsize.bit_length() + 1,
        "virtualenv": sys.prefix != sys.base_prefix,
    }


def _libc():
    try:
        return {"libc": os.confstr("CS_GNU_LIBC_VERSION")}
    except (AttributeError, ValueError, OSError):
        # Only glibc knows the question.
        return {"libc": "musl" if "/ld-musl-" in (text("/proc/self/maps") or "") else None}
