"""Whatever a tool does hurts its own call alone, as far as Python allows."""
import os
import select
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
import driver
from driver import Agent

TOOL = r'''
import asyncio, gc, os, signal, sys, threading, time

def prints():
    print("print")
    print("error", file=sys.stderr)
    print("no end", end="")

def writes():
    sys.stdout.buffer.write(b"bytes\xff\n")
    sys.stdout.flush()
    os.write(1, b"one\n")
    os.write(2, b"two\n")
    os.system("echo child; echo child2 >&2")

def shell(command): os.system(command)
def surrogates(): print("\udc80\ud800")
def wrapper():
    import io
    io.TextIOWrapper(sys.stdout.buffer, "latin-1", write_through=True).write("\xe4")
def floods(): os.system("head -c 3000000 /dev/zero")
def writes_late():
    from rmote.agent import agent
    def hear():
        # As the watcher does.
        with agent.writing: agent.hear(agent.pending)
    def send(*frame):
        del agent.send
        os.write(1, b"late")
        other = threading.Thread(target=hear)
        other.start()
        other.join()
        agent.send(*frame)
    agent.send = send
def reads(): return sys.stdin.read(), os.read(0, 10)
def wants_input(): return input()
def raise_(name, *args): raise eval(name)(*args)
async def async_raise(name, *args): raise eval(name)(*args)
async def async_leaves(name):
    async def left(): raise eval(name)
    task = asyncio.get_event_loop().create_task(left())
    for _ in range(3): await asyncio.sleep(0)
    return task.done()
async def stops_the_loop(): asyncio.get_event_loop().stop(); await asyncio.sleep(0.01); return 1
async def factory(): asyncio.get_event_loop().set_task_factory(lambda *_, **__: 1 / 0)
def reset_factory():
    from rmote import agent
    loop = agent.agent.loop.loop
    loop.call_soon_threadsafe(loop.set_task_factory, None)
class Await:
    def __await__(self): raise ValueError("await")
def awaits(): return Await()
def exits(): sys.exit(3)
def recurses(): return recurses()
def thread_exits(): threading.Thread(target=sys.exit).start()
def closes():
    for number in range(21):
        try: os.close(number)
        except OSError: pass
    return "closed"
async def loops(): return 1
def no_stdout(): sys.stdout = None; sys.stderr = None
def closes_stdout(): sys.stdout.close(); print("closed"); sys.stderr.close()
def dups(path):
    fd = os.open(path, os.O_CREAT | os.O_WRONLY)
    os.dup2(fd, 1); os.dup2(fd, 2); os.dup2(fd, 0)
    os.write(1, b"x")
def threads():
    def run():
        for _ in range(100): print("t" * 10)
    all = [threading.Thread(target=run) for _ in range(10)]
    for thread in all: thread.start()
    for thread in all: thread.join()
def late_thread():
    threading.Thread(target=lambda: (time.sleep(0.2), print("late"))).start()
def alarms(): signal.alarm(1); time.sleep(0.01); os.kill(os.getpid(), signal.SIGALRM); os.kill(os.getpid(), signal.SIGINT); return 1
def interrupts():
    import _thread
    _thread.interrupt_main()
class Garbage:
    def __init__(self): self.me = self
    def __del__(self): print("gone")
def garbage():
    for _ in range(2000): Garbage()
    gc.collect()
    return [Garbage() and number for number in range(2000)]
def no_modules():
    for name in list(sys.modules):
        if name.startswith("rmote") or name in ("enum", "os", "struct", "zlib", "time", "io"): del sys.modules[name]
def recursion(limit):
    try: sys.setrecursionlimit(limit)
    except RecursionError: return False
    return [[1], {2: (3,)}]
def patches():
    import select
    def bad(*args, **kwargs): raise RuntimeError("patched")
    for module, names in ((os, "read write pipe dup dup2 close fstat kill killpg getpid getpgrp listdir _exit"), (time, "sleep monotonic time"), (select, "select poll"), (threading, "Thread")):
        for name in names.split(): setattr(module, name, bad)
def builtin():
    import builtins
    for name in "len isinstance type list dict str bytes int repr print open getattr hasattr set tuple map max min range issubclass callable __import__".split():
        setattr(builtins, name, None)
def chdirs(): os.chdir("/"); os.umask(0o777); os.environ.clear()
def switches(): sys.setswitchinterval(0.0005)
def fork_returns():
    pid = os.fork()
    return pid and os.waitpid(pid, 0)[1]
def fork_raises():
    pid = os.fork()
    if not pid: raise ValueError
    return os.waitpid(pid, 0)[1] >> 8
def fork_exits(code):
    pid = os.fork()
    if not pid: sys.exit(code)
    return os.waitpid(pid, 0)[1] >> 8
def fork_prints():
    print("before", end="")
    pid = os.fork()
    if not pid:
        print("in the child"); sys.stdout.flush(); sys.stderr.write("err\n")
        import logging
        logging.warning("dropped")
        os._exit(0)
    return os.waitpid(pid, 0)[1]
def many():
    import multiprocessing
    context = multiprocessing.get_context("fork")
    queue = context.SimpleQueue()
    process = context.Process(target=queue.put, args=(5,))
    process.start()
    value = queue.get()
    process.join()
    return value, process.exitcode
def runs(): import asyncio; return asyncio.new_event_loop().run_until_complete(loops())
def thread_fails():
    failing = threading.Thread(target=lambda: 1 / 0)
    failing.start()
    # Its traceback is to be printed before the next call.
    failing.join()
def traces():
    sys.setprofile(lambda *_: None)
    return 1
def replaces_handlers():
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGALRM): signal.signal(number, signal.SIG_DFL)
def getpid(): return os.getpid()
'''


class Hostile(unittest.TestCase):
    def setUp(self):
        self.agent = self.start()

    def start(self):
        agent = Agent()
        agent.load("t", TOOL)
        self.addCleanup(agent.close)
        return agent

    def lives(self):
        """The agent works as before: calls, errors, prints, coroutines."""
        agent = self.agent
        self.assertEqual(agent.run("builtins.sorted", [3, 1]), [1, 3])
        error = agent.fails("t:raise_", "ValueError", "x")
        self.assertEqual((error.by, error.type, error.message, error.given), ("function", "ValueError", "x", ["x"]))
        self.assertEqual(error.traceback[-1][:3:2], ("t.py", "raise_"))
        id = agent.call("t:prints")
        agent.result(id)
        self.assertEqual((agent.printed(id), agent.printed(id, 2)), (b"print\nno end", b"error\n"))

    def wait_for(self, what):
        """Lets the agent come to rest now and then: it puts some things back only then."""
        def rested():
            select.select([self.agent.process.stdout], [], [], 0.25)
            return what()
        driver.until(rested)

    def writes(self):
        id = self.agent.call("t:writes")
        self.agent.result(id)
        return self.agent.printed(id).endswith(b"bytes\xff\none\nchild\n") and self.agent.printed(id, 2).endswith(b"two\nchild2\n")

    def test_prints(self):
        self.lives()
        agent = self.agent
        self.assertTrue(self.writes())
        id = agent.call("t:surrogates")
        agent.result(id)
        self.assertEqual(agent.printed(id), b"\\udc80\\ud800\n")
        id = agent.call("t:wrapper")
        agent.result(id)
        self.assertEqual(agent.printed(id), b"\xe4")
        id = agent.call("t:floods")
        agent.result(id)
        self.assertEqual(agent.printed(id), bytes(3000000))
        self.lives()

    def test_what_is_read_beside_an_answer_is_of_its_call(self):
        # Another thread may read the descriptors just before the answer waits to be written.
        id = self.agent.call("t:writes_late")
        self.agent.result(id)
        self.assertEqual(self.agent.printed(id), b"late")
        self.lives()

    def test_reads(self):
        self.assertEqual(self.agent.run("t:reads"), ("", b""))
        self.assertEqual(self.agent.fails("t:wants_input").type, "EOFError")

    def test_raises_anything(self):
        agent = self.agent
        for name in ("KeyboardInterrupt", "SystemExit", "GeneratorExit", "StopIteration", "StopAsyncIteration", "asyncio.CancelledError", "BaseException", "MemoryError", "RecursionError"):
            for function in ("t:raise_", "t:async_raise"):
                error = agent.fails(function, name)
                self.assertEqual(error.by, "function")
                if name == "StopIteration" and "async" in function:
                    self.assertEqual((error.type, error.described["cause"]["type"]), ("RuntimeError", "StopIteration"))
                else:
                    self.assertEqual(error.type, name.split(".")[-1])
        error = agent.fails("t:exits")
        self.assertEqual((error.type, error.given), ("SystemExit", [3]))
        error = agent.fails("t:recurses")
        self.assertEqual((error.type, len(error.traceback)), ("RecursionError", 64))
        agent.run("t:thread_exits")
        self.assertEqual(agent.fails("t:awaits").message, "await")
        self.lives()

    def test_coroutines_that_harm_the_loop(self):
        agent = self.agent
        for name in ("SystemExit", "KeyboardInterrupt", "ValueError"):
            agent.run("t:async_leaves", name)
            self.assertEqual(agent.run("t:loops"), 1)
        self.assertEqual(agent.run("t:stops_the_loop"), 1)
        self.assertEqual(agent.run("t:loops"), 1)
        agent.run("t:factory")
        self.assertEqual(agent.fails("t:loops").type, "ZeroDivisionError")
        agent.run("t:reset_factory")
        self.assertEqual(agent.run("t:loops"), 1)
        self.assertEqual(agent.run("t:runs"), 1)
        self.lives()

    def test_closed_descriptors(self):
        agent = self.agent
        self.assertEqual(agent.run("t:loops"), 1)
        self.assertEqual(agent.run("t:closes"), "closed")
        self.lives()
        self.assertEqual(agent.run("t:loops"), 1)
        self.wait_for(self.writes)
        self.assertEqual(agent.run("t:reads"), ("", b""))

    def test_replaced_descriptors(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "file")
            self.agent.run("t:dups", path)
            with open(path, "rb") as file:
                self.assertEqual(file.read(), b"x")
            self.lives()
            self.wait_for(self.writes)
            self.assertEqual(self.agent.run("t:reads"), ("", b""))

    def test_standard_output_gone(self):
        for name in ("t:no_stdout", "t:closes_stdout"):
            self.agent.run(name)
            self.lives()

    def test_threads(self):
        agent = self.agent
        id = agent.call("t:threads")
        agent.result(id)
        printed = agent.printed(id) + agent.printed(0)
        self.assertEqual((printed.count(b"t"), printed.count(b"\n")), (10000, 1000))
        agent.run("t:late_thread")
        while b"late\n" not in agent.output():
            agent.serve()
        self.lives()

    def test_signals(self):
        agent = self.agent
        for name in ("t:alarms", "t:interrupts", "t:alarms"):
            agent.run(name)
        self.assertEqual(agent.fails("t:replaces_handlers").type, "ValueError")
        self.lives()
        self.assertEqual(agent.run("t:loops"), 1)
        agent.run("t:alarms")
        self.lives()

    def test_finalizers_that_print(self):
        agent = self.agent
        for _ in range(5):
            self.assertEqual(agent.run("t:garbage"), list(range(2000)))
        self.lives()

    def test_modules_taken_away(self):
        agent = self.agent
        agent.run("t:no_modules")
        self.lives()
        agent.run("t:no_modules")
        self.assertEqual(agent.run("t:loops"), 1)
        self.assertEqual(agent.fails("t:async_raise", "KeyError").type, "KeyError")

    def test_recursion_limit(self):
        agent = self.agent
        for limit in range(5, 60, 3):
            id = agent.call("t:recursion", limit)
            try:
                self.assertIn(agent.result(id), (False, [[1], {2: (3,)}]))
            except driver.Raised as error:
                self.assertEqual(error.type, "RecursionError")
        self.lives()

    def test_patched_modules(self):
        self.agent.run("t:patches")
        for _ in range(3):
            error = self.agent.fails("t:raise_", "ValueError", "x")
            self.assertEqual((error.type, error.message), ("ValueError", "x"))
            self.agent.run("t:prints")
            # What a child writes is read by another thread.
            self.agent.run("t:shell", "echo x")
            while self.agent.output().count(b"x") <= _:
                self.agent.serve()

    @unittest.skipIf(sys.implementation.name == "pypy", "PyPy has one set of builtins for all")
    def test_patched_builtins(self):
        agent = self.agent
        # Python itself cannot import without them, so what follows has been called before.
        agent.run("t:getpid")
        agent.fails("t:exits")
        agent.run("t:builtin")
        self.assertEqual(agent.run("t:getpid"), agent.pid)
        for _ in range(3):
            error = agent.fails("t:exits")
            # Pythons before 3.8 cannot even find what they have imported.
            if sys.version_info >= (3, 8):
                self.assertEqual((error.type, error.given, error.traceback[-1][0]), ("SystemExit", [3], "t.py"))
        self.assertEqual(agent.fails("t:nope").by, "function")

    def test_forks(self):
        agent = self.agent
        for _ in range(3):
            self.assertEqual(agent.run("t:fork_returns"), 0)
            self.assertEqual(agent.run("t:fork_raises"), 1)
            self.assertEqual([agent.run("t:fork_exits", code) for code in (None, 0, 3, "words")], [0, 0, 3, 1])
        id = agent.call("t:fork_prints")
        self.assertEqual(agent.result(id), 0)
        self.assertIn(b"in fork_raises", agent.output(2))
        self.assertEqual((agent.printed(id).replace(b"before", b""), agent.printed(id, 2)), (b"in the child\n", b"err\n"))
        self.assertEqual(agent.printed(id).count(b"before"), 1)
        self.assertEqual(agent.run("t:many"), (5, 0))
        self.lives()

    def test_other_state_of_the_process(self):
        agent = self.agent
        for name in ("t:chdirs", "t:switches", "t:thread_fails", "t:traces"):
            agent.run(name)
            self.lives()


if __name__ == "__main__":
    unittest.main()
