"""Processors and memory of the host."""
import os

from rmote.tools.findings import lines, names, number, section

CPU = "model", "logical", "usable", "physical", "sockets", "load", "flags"
MEMORY = {
    "total": "MemTotal", "available_bytes": "MemAvailable", "free": "MemFree", "buffers": "Buffers", "cached": "Cached",
    "swap_total": "SwapTotal", "swap_free": "SwapFree",
}
TOPOLOGY = "/sys/devices/system/cpu"


def cpu():
    return section("CpuFacts", CPU, _topology, _processors, _counts, _load)


def memory():
    return section("MemoryFacts", MEMORY, _meminfo, _pages)


def _topology():
    cores = set()
    for name in names(TOPOLOGY):
        if name[:3] == "cpu" and name[3:].isdigit():
            folder = os.path.join(TOPOLOGY, name, "topology")
            core = number(folder + "/physical_package_id"), number(folder + "/core_id")
            # Those that are switched off have none.
            if None not in core:
                cores.add(core)
    return _cores(cores)


def _cores(cores):
    packages = {package for package, _ in cores}
    # Where the kernel knows no packages it says -1, and numbers of cores may be there twice.
    if not packages or -1 in packages:
        return {}
    return {"physical": len(cores), "sockets": len(packages)}


def _processors():
    """What /proc/cpuinfo says, which has a paragraph a processor on x86 and less elsewhere."""
    found = {}
    cores, core = set(), {}
    for line in lines("/proc/cpuinfo"):
        name, sign, value = line.partition(":")
        if sign:
            name, value = name.strip(), value.strip()
            found.setdefault(name, value)
            core[name] = value
        else:
            if "physical id" in core and "core id" in core:
                cores.add((int(core["physical id"]), int(core["core id"])))
            core = {}
    known = _cores(cores)
    models = [found[name] for name in ("model name", "cpu model", "cpu", "Processor") if found.get(name)]
    flags = [found[name].split() for name in ("flags", "Features", "features", "isa") if name in found]
    known.update(model=models[0] if models else None, flags=flags[0] if flags else None)
    return known


def _counts():
    # Not os.cpu_count(), which a variable may overrule.
    count = os.sysconf("SC_NPROCESSORS_ONLN")
    usable = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None
    return {"logical": count if count > 0 else None, "usable": usable}


def _load():
    return {"load": list(os.getloadavg())}


def _meminfo():
    found = {}
    for line in lines("/proc/meminfo"):
        words = line.split()
        if len(words) == 3 and words[2] == "kB":
            found[words[0][:-1]] = int(words[1]) << 10
    return {field: found.get(name) for field, name in MEMORY.items()}


def _pages():
    pages = os.sysconf("SC_PHYS_PAGES")
    return {"total": pages * os.sysconf("SC_PAGE_SIZE") if pages > 0 else None}
