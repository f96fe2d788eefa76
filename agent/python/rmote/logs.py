"""Sends `logging` records to the controller; loaded when a tool imports logging."""
from rmote.agent import agent


def attach(logging):
    class Handler(logging.Handler):
        def emit(self, record):
            try:
                text = record.getMessage()
                if record.exc_info:
                    text += "\n" + logging.Formatter().formatException(record.exc_info)
                agent.log(record.levelno, record.name, text)
            except Exception:
                agent.log(record.levelno, record.name, "<no text: formatting it failed>")

    logging.getLogger().addHandler(Handler())
    logging.getLogger().setLevel(agent.log_level)
