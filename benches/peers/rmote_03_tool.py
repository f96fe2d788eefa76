"""The tool of rmote 0.3.0 that runs on the host."""
from rmote.protocol import Tool


class Bench(Tool):
    @staticmethod
    def thread(x):
        return x

    @staticmethod
    async def coroutine(x):
        return x

    @staticmethod
    def cpu():
        import time
        return time.process_time()
