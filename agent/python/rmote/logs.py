"""Sends `logging` records to the controller; loaded when a tool imports logging."""
from rmote.agent import agent


def attach(logging):
    class Handler(logging.Handler):
        def emit(self, record):
            try:
                agent.log(int(record.levelno), str(record.name), self.format(record))
            except Exception:
                agent.log(40, "rmote", "<a record that cannot be formatted>")

    logging.getLogger().addHandler(Handler())
    logging.getLogger().setLevel(agent.log_level)
