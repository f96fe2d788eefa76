"""The event loop that all coroutine tools share, in a thread of its own, started with the first of them."""
import _thread
import asyncio


class Loop:
    def __init__(self, agent):
        self.agent = agent
        self.loop = asyncio.new_event_loop()
        _thread.start_new_thread(self.run, ())

    def run(self):
        asyncio.set_event_loop(self.loop)
        self.loop.run_forever()

    def start(self, call, awaitable):
        self.loop.call_soon_threadsafe(self.create, call, awaitable)

    def create(self, call, awaitable):
        if call.cancelled:
            # A task that is cancelled before its first step would never reach the answer below.
            if hasattr(awaitable, "close"):
                awaitable.close()
            self.agent.fail(call, asyncio.CancelledError())
            self.agent.flush()
        else:
            call.task = self.loop.create_task(self.finish(call, awaitable))

    async def finish(self, call, awaitable):
        # A task runs in a context of its own, so what it prints is its call's.
        self.agent.enter(call)
        try:
            result = await awaitable
        except BaseException as error:
            self.agent.fail(call, error)
        else:
            self.agent.finish(call, result)
        self.agent.flush()

    def cancel(self, call):
        self.loop.call_soon_threadsafe(lambda: call.task and call.task.cancel())
