"""Does what no tool should, and what some do."""
import os
import sys
import threading


class OddError(Exception):
    def __init__(self, first, second):
        super().__init__(first)
        self.second = second

    def __str__(self):
        raise RuntimeError("no text")


class Hostile:
    @staticmethod
    def value_error(text):
        # The line below is quoted in the traceback.
        raise ValueError("bad " + text, 7)

    @staticmethod
    def cause():
        try:
            Hostile.value_error("input")
        except ValueError as error:
            raise KeyError("outer") from error

    @staticmethod
    def context():
        try:
            Hostile.value_error("input")
        except ValueError:
            return {}["missing"]

    @staticmethod
    def odd():
        raise OddError(1, lambda: 2)

    @staticmethod
    def made_at_run_time():
        raise type("Made\x1b[2J", (Exception,), {})("text \x1b[2J\u202e")

    @staticmethod
    def long():
        raise ValueError("x" * (1 << 20))

    @staticmethod
    def exit():
        sys.exit(3)

    @staticmethod
    def interrupt():
        raise KeyboardInterrupt

    @staticmethod
    def stop():
        raise StopIteration(1)

    @staticmethod
    def generator_exit():
        raise GeneratorExit

    @staticmethod
    async def async_exit():
        sys.exit(4)

    @staticmethod
    async def async_cancelled():
        import asyncio
        raise asyncio.CancelledError

    @staticmethod
    async def async_stop():
        raise StopAsyncIteration

    @staticmethod
    def a_lambda():
        return {"items": [1, {"callback": lambda: 0}]}

    @staticmethod
    def deep():
        value = []
        for _ in range(100000):
            value = [value]
        return value

    @staticmethod
    def cycle():
        value = []
        value.append(value)
        return value

    @staticmethod
    def recurse():
        return Hostile.recurse()

    @staticmethod
    def large(size):
        return b"\0" * size

    @staticmethod
    def fork():
        pid = os.fork()
        if not pid:
            return "child"
        os.waitpid(pid, 0)
        return "parent"

    @staticmethod
    def close_descriptors():
        os.close(1)
        os.close(2)
        return "done"

    @staticmethod
    def read_input():
        return sys.stdin.read() if sys.stdin else "", os.read(0, 100)

    @staticmethod
    def thread_dies():
        thread = threading.Thread(target=Hostile.value_error, args=("thread",))
        thread.start()
        thread.join()
        return "done"

    @staticmethod
    def no_arguments():
        return "done"
