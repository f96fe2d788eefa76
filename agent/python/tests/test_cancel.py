"""Cancel means cancel."""
import os
import sys
import time
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cancel_case import INTERRUPTS, MARKS, Case
from driver import Agent, Raised, until

TOOL = MARKS + '''
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

def prints():
    mark("begun")
    while True: print("x")

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

def swallows():
    while True:
        try:
            mark("begun")
            while not gate.acquire(False): pass
            return "went on"
        except BaseException:
            mark("swallowed")

def finishes():
    try:
        mark("begun")
        while True: time.sleep(0.001)
    except BaseException:
        return "finished"

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
'''
SLOW = """
import time
end = time.monotonic() + 0.2
while time.monotonic() < end: pass
value = "whole"
"""


class Cancel(Case):
    tool = TOOL

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
        self.agent.load("slow", SLOW)
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


if __name__ == "__main__":
    unittest.main()
