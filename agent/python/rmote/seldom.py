"""What an agent does seldom, compiled when it first does: methods of `Agent`, which looks here for those that it has not.

They are sent before the first call, since they may be needed before the rest of the agent has come.
"""
import _signal
import os
import sys
from _thread import start_new_thread
from os import _exit, getpgrp, read, write
from select import select

from rmote.agent import ANSWERS, PART, RAISE, TICK, NoSuchFunction, monotonic, sleep
from rmote.wire import HEAD, encode

CANCEL, PING, OUTPUT, PONG = 4, 5, 35, 37
# How many threads run slow calls at most.
THREADS = 512
# How many heartbeats an idle link, one without calls, does without.
IDLE = 30
# PyPy has none.
writev = getattr(os, "writev", lambda out, views: write(out, b"".join(views)))


class Seldom:
    # Frames

    def write_large(self, parts):
        """Writes parts that are not copied, or what the link did not take at once."""
        views = list(map(memoryview, parts))
        while views:
            done = 0
            try:
                done = writev(self.out, views[:512])
            except BlockingIOError:
                select([], [self.out], [])
            except OSError:
                self.end()
            while views and done >= len(views[0]):
                done -= len(views.pop(0))
            if done:
                views[0] = views[0][done:]

    def control(self, kind, flags, id, payload):
        if flags > {7: 15, 9: 1}.get(kind, 0):
            raise ValueError("frame of kind %d with unknown flags %d" % (kind, flags))
        if kind == CANCEL:
            # The watcher alone cancels.
            call = self.calls.get(id)
            if call:
                call.deadline = monotonic()
                self.deadlines.add(call)
                self.wake()
        elif 6 < kind < 10:
            # Those of a stream; one that has just ended may be on its way still.
            if id in self.streams:
                self.streams[id].take(kind, flags, payload)
            elif not id:
                self.rate = int.from_bytes(payload, "little")
        elif kind == PING:
            self.send(PONG, 0, 0, payload)
        else:
            raise ValueError("frame of unknown kind %d" % kind)

    def fail(self, call, error, by="function"):
        if self.forked:
            if not isinstance(error, SystemExit):
                sys.excepthook(type(error), error, error.__traceback__)
            # As sys.exit has it; what is no number ends in the guard, with 1.
            _exit(int(getattr(error, "code", 1) or 0))
        if call.cancelled:
            by = "cancelled"
        elif isinstance(error, NoSuchFunction) or type(error) is TypeError and error.__traceback__.tb_next is None:
            # A TypeError from outside every function: the arguments do not fit the signature.
            by = "agent"
        elif by == "agent" and type(error).__name__ == "TooLarge":
            by = "limit"
        try:
            from rmote.failure import describe
            payload = encode(describe(error, by, self.sources), self.limit)
        except BaseException:
            kind = type.__dict__["__name__"].__get__(type(error))
            payload = encode({"by": by, "type": kind, "bases": [kind], "message": "it cannot be described"})
        self.answer(RAISE, call, payload)

    # Threads

    def follow(self, call, awaitable):
        """Runs a coroutine in the main thread's loop."""
        from rmote.coroutines import start
        start(self, call, awaitable)

    def spawn(self, *job):
        with self.lock:
            self.jobs.append(job)
            if self.threads >= THREADS:
                return
            self.threads += 1
        try:
            start_new_thread(self.guard, (self.work,))
        except RuntimeError:
            self.work()

    def work(self):
        while True:
            with self.lock:
                if not self.jobs:
                    self.threads -= 1
                    return
                job = self.jobs.pop(0)
            start = monotonic()
            self.run(*job)
            self.flush()
            if monotonic() - start < TICK:
                # Perhaps it was only the machine that was slow.
                job[1].slow = False

    def watch(self):
        """The watcher's first ticks: the rest of it may still be on its way, behind a call that holds the reader up."""
        while self.sources.rest is None:
            seen = self.inline
            self.want()
            sleep(TICK)
            self.relieve(seen)
        from rmote.watcher import watch
        watch(self)

    def relieve(self, seen):
        """Makes another thread the reader if a call still holds the one up that has been."""
        with self.lock:
            if seen and self.inline is seen:
                self.reader += 1
                self.inline = None
                try:
                    start_new_thread(self.guard, (self.read, self.reader))
                    if seen.function:
                        seen.function.slow = True
                except RuntimeError:
                    self.reader -= 1
                    self.inline = seen

    def listen(self, over):
        """Ends when nothing has come for three heartbeats, until something else is to be done.

        In a thread that never writes, since a write may be stuck.
        """
        while not over():
            self.idle = not self.calls
            if not self.parked.acquire(True, self.heartbeat * (IDLE if self.idle else 1) or 9999) and self.heartbeat:
                # One at a time, however long the process was stopped.
                self.silent += 1
                if self.silent > 3 and not select([self.input], [], [], 0)[0]:
                    self.end()

    # What is written to the descriptors

    def hear(self, frames):
        """Reads what has been written to the descriptors; who calls this holds `writing`, and sees that it is flushed.

        It is a call's if that is the only one there is, among those that are answered in frames that wait, too.
        """
        calls = set(list(self.calls)).union(HEAD.unpack(head)[3] for head in frames[::2] if head[4] in ANSWERS)
        id = calls.pop() if len(calls) == 1 else 0
        for reader, number in self.readers.items():
            try:
                data = read(reader, PART)
            except OSError:
                continue
            if data:
                self.heard += HEAD.pack(6 + len(data), OUTPUT, number - 1, id), data

    def insert(self, batch):
        """What was heard, after all else that a call has printed and before its answer."""
        answers = [at for at in range(0, len(batch), 2) if batch[at][4] in ANSWERS]
        at = answers[0] if answers else len(batch)
        heard, self.heard = self.heard, []
        return batch[:at] + heard + batch[at:]

    # The process

    def hook_fork(self):
        """What Python does by itself from 3.7 on."""
        fork = os.fork

        def forking():
            pid = fork()
            if not pid:
                self.fork()
            return pid

        os.fork = forking

    def clean_up(self, reason):
        """Ends what calls have started, and the files that they need no more."""
        if reason and select([], [self.errors], [], 0)[1]:
            write(self.errors, ("rmote agent: %.999r\n" % reason).encode("ascii", "replace"))
        if self.sources.rest is None:
            # The link has ended before it brought what is more gentle.
            for cleanup in list(self.cleanups):
                cleanup()
            for pid in filter(str.isdigit, os.listdir("/proc")):
                try:
                    if int(pid) != os.getpid() and os.getpgid(int(pid)) in self.groups():
                        os.kill(int(pid), _signal.SIGKILL)
                except OSError:
                    pass
        else:
            from rmote.ending import end
            end(self)

    def groups(self):
        """The process groups that calls have started, and its own."""
        return {getpgrp()}.union(self.doomed, *[call.groups for call in [self.session, *self.calls.values()]])
