"""What a tool prints becomes output of its call, whether it goes through `print` or descriptor 1."""
import _thread
import io
import os
import select
import sys

PART = 1 << 16


class Text(io.TextIOBase):
    """Stands in for sys.stdout or sys.stderr: sends whole lines, or more, to the current call."""

    encoding = "utf-8"
    errors = "backslashreplace"

    def __init__(self, agent, number):
        self.agent = agent
        self.number = number
        self.buffer = Binary(self)

    def fileno(self):
        return self.number

    def writable(self):
        return True

    def write(self, text):
        if not isinstance(text, str):
            raise TypeError("write() argument must be str, not %s" % type(text).__name__)
        self.put(text.encode("utf-8", "backslashreplace"), b"\n" in text.encode("utf-8", "replace")[-PART:])
        return len(text)

    def put(self, data, send):
        call = self.agent.current()
        held = call.printed.get(self.number, b"") + data
        if send or len(held) > PART:
            call.printed.pop(self.number, None)
            self.agent.output(call.id, self.number, held)
        else:
            call.printed[self.number] = held

    def flush(self):
        self.agent.flush_printed(self.agent.current())


class Binary(io.RawIOBase):
    def __init__(self, text):
        self.text = text

    def writable(self):
        return True

    def fileno(self):
        return self.text.number

    def write(self, data):
        data = bytes(data)
        self.text.put(data, True)
        return len(data)


class Descriptors:
    """Pipes in the place of descriptors 1 and 2, for what tools and their children write there."""

    def __init__(self, agent):
        self.agent = agent
        self.lock = _thread.allocate_lock()
        self.readers = {}
        self.poll = select.poll()
        for number in (1, 2):
            reader, writer = os.pipe()
            os.dup2(writer, number)
            os.close(writer)
            os.set_blocking(reader, False)
            self.readers[reader] = number
            self.poll.register(reader, select.POLLIN)
        sys.stdout, sys.stderr = Text(agent, 1), Text(agent, 2)
        _thread.start_new_thread(self.follow, ())

    def follow(self):
        waiting = select.poll()
        for reader in self.readers:
            waiting.register(reader, select.POLLIN)
        while waiting.poll():
            self.drain()
            self.agent.flush()

    def drain(self):
        """Sends what has been written so far, so that output comes before the result."""
        with self.lock:
            if self.poll.poll(0):
                for reader, number in self.readers.items():
                    try:
                        data = os.read(reader, PART)
                    except BlockingIOError:
                        continue
                    if data:
                        self.agent.output(self.agent.sole(), number, data)

    def forked(self):
        """In a forked child, which has no link: prints go through the pipes."""
        for reader in self.readers:
            os.close(reader)
        for number, name in ((1, "stdout"), (2, "stderr")):
            setattr(sys, name, io.TextIOWrapper(os.fdopen(number, "wb", 0, closefd=False), "utf-8", "backslashreplace", None, True))
