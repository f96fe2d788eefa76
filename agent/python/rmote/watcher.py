"""The watcher: makes another thread the reader when a call holds the reader up, sends what is printed, and ends calls at their deadlines."""
import os
from _signal import SIGHUP, SIGTERM
from _thread import start_new_thread
from os import dup2, read
from select import select
from time import monotonic

from rmote.agent import PART, TICK

QUIET_TICKS = 20


def watch(agent):
    try:
        # When its first thread ends, glibc loads a library for that, and aborts if it cannot: not while a tool closes all files.
        start_new_thread(bool, ())
    except RuntimeError:
        pass
    quiet = 0
    while True:
        seen, served = agent.inline, agent.served
        while agent.held:
            agent.flush_printed(agent.held.pop())
        if quiet > QUIET_TICKS:
            # Who gives this thread something to do does so first, then looks whether it dozes.
            agent.dozing = True
            if not (agent.inline or agent.pending or agent.doomed or agent.held):
                if not agent.calls:
                    repair(agent, True)
                waits = [3600] + [call.deadline - monotonic() for call in list(agent.deadlines)]
                wait(agent, max(0, min(waits)))
                quiet = 0
            agent.dozing = False
            seen = agent.inline
        wait(agent, TICK)
        if agent.idle and agent.calls:
            # From now on each heartbeat counts.
            nudge(agent.parked)
        agent.flush()
        repair(agent, False)
        now = monotonic()
        for call in list(agent.deadlines):
            if call.deadline <= now:
                agent.deadlines.discard(call)
                from rmote.interrupt import cancel
                cancel(agent, call)
        if agent.doomed:
            from rmote.children import sweep
            sweep(now)
        agent.relieve(seen)
        quiet = quiet + 1 if served == agent.served else 0


def wait(agent, seconds):
    """Waits until something wakes the watcher, a signal comes, or something is written to the descriptors."""
    ready = select([agent.woken, *agent.readers], [], [], seconds)[0]
    if agent.woken in ready and not {SIGHUP, SIGTERM}.isdisjoint(read(agent.woken, PART)):
        agent.end()
    if ready and ready != [agent.woken]:
        with agent.writing:
            agent.hear(agent.pending)
        agent.flush()


def repair(agent, quiet):
    """Puts back the descriptors that tools have closed, and when all is quiet what they have put in their place."""
    for number, own in agent.places.items():
        try:
            lost = not os.path.sameopenfile(number, own) and quiet
        except Exception:
            lost = True
        if lost:
            dup2(own, number)


def nudge(lock):
    """Releases a lock that somebody waits for, perhaps."""
    try:
        lock.release()
    except RuntimeError:
        pass
