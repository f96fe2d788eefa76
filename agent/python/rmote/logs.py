"""Sends records to the controller, those of `logging` too; loaded when a tool imports that."""
from rmote.agent import PART, agent
from rmote.wire import HEAD, encode

LOG, DROPPED = 36, 1
# How many bytes of records wait at most, on a link that nobody has called slow; beyond that they are dropped and counted.
MOST = 1 << 18
# On a slow link, as many as it carries in a twentieth of a second, since answers come after them; but so many at least.
LEAST = 1 << 14


class Waiting:
    """What waits is with its call, among what that has printed, so that all of it comes in order and before the answer."""

    size = dropped = 0


waiting = Waiting()
# The root logger and what it hands its records to, once somebody has imported `logging`.
filters = ()


def attach(logging):
    global filters

    class Handler(logging.Handler):
        def emit(self, record):
            try:
                send(int(record.levelno), str(record.name), self.format(record))
            except Exception:
                send(40, "rmote", "<a record that cannot be formatted>")

    filters = logging.getLogger(), Handler()
    filters[0].addHandler(filters[1])
    set_level(agent.log_level)


def set_level(level):
    """From which level on records are sent; all others are neither formatted nor kept. Returns what it was."""
    before, agent.log_level = agent.log_level, level
    for each in filters:
        each.setLevel(level)
    return before


def send(level, logger, message):
    """Sends a record, soon."""
    if agent.forked:
        return
    record = encode((level, logger, message[:PART]))
    with agent.printing:
        if waiting.size + len(record) > limit():
            waiting.dropped += 1
            return
        waiting.size += len(record)
        call = agent.current()
        call.own("printed", dict).setdefault(0, []).append(record)
        agent.held.add(call)
    agent.wake()


def limit():
    return max(LEAST, min(MOST, agent.rate * 50))


def move(call, records):
    """Makes a call's records ready to be written, unless so much is ready already that the link must be stuck."""
    waiting.size -= sum(map(len, records))
    if sum(map(len, agent.pending)) > limit():
        waiting.dropped += len(records)
    else:
        for record in records:
            agent.pending.extend(frame(call.id, record))
    if waiting.dropped:
        agent.pending.extend(frame(0, encode(waiting.dropped), DROPPED))
        waiting.dropped = 0
    records.clear()


def frame(id, payload, flags=0):
    return HEAD.pack(6 + len(payload), LOG, flags, id), payload
