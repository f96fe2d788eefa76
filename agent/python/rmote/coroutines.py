"""The event loop that all coroutine tools share: it runs in the main thread, from the first of them on."""
import asyncio
import sys
from _thread import start_new_thread
from os import close

from rmote.agent import fill

try:
    from contextvars import ContextVar
    CALL = ContextVar("rmote call", default=None)
except ImportError:
    # Python 3.6 has none: what concurrent coroutines print cannot be told apart.
    CALL = None


def start(agent, call, awaitable):
    """Runs a coroutine in the main thread's loop."""
    with agent.lock:
        if agent.loop is None:
            agent.loop = Loop(agent)
            try:
                # The main thread has something else to do from now on.
                agent.parked.release()
            except RuntimeError:
                pass
    agent.loop.start(call, awaitable)


class Loop:
    def __init__(self, agent):
        self.agent = agent
        low = fill()
        try:
            self.loop = asyncio.new_event_loop()
        finally:
            for number in low:
                if number > 2:
                    close(number)

    def run(self):
        """Runs the loop, in the main thread, for ever."""
        self.listen()
        asyncio.set_event_loop(self.loop)
        if sys.version_info < (3, 8):
            asyncio.get_child_watcher().attach_loop(self.loop)
        for _ in range(9999):
            try:
                self.loop.run_forever()
            except BaseException:
                # From a task that a tool has left to itself, or a signal handler.
                pass
        self.agent.end("the event loop is broken")

    def listen(self):
        """Has another thread do what the main thread did: not sooner, or that one might take what was to wake this one."""
        try:
            start_new_thread(self.agent.guard, (self.agent.listen, lambda: False))
        except RuntimeError:
            # Calls take them all.
            self.loop.call_later(1, self.listen)

    def current(self):
        """The call of the coroutine that this thread is in, or works for."""
        return CALL and CALL.get()

    def start(self, call, awaitable):
        self.loop.call_soon_threadsafe(self.create, call, awaitable)

    def create(self, call, awaitable):
        try:
            call.task = self.loop.create_task(self.finish(call, awaitable))
            call.task.add_done_callback(lambda task: self.over(call, awaitable, asyncio.CancelledError()))
            if call.cancelled:
                call.task.cancel()
        except BaseException as error:
            self.over(call, awaitable, error)

    async def finish(self, call, awaitable):
        # A task runs in a context of its own, so what it prints is its call's.
        if CALL:
            CALL.set(call)
        try:
            result = await awaitable
        except BaseException as error:
            self.agent.fail(call, error)
        else:
            self.agent.finish(call, result)
        self.agent.flush()

    def over(self, call, awaitable, error):
        # A task that is cancelled before its first step runs nothing of the above.
        if not call.done:
            if hasattr(awaitable, "close"):
                awaitable.close()
            self.agent.fail(call, error)
            self.agent.flush()

    def cancel(self, call):
        self.loop.call_soon_threadsafe(lambda: call.task and call.task.cancel())
