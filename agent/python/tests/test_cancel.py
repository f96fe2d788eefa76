"""Cancel means cancel. As a program, `test_cancel.py storm SECONDS`, it cancels calls at random for so long."""
import os
import random
import sys
import tempfile
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
from driver import RETURN, Agent, Raised, until

TOOL = '''
import os, sys, time, _thread

marks = []

def mark(word):
    """Says that a call has come so far."""
    marks.append(word)

def seen():
    return list(marks)

def busy():
    mark("begun")
    while True: pass

def naps():
    mark("begun")
    while True: time.sleep(0.01)

def nap():
    mark("begun")
    time.sleep(1000)

def long_nap_from_afar():
    from time import sleep
    mark("begun")
    sleep(999999)

def reads():
    mark("begun")
    while True:
        with open(__import__("os").devnull) as file: file.read()

def prints():
    mark("begun")
    while True: print("x")

def logs():
    import logging
    mark("begun")
    while True: logging.getLogger("x").debug("dropped")

def retries():
    mark("begun")
    while True:
        try:
            while True: len(str(marks))
        except Exception:
            mark("swallowed")

def cleans():
    try:
        mark("begun")
        while True: pass
    finally:
        # Long enough for a second exception, if there were one.
        for _ in range(100): time.sleep(0.001)
        mark("cleaned")

def cleans_after_sleep():
    try:
        mark("begun")
        time.sleep(1000)
    finally:
        for _ in range(100000): pass
        time.sleep(0.05)
        mark("cleaned")

gate = _thread.allocate_lock()
gate.acquire()

def swallows():
    while True:
        try:
            mark("begun")
            while not gate.acquire(False): pass
            return "went on"
        except BaseException:
            mark("swallowed")

def open_gate():
    gate.release()

def deep(n=50):
    if n: return deep(n - 1)
    return [x for x in forever()]

def forever():
    mark("begun")
    while True: pass
    yield

class Odd:
    def __iter__(self): return self
    def __next__(self): return 1

def in_a_native_function():
    mark("begun")
    return sum(Odd())

def waits():
    """In C, where it cannot be reached until that returns."""
    mark("begun")
    gate.acquire()
    gate.release()
    while True: pass

def finishes():
    try:
        mark("begun")
        while True: time.sleep(0.001)
    except BaseException:
        return "finished"

def catches():
    """Sees what it is."""
    try:
        busy()
    except BaseException as e:
        return [type(e).__name__, str(e), isinstance(e, Exception)]

def items():
    try:
        yield "begun"
        mark("begun")
        while True: pass
    finally:
        mark("cleaned")

async def cleans_slowly(word):
    import asyncio
    # Long enough for a second exception, if there were one.
    for _ in range(100): await asyncio.sleep(0.001)
    time.sleep(0.01)
    mark(word)

async def cleans_after_await():
    import asyncio
    try:
        mark("begun")
        await asyncio.sleep(1000)
    finally:
        await cleans_slowly("cleaned")

async def cleans_after_blocking_the_loop():
    try:
        mark("begun")
        time.sleep(1000)
    finally:
        await cleans_slowly("cleaned")

async def items_one_by_one():
    from rmote import agent
    call = next(call for call in list(agent.agent.calls.values()) if call.streamed)
    try:
        yield "begun"
        mark("begun")
        # The next is asked for by a task that has not been cancelled yet.
        while not call.cancelled: pass
        yield "more"
    finally:
        await cleans_slowly("cleaned")

def import_slowly():
    mark("begun")
    import slow
    return slow.value

# What the storm runs.

def count(n):
    total = 0
    for x in range(n): total += x
    return total

def lines(n):
    for x in range(n): print("line %d" % x)
    return n

def sizes(n):
    total = 0
    for _ in range(n):
        with open(sys.executable, "rb") as file: total += len(file.read(10))
    return total

def sleeps(n):
    for _ in range(n): time.sleep(0.001)
    return n

def record(n):
    import logging
    for x in range(n): logging.getLogger("storm").warning("record %d", x)
    return n

def fails(n):
    try:
        count(n)
    finally:
        raise ValueError(n)

def stubborn(n):
    for _ in range(20):
        try:
            return count(n)
        except BaseException:
            pass

def numbers(n):
    for x in range(n): yield x
    return n

async def waits_async(n):
    import asyncio
    for _ in range(n % 50): await asyncio.sleep(0.001)
    return n
'''
SLOW = """
import time
end = time.monotonic() + 0.2
while time.monotonic() < end: pass
value = "whole"
"""


def start():
    agent = Agent()
    agent.load_own("interrupt")
    agent.load("t", TOOL)
    agent.load("slow", SLOW)
    return agent


# PyPy cannot raise an exception in another thread.
INTERRUPTS = sys.implementation.name == "cpython"


class Case(unittest.TestCase):
    def setUp(self):
        self.agent = start()
        self.addCleanup(self.agent.close)

    def begin(self, function, *args, **kwargs):
        """Starts a call and waits until it is on its way."""
        id = self.agent.call(function, *args, **kwargs)
        until(lambda: "begun" in self.agent.run("t:seen"))
        return id

    def cancelled(self, id):
        self.agent.cancel(id)
        error = self.agent.error(id)
        self.assertEqual((error.by, error.type, error.message), ("cancelled", "Cancelled", "the call was cancelled"))
        self.assertNotIn("builtins.Exception", error.bases)
        self.assertEqual(self.agent.run("builtins.abs", -5), 5)
        return error

class Cancel(Case):
    def test_a_loop_that_prints(self):
        id = self.begin("t:prints")
        self.cancelled(id)
        # `print` writes a text and its line end one after the other: it may end between them.
        lines = self.agent.printed(id).split(b"\n")
        self.assertEqual(set(lines[:-1]), {b"x"})
        self.assertIn(lines[-1], (b"", b"x"))

    def test_sleeps(self):
        for function in ("naps", "nap", "long_nap_from_afar"):
            with self.subTest(function):
                self.setUp()
                self.cancelled(self.begin("t:" + function))

    def test_sleep_itself(self):
        id = self.agent.call("time.sleep", 1000)
        self.agent.run("os.getpid")
        self.cancelled(id)

    def test_sleep_is_otherwise_as_it_was(self):
        run, fails = self.agent.run, self.agent.fails
        self.assertEqual([run("time.sleep", seconds) for seconds in (0, 0.0, 0.001, True)], [None] * 4)
        for value in (-1, float("nan"), float("inf"), 1e300, 10 ** 30, "x", None):
            try:
                time.sleep(value)
            except Exception as e:
                self.assertEqual(fails("time.sleep", value).type, type(e).__name__)
        self.assertEqual(fails("time.sleep").by, "agent")

    def test_what_cleans_up_runs_whole_and_is_not_disturbed_again(self):
        for function in ("cleans", "cleans_after_sleep") if INTERRUPTS else ("cleans_after_sleep",):
            with self.subTest(function):
                self.setUp()
                self.cancelled(self.begin("t:" + function))
                self.assertEqual(self.agent.run("t:seen"), ["begun", "cleaned"])

    def test_what_a_coroutine_cleans_up_is_not_disturbed_again(self):
        # Python 3.6 does not know which call a sleep in a coroutine is of.
        for function in ("cleans_after_await", "cleans_after_blocking_the_loop") if sys.version_info >= (3, 7) else ("cleans_after_await",):
            with self.subTest(function):
                self.setUp()
                id = self.begin("t:" + function)
                self.agent.cancel(id)
                self.assertEqual(self.agent.error(id).by, "cancelled")
                self.assertEqual(self.agent.run("t:seen"), ["begun", "cleaned"])

    def test_what_a_stream_of_a_coroutine_cleans_up_is_not_disturbed_again(self):
        id = self.agent.stream("t:items_one_by_one")
        until(lambda: "begun" in self.agent.run("t:seen"))
        self.agent.cancel(id)
        self.assertEqual(self.agent.error(id).by, "cancelled")
        self.assertEqual(self.agent.run("t:seen"), ["begun", "cleaned"])

    def test_one_that_swallows_everything_goes_on(self):
        id = self.begin("t:swallows")
        self.agent.cancel(id)
        if INTERRUPTS:
            until(lambda: "swallowed" in self.agent.run("t:seen"))
        self.agent.cancel(id)
        for number in range(100):
            self.assertEqual(self.agent.run("builtins.abs", -number), number)
        self.agent.run("t:open_gate")
        self.assertEqual(self.agent.result(id), "went on")
        self.assertEqual(self.agent.run("t:seen").count("swallowed"), int(INTERRUPTS))

    def test_one_that_finishes_first(self):
        id = self.begin("t:finishes")
        self.agent.cancel(id)
        self.assertEqual(self.agent.result(id), "finished")

    def test_a_cancel_that_comes_after_the_answer(self):
        for number in range(100):
            id = self.agent.call("t:count", number)
            self.agent.result(id)
            self.agent.cancel(id)
            self.agent.cancel(id + 1000)
        self.assertEqual(self.agent.run("t:count", 10), 45)

    def test_twice(self):
        id = self.begin("t:nap")
        self.agent.cancel(id)
        self.cancelled(id)

    def test_an_import_is_not_torn(self):
        id = self.begin("t:import_slowly")
        self.agent.cancel(id)
        try:
            self.agent.result(id)
        except Raised as error:
            self.assertEqual(error.by, "cancelled")
        self.assertEqual(self.agent.run("t:import_slowly"), "whole")

    def test_deadlines(self):
        for function in ("busy", "nap") if INTERRUPTS else ("nap",):
            for deadline in (20, 400):
                error = self.agent.fails("t:" + function, deadline=deadline)
                self.assertEqual((error.by, error.type), ("cancelled", "Cancelled"))
        self.assertEqual(self.agent.run("t:count", 10, deadline=60000), 45)

    def test_without_the_module(self):
        agent = Agent()
        self.addCleanup(agent.close)
        agent.load("t", TOOL)
        id = agent.call("t:swallows")
        agent.cancel(id)
        agent.run("t:open_gate")
        self.assertEqual(agent.result(id), "went on")
        id = agent.call("t:nap")
        agent.cancel(id)
        self.assertEqual(agent.error(id).by, "cancelled")

    def test_storm(self):
        storm(self.agent, 400)


if INTERRUPTS:
    class Interrupts(Case):
        def test_loops(self):
            for function in ("busy", "reads", "logs", "retries", "deep", "in_a_native_function"):
                with self.subTest(function):
                    self.setUp()
                    self.cancelled(self.begin("t:" + function))
                    self.assertNotIn("swallowed", self.agent.run("t:seen"))

        def test_a_call_whose_module_is_still_imported(self):
            with tempfile.TemporaryDirectory() as folder:
                gate = os.path.join(folder, "gate")
                source = "import os\nwhile not os.path.exists(%r): pass\ndef spin():\n    while True: pass\n" % gate
                self.agent.load("gated", source)
                id = self.agent.call("gated:spin")
                self.agent.run("os.getpid")
                self.agent.cancel(id)
                # Read by now, and a tick has passed.
                self.agent.run("time.sleep", 0.05)
                open(gate, "w").close()
                self.assertEqual(self.agent.error(id).by, "cancelled")

        def test_a_loop_is_left_where_it_was(self):
            error = self.cancelled(self.begin("t:deep"))
            self.assertEqual([frame[2] for frame in error.traceback][-2:], ["<listcomp>", "forever"] if sys.version_info < (3, 12) else ["deep", "forever"])

        def test_what_cleans_up_runs_whatever_loop_is_left(self):
            # Compilers leave the jumps of some out of the try. All look for an exception in more than one place.
            loops = (
                "while not no(): pass", "while not no(): nothing()", "while True:\n   if no(): return",
                "while True:\n   if no(): break", "while True: nothing()", "for x in forever(): pass",
                "for x in forever():\n   if x: nothing()", "while not lock.acquire(False): pass")
            source = "import _thread\nfrom t import mark\nlock = _thread.allocate_lock()\nlock.acquire()\n" \
                     "def no(): return False\ndef nothing(): pass\ndef forever():\n while True: yield 1\n"
            for number, loop in enumerate(loops):
                source += "def f%d():\n try:\n  mark('begun')\n  %s\n finally:\n  mark('cleaned')\n" % (number, loop)
            self.agent.load("loops", source)
            for turn in range(5):
                for number, loop in enumerate(loops):
                    with self.subTest(loop):
                        self.cancelled(self.begin("loops:f%d" % number))
                        self.assertEqual(self.agent.run("t:seen"), ["begun", "cleaned"])
                        self.agent.run("t:marks.clear")

        def test_the_exception_can_be_seen(self):
            id = self.begin("t:catches")
            self.agent.cancel(id)
            self.assertEqual(self.agent.result(id), ["Cancelled", "the call was cancelled", False])

        def test_one_that_waits_in_native_code_ends_when_it_returns(self):
            id = self.begin("t:waits")
            self.agent.cancel(id)
            self.agent.run("t:open_gate")
            self.assertEqual(self.agent.error(id).type, "Cancelled")

        def test_a_stream(self):
            id = self.agent.stream("t:items")
            until(lambda: self.agent.run("os.getpid") and self.agent.items.get(id))
            until(lambda: "begun" in self.agent.run("t:seen"))
            self.cancelled(id)
            self.assertEqual(self.agent.run("t:seen"), ["begun", "cleaned"])


EXPECTED = {
    "count": lambda n: sum(range(n)),
    "lines": lambda n: n,
    "sizes": lambda n: 10 * n,
    "sleeps": lambda n: n,
    "record": lambda n: n,
    "stubborn": lambda n: sum(range(n)),
    "waits_async": lambda n: n,
    "numbers": lambda n: n,
    "fails": None,
}
SIZES = {"count": 500000, "lines": 500, "sizes": 1000, "sleeps": 50, "record": 300, "stubborn": 500000, "waits_async": 1000, "numbers": 2000, "fails": 500000}


def storm(agent, calls, seconds=None, seed=None):
    """Cancels calls at random while others run; what is not cancelled must be right, and so must be every frame."""
    chance = random.Random(seed)
    end = time.monotonic() + (seconds or 0)
    flying, told = {}, set()
    counts = {"cancelled": 0, "finished first": 0, "untouched": 0}

    def check(id):
        name, size = flying.pop(id)
        try:
            value = agent.result(id)
        except Raised as error:
            if id in told and error.by == "cancelled":
                counts["cancelled"] += 1
                return
            assert name == "fails" and (error.by, error.type, error.given) == ("function", "ValueError", [size]), error
        else:
            assert value == EXPECTED[name](size), (name, size, value)
            if name == "lines" and id not in told:
                assert agent.printed(id) == b"".join(b"line %d\n" % x for x in range(size))
            if name == "numbers":
                assert agent.items.pop(id, []) == list(range(size))
        del agent.returned[id]
        agent.outputs.pop((id, 1), None)
        counts["finished first" if id in told else "untouched"] += 1

    number = 0
    while number < calls if seconds is None else time.monotonic() < end:
        number += 1
        name = chance.choice(sorted(EXPECTED))
        size = chance.randrange(SIZES[name])
        call = agent.stream if name == "numbers" else agent.call
        flying[call("t:" + name, size, deadline=chance.choice((0, 0, 0, 60000)))] = name, size
        for _ in range(chance.randrange(3)):
            agent.call("t:count", 3)
            flying[agent.last] = "count", 3
        if chance.random() < 0.6:
            id = chance.choice(sorted(flying)[-4:])
            told.add(id)
            agent.cancel(id)
        while len(flying) > 20:
            check(chance.choice(sorted(flying)))
        del agent.logs[:], agent.order[:]
    for id in sorted(flying):
        check(id)
    assert agent.run("t:count", 4) == 6
    assert counts["untouched"], counts
    return counts


if __name__ == "__main__":
    if sys.argv[1:2] == ["storm"]:
        seed = random.randrange(1 << 32)
        agent = start()
        try:
            print(sys.version.split()[0], "seed", seed, storm(agent, 0, float(sys.argv[2]), seed), flush=True)
        finally:
            agent.close()
    else:
        unittest.main()
