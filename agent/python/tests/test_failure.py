import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401

from rmote.failure import describe
from rmote.wire import decode, encode


class Sources:
    table = {"known": (b"one\n  two  \nthree", "known.py", False)}


def caught(function):
    try:
        function()
    except BaseException as error:
        return error
    raise AssertionError("nothing was raised")


def raiser(error):
    def raises():
        raise error
    return raises


class Bad:
    """Raises whatever is asked of it."""

    def __get__(self, *_):
        raise KeyboardInterrupt

    __str__ = __repr__ = __iter__ = __len__ = __eq__ = lambda *_: 1 / 0
    __hash__ = object.__hash__


class Describe(unittest.TestCase):
    def describe(self, error):
        """The description, as it arrives."""
        return decode(bytes(encode(describe(error, "function", Sources))))

    def test_plain(self):
        error = caught(lambda: [][1])
        described = self.describe(error)
        self.assertEqual(
            [described[key] for key in ("by", "type", "module", "bases", "message", "args", "notes", "explicit")],
            ["function", "IndexError", "builtins", ["IndexError", "LookupError", "Exception", "BaseException"], "list index out of range",
             ["list index out of range"], [], False])
        file, line, function, text = described["traceback"][-1]
        self.assertEqual((os.path.basename(file), function, text), ("test_failure.py", "<lambda>", "error = caught(lambda: [][1])"))
        self.assertNotIn("errno", described)

    def test_errors_of_the_system(self):
        described = self.describe(caught(lambda: open("/no/such/\udcff")))
        self.assertEqual((described["errno"], described["filename"]), (2, "/no/such/\udcff"))
        described = self.describe(caught(lambda: open(b"/no/such/\xff")))
        self.assertEqual((described["errno"], described["filename"]), (2, "/no/such/\udcff"))
        for values in ((True, "x"), ("2", "x"), (2.5, "x", Bad()), (None, None), (1 << 70, "x", 5)):
            described = self.describe(OSError(*values))
            self.assertIsNone(described["filename"])
            self.assertIn(type(described["errno"]), (type(None), int))

    def test_causes(self):
        def explicit():
            try:
                raise KeyError("inner")
            except KeyError as error:
                raise ValueError("outer") from error

        def implicit():
            try:
                raise KeyError("inner")
            except KeyError:
                raise ValueError("outer")

        def hidden():
            try:
                raise KeyError("inner")
            except KeyError:
                raise ValueError("outer") from None

        described = self.describe(caught(explicit))
        self.assertEqual((described["cause"]["message"], described["explicit"]), ("'inner'", True))
        described = self.describe(caught(implicit))
        self.assertEqual((described["cause"]["message"], described["explicit"]), ("'inner'", False))
        self.assertNotIn("cause", self.describe(caught(hidden)))

    def test_long_and_cyclic_chains(self):
        one, two = ValueError(1), ValueError(2)
        one.__cause__, two.__cause__ = two, one
        self.assertEqual(self.depth(self.describe(one)), 9)
        error = ValueError(0)
        for number in range(10000):
            outer = ValueError(number)
            outer.__context__ = error
            error = outer
        self.assertEqual(self.depth(self.describe(error)), 9)

    def depth(self, described):
        return 1 + self.depth(described["cause"]) if "cause" in described else 1

    def test_notes_and_groups(self):
        error = ValueError()
        error.__notes__ = ["one", "two"]
        self.assertEqual(self.describe(error)["notes"], ["one", "two"])
        for notes in (5, Bad(), [Bad()], {}, None):
            error.__notes__ = notes
            self.assertEqual(self.describe(error)["notes"], [])

        class Group(Exception):
            exceptions = [KeyError("x"), ValueError(Bad()), 5]

        self.assertEqual(self.describe(Group())["notes"], ["holds KeyError: 'x'", "holds ValueError: <no text: str() of it failed>", "holds int: 5"])
        for exceptions in (5, Bad(), None, "ab"):
            Group.exceptions = exceptions
            self.describe(Group())
        if sys.version_info >= (3, 11):
            self.assertEqual(self.describe(eval("ExceptionGroup('g', [KeyError('x')])"))["notes"], ["holds KeyError: 'x'"])

    def test_hostile_classes(self):
        class Meta(type):
            __name__ = __module__ = __mro__ = property(lambda self: 1 / 0)
            __str__ = __repr__ = __instancecheck__ = __subclasscheck__ = __hash__ = __getattribute__ = lambda *_: 1 / 0

        class Numbers(type):
            __module__ = property(lambda self: 5)

            def mro(cls):
                return [cls, ValueError, Exception, BaseException, object]

        class Everything(BaseException, metaclass=Meta):
            args = __cause__ = __context__ = __traceback__ = __suppress_context__ = __notes__ = exceptions = __class__ = Bad()
            __str__ = __repr__ = __getattribute__ = lambda *_: 1 / 0

        class System(OSError):
            errno = filename = Bad()

        class Text(str):
            __getitem__ = __len__ = encode = lambda *_: 1 / 0

        class Subclass(Exception):
            def __str__(self):
                return Text("text")

        class Odd(Exception):
            __module__ = 5

        for error in (Everything(), caught(raiser(Everything())), Numbers("N", (ValueError,), {})(), System(2, "x"), Odd()):
            described = self.describe(error)
            self.assertEqual(described["by"], "function")
            self.assertTrue(all(type(base) is str for base in described["bases"]))
        self.assertEqual(self.describe(Subclass())["message"], "text")
        self.assertEqual(self.describe(Everything())["message"], "<no text: str() of it failed>")

    def test_hostile_texts(self):
        class Stop(Exception):
            def __str__(self):
                raise KeyboardInterrupt

        class Deep(Exception):
            def __str__(self):
                return str(self)

        class Long(Exception):
            def __str__(self):
                return "\u00e4" * (1 << 20)

        class Half(Exception):
            def __str__(self):
                return "\udc80"

        class Number(Exception):
            def __str__(self):
                return 5

        for error in (Stop(), Deep(), Number()):
            self.assertEqual(self.describe(error)["message"], "<no text: str() of it failed>")
        self.assertEqual(len(self.describe(Long())["message"]), 65536)
        self.assertEqual(self.describe(Half())["message"], "\udc80")

    def test_arguments(self):
        self.assertEqual(self.describe(ValueError(1, "x", [2]))["args"], [1, "x", [2]])
        for bad in (object(), Bad(), "x" * (1 << 17)):
            self.assertIsNone(self.describe(ValueError(1, bad))["args"])
        cycle = []
        cycle.append(cycle)
        self.assertIsNone(self.describe(ValueError(cycle))["args"])

    def test_deep_stacks(self):
        def recurse():
            return recurse()

        described = self.describe(caught(recurse))
        self.assertEqual((described["type"], len(described["traceback"])), ("RecursionError", 64))

        def near(levels):
            # Describes with little of the stack left.
            if levels:
                return near(levels - 1)
            return describe(ValueError("x"), "function", Sources)

        for room in range(30, 120, 5):
            try:
                described = near(sys.getrecursionlimit() - self.frames() - room)
            except RecursionError:
                continue
            self.assertEqual(described["type"], "ValueError")

    def frames(self):
        frame, count = sys._getframe(), 0
        while frame:
            frame, count = frame.f_back, count + 1
        return count

    def test_source_lines(self):
        names = {}
        exec(compile("\ndef f():\n    raise ValueError", "known.py", "exec"), names)
        self.assertEqual(self.describe(caught(names["f"]))["traceback"][-1], ("known.py", 3, "f", "three"))
        for file in ("<string>", "/no/such", "", "\udcff", "/dev/zero", "/", "a\0b"):
            names = {}
            try:
                exec(compile("def f(): raise ValueError", file, "exec"), names)
            except (ValueError, UnicodeError):
                # This Python takes no such name.
                continue
            self.assertIsNone(self.describe(caught(names["f"]))["traceback"][-1][3])


if __name__ == "__main__":
    unittest.main()
