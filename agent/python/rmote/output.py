"""What a tool prints becomes output of its call."""
import io
import sys
from os import write

from rmote.agent import PART


class Text(io.TextIOBase):
    """Stands in for sys.stdout or sys.stderr, and for their buffers: sends whole lines at once to the current call, and what is less soon after."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, agent, number):
        self.agent = agent
        self.number = number
        self.buffer = self

    def fileno(self):
        return self.number

    def writable(self):
        return True

    def write(self, text):
        agent = self.agent
        data = text.encode("utf-8", "backslashreplace") if isinstance(text, str) else bytes(text)
        if agent.forked:
            write(self.number, data)
        else:
            with agent.printing:
                call = agent.current()
                held = call.own("printed", dict).setdefault(self.number, bytearray())
                held += data
                if b"\n" in data or len(held) > PART:
                    agent.flush_printed(call)
                else:
                    # A line may be long in the making.
                    agent.held.add(call)
                    agent.wake()
            if call.check:
                call.check()
        return len(text)

    def flush(self):
        if not self.agent.forked:
            self.agent.flush_printed(self.agent.current())


def text(agent, number):
    """The one of sys.stdout or sys.stderr, from now on in the place of what has stood for it."""
    if isinstance(agent.texts[0], Text):
        return agent.texts[number - 1]
    texts = Text(agent, 1), Text(agent, 2)
    # Python before 3.14 would go on with what is no more: `print` holds no reference to it.
    agent.stand_ins = agent.texts
    for name in "stdout", "stderr", "__stdout__", "__stderr__":
        if getattr(sys, name) in agent.texts:
            setattr(sys, name, texts[name.endswith(("err", "err__"))])
    agent.texts = texts
    return texts[number - 1]
