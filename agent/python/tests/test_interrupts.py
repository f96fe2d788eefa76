"""Calls that are left in the middle of a loop."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from cancel_case import INTERRUPTS, MARKS, Case
from driver import until

TOOL = MARKS + '''
def reads():
    mark("begun")
    while True:
        with open(__import__("os").devnull) as file: file.read()

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
'''


if INTERRUPTS:
    class Interrupts(Case):
        tool = TOOL

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


if __name__ == "__main__":
    unittest.main()
