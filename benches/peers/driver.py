"""What the scripts of all peers share: the case from the command line, clocks, the result as JSON.

A script is run as `SCRIPT CASE`, where CASE is a JSON object; it prints one JSON object of measures.

    case       start, wire, sequential, pipelined, bulk, records, paths, sessions
    over       local, ssh or docker; ssh also for the link
    via        the words of a command that carries bytes to the host, before the interpreter's
    python     the interpreter on the host
    variant    which of the peer's ways to make a call
    n          how many starts, calls, reads, records, paths or sessions
    in_flight  how many calls at once
    file       what a bulk read reads, as a path on the host; `size` its bytes, `chunk` how many at a time
    host, config, container    for peers with an ssh or docker of their own
"""
import json
import os
import resource
import sys
import time

CASE = json.loads(sys.argv[1])
now = time.perf_counter


def result(**measures):
    """Prints what was measured and ends at once: what a peer does at its exit is not measured."""
    print(json.dumps(measures), flush=True)
    os._exit(0)


def peak():
    """The peak of this process's memory, in KiB."""
    with open("/proc/self/status") as status:
        for line in status:
            if line.startswith("VmHWM:"):
                return int(line.split()[1])


def cpu():
    """CPU seconds of this process and of the children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(usage.ru_utime + usage.ru_stime for usage in used)


def median(values):
    values = sorted(values)
    middle = len(values) // 2
    return values[middle] if len(values) % 2 else (values[middle - 1] + values[middle]) / 2


def starts(seconds):
    result(ms=median(seconds) * 1e3)


def first_result(seconds, first):
    """Of a start through the relay: `first` is when the first result was there, on the monotonic clock."""
    result(ms=seconds * 1e3, first_result_ns=int(first * 1e9))


def latencies(seconds):
    result(us=median(seconds) * 1e6)


def pipelined(calls, seconds, cpu_here, cpu_there):
    result(calls_per_s=calls / seconds, cpu_us=(cpu_here + cpu_there) / calls * 1e6)


def bulk(count, seconds, agent_peak):
    assert count == CASE["size"] * CASE["n"], count
    result(mib_per_s=count / seconds / 2**20, controller_mib=peak() / 1024, agent_mib=agent_peak / 1024)


def items(count, seconds):
    assert count == CASE["n"], count
    result(items_per_s=count / seconds)


def sessions(seconds, cpu_seconds):
    result(seconds=seconds, cpu_s=cpu_seconds, controller_mib=peak() / 1024)
