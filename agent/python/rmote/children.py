"""The processes that calls start: each leads a session of its own, which ends with its call's cancellation or the link."""
from _signal import SIGKILL, SIGTERM
from os import getpgrp, getpid, kill, killpg, listdir
from time import monotonic

from rmote import agent
from rmote.agent import Cancelled

# Seconds between TERM and KILL.
GRACE = 2.0
# Groups whose leader has been waited for while others are left in them.
orphans = set()


def adopt(group):
    """Makes a process group the current call's: it ends when the call is cancelled or the link ends."""
    session = agent.agent
    if session:
        orphans.discard(group)
        call = session.current()
        call.own("groups", set).add(group)
        if call.done:
            session.session.own("groups", set).add(group)
        if call.cancelled:
            call.killed = True
            doom(group)


def release(group):
    """Says that a process group that was adopted has ended."""
    orphans.discard(group)
    if agent.agent:
        for call in [agent.agent.session, *agent.agent.calls.values()]:
            call.own("groups", set).discard(group)


def doom(*groups):
    """Ends process groups: TERM now, KILL to what is left after a grace."""
    for group in groups:
        signal_its(group, SIGTERM)
        agent.agent.doomed[group] = monotonic() + GRACE
    agent.agent.wake()


def sweep(now):
    """What the watcher does at each tick while there are groups to end."""
    doomed = agent.agent.doomed
    for group in list(doomed):
        if now > doomed[group] or not signal_its(group, 0):
            signal_its(group, SIGKILL)
            del doomed[group]


def check():
    """Raises Cancelled if the current call was cancelled; nothing else does so then."""
    call = agent.agent and agent.agent.current()
    if call and call.cancelled:
        call.bell().acquire(False)
        if call.task:
            agent.agent.loop.hit(call)
        raise Cancelled


def attach(subprocess):
    """Makes what `subprocess` starts, for asyncio and `os.popen` too, the current call's.

    What is given a session, a group or a `preexec_fn` by who starts it is left to them.
    """
    start = subprocess.Popen.__init__

    def __init__(self, *args, **options):
        # By position, what comes seventh is the preexec_fn.
        theirs = len(args) > 6 or any(map(options.get, ("preexec_fn", "start_new_session")))
        if theirs or options.get("process_group") is not None or agent.agent.forked:
            return start(self, *args, **options)
        options["start_new_session"] = True
        # The end of the link waits for what is being started.
        agent.starting.append(1)
        try:
            if agent.agent.ending.locked():
                raise InterruptedError("the link has ended")
            start(self, *args, **options)
            self._adopted = True
            adopt(self.pid)
        finally:
            agent.starting.pop()

    def reaped(self, code):
        self.__dict__["returncode"] = code
        if code is not None and self.__dict__.pop("_adopted", False):
            leave(self.pid)

    subprocess.Popen.__init__ = __init__
    # Whoever waits for the process, asyncio does so itself, sets this.
    subprocess.Popen.returncode = property(lambda self: self.__dict__.get("returncode"), reaped)


def leave(group):
    """Keeps a group that has lost its leader while there is anything in it: its number may be a stranger's afterwards."""
    orphans.add(group)
    for each in list(orphans):
        if not signal_its(each, 0):
            release(each)


def signal_its(group, signal):
    """As `signal_group`, but for a group whose number is another's by now."""
    if group in orphans:
        try:
            kill(group, 0)
        except ProcessLookupError:
            pass
        except OSError:
            return False
        else:
            # While a group lives no process is given its number.
            return False
    return signal_group(group, signal)


def signal_group(group, signal):
    """Whether the group is there."""
    try:
        killpg(group, signal)
    except ProcessLookupError:
        return False
    except OSError:
        pass
    return True


def living(groups):
    """What is left of process groups and sessions, but for this process and zombies; as negative groups where there is no /proc."""
    groups = [group for group in groups if group not in orphans or signal_its(group, 0)]
    left = []
    own = str(getpid())
    try:
        pids = listdir("/proc")
    except OSError:
        pids = []
    if own not in pids:
        return [-group for group in groups if group != getpgrp() and signal_group(group, 0)]
    for pid in pids:
        try:
            with open("/proc/%d/stat" % int(pid), "rb") as file:
                state, _, *ids = file.read().rpartition(b")")[2].split()[:4]
        except (OSError, ValueError):
            continue
        # A shell's jobs are groups of their own.
        if not {*map(int, ids)}.isdisjoint(groups) and state not in b"ZX" and pid != own:
            left.append(int(pid))
    return left
