"""The end of the process and of whatever its calls have started."""
from _signal import SIGHUP, SIGKILL, SIGTERM
from os import getpgrp, kill
from time import monotonic

from rmote.agent import sleep, starting
from rmote.children import living, signal_group


def end(agent):
    """Ends what is in the process groups of calls and in the agent's own: TERM first, after a second KILL."""
    start, told, signal, groups = monotonic(), set(), 0, set()
    while True:
        late = monotonic() - start
        # First this: what has been started by now is a call's, and nothing more is.
        busy = starting[:]
        # A command that ends now is no call's any more, but what it leaves is to end, too.
        groups |= agent.groups()
        left = living(groups)
        # However slow the machine, KILL comes before this is given up.
        if late > 1.3 and signal == SIGKILL or not left and not busy:
            break
        signal = SIGKILL if late > 1 else SIGTERM
        for pid in left:
            if late > 1 or pid not in told:
                told.add(pid)
                try:
                    if pid in groups:
                        # A shell at a terminal ignores TERM.
                        kill(pid, SIGHUP)
                    kill(pid, signal)
                except OSError:
                    pass
        sleep(0.01)
    for cleanup in list(agent.cleanups):
        cleanup()
    # Where there is no /proc, the rest of the own group.
    signal_group(getpgrp(), SIGTERM)
