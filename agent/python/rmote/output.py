"""What a tool prints becomes output of its call, whether it goes through `print` or descriptor 1."""
import _signal
import io
import os
import sys
from _thread import allocate_lock, start_new_thread
from os import dup2, read, write
from select import POLLIN, poll, select

PART = 1 << 16


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
                held = call.printed.setdefault(self.number, bytearray())
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


class Descriptors:
    """Pipes in the place of descriptors 1 and 2, for what tools and their children write there."""

    def __init__(self, agent):
        self.agent = agent
        self.lock = allocate_lock()
        self.readers = {}
        self.own = {0: agent.null}
        for number in (1, 2):
            reader, self.own[number] = os.pipe()
            os.set_blocking(reader, False)
            self.readers[reader] = number
        self.repair(True)
        self.texts = sys.stdout, sys.stderr = sys.__stdout__, sys.__stderr__ = Text(agent, 1), Text(agent, 2)
        self.poll = poll()
        for reader in self.readers:
            self.poll.register(reader, POLLIN)
        # A handler may wait for ever for a main thread that fell asleep just before the signal; this does not.
        self.signals, self.told = os.pipe()
        os.set_blocking(self.told, False)
        _signal.set_wakeup_fd(self.told)
        start_new_thread(agent.guard, (self.follow,))

    def follow(self):
        while True:
            ready = select([self.signals, *self.readers], [], [])[0]
            if self.signals in ready and not {_signal.SIGHUP, _signal.SIGTERM}.isdisjoint(read(self.signals, PART)):
                self.agent.end()
            self.drain()
            self.agent.flush()

    def drain(self):
        """Sends what has been written so far, so that output comes before the result."""
        with self.lock:
            if self.poll.poll(0):
                for reader, number in self.readers.items():
                    try:
                        self.agent.output(self.agent.sole(), number, read(reader, PART))
                    except OSError:
                        pass

    def repair(self, quiet):
        """Puts back what tools have closed, and when all is quiet what they have put in its place."""
        for number, own in self.own.items():
            try:
                lost = not os.path.sameopenfile(number, own) and quiet
            except Exception:
                lost = True
            if lost:
                dup2(own, number)
