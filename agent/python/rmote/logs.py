"""Sends `logging` records to the controller; loaded when a tool imports logging."""
from rmote.agent import PART, agent
from rmote.wire import encode

LOG = 36


def attach(logging):
    class Handler(logging.Handler):
        def emit(self, record):
            try:
                send(int(record.levelno), str(record.name), self.format(record))
            except Exception:
                send(40, "rmote", "<a record that cannot be formatted>")

    logging.getLogger().addHandler(Handler())
    logging.getLogger().setLevel(agent.log_level)


def send(level, logger, message):
    if not agent.forked:
        agent.send(LOG, 0, agent.current().id, encode((level, logger, message[:PART])))
        agent.wake()
