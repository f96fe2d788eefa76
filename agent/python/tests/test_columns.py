import collections
import enum
import os
import random
import subprocess
import sys
import types
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
import column_reader
import driver
from driver import Agent
from test_wire import same

from rmote import columns, values, wire
from rmote.values import Encoder, Member, NotData, Record, TooLarge, encode
from rmote.wire import decode

TAGS = {list: 8, tuple: 9, set: 10, frozenset: 10}
# Columns are written on PyPy too, where they only do not pay.
columns.PAYS = True

TOOL = """
import enum, types
class State(enum.Enum):
    ON = "on"
    OFF = "off"
def rows(count): return [{"id": i, "name": "n%d" % i, "on": i % 2 == 0, "owner": None if i % 3 else "o"} for i in range(count)]
def states(count): return [State.ON, State.OFF] * count
def bad(count): return rows(count) + [{"id": 0, "name": "x", "on": {"callback": rows}, "owner": None}]
def large(count): return ["x" * 1000] * count
def stream(count): yield from (list(range(count)) for _ in range(3))
"""


class Color(enum.Enum):
    RED = 1
    GREEN = "g"


class Number(enum.IntEnum):
    ONE = 1
    TWO = 2


class Text(str):
    pass


Pair = collections.namedtuple("Pair", "a b")


class Slots:
    """Like a dataclass, which Python 3.6 has not."""

    __slots__ = ("x", "y")
    __dataclass_fields__ = {"x": 0, "y": 0}

    def __init__(self, x, y):
        self.x, self.y = x, y


def by_columns(value, limit=wire.LIMIT):
    """The bytes as columns, or None where the plain form is taken."""
    encoder = Encoder(limit)
    if columns.write(encoder, TAGS[type(value)], value):
        assert (encoder.depth, encoder.plain) == (0, False)
        return bytes(encoder.out)
    assert (bytes(encoder.out), encoder.depth, encoder.items, encoder.names, encoder.plain) == (b"", 0, 0, 0, False)


class Both(unittest.TestCase):
    def check(self, value, kind=None):
        """That columns are the same value, and of which kind they are."""
        data = by_columns(value)
        self.assertIsNotNone(data, value)
        read, plain = column_reader.read(data), decode(bytes(encode(value)))
        self.assertTrue(same(read, plain), (read, plain))
        count, at = wire.varint(data, 2)
        if kind is not None:
            self.assertEqual(data[at], kind, value)
        return data[at:]

    def test_every_kind(self):
        namespace = types.SimpleNamespace
        for kind, values in (
            (0, ([None], [None, 1], (None, "a", None), [None, [1], [2]])),
            (1, ([True, False], (True,))),
            (2, ([0], [127, -128], [128], [-129], [1 << 15], [1 << 31, 0], [(1 << 63) - 1, -1 << 63])),
            (4, ([0.5, -0.0, float("inf"), float("nan")],)),
            (5, (["a", "", "b" * 300], ["\u00e4", "\U0001f600", "x"], ["x" * 70000, ""])),
            (7, ([b"a", b"", b"\xff" * 300],)),
            (8, ([[], [1]], [[1, None], [2, "x"], []], [[0] * 65] * 70)),
            (9, ([(), (1,)],)),
            (10, ([{1}, set(), {2, 3}], [frozenset([1])])),
            (11, ([{"a": 1, "b": None}, {"a": 2, "b": "x"}], [{"a": {"b": 1}}], ({"": b""},))),
            (12, (
                [Pair(1, "x"), Pair(2, None)], [Slots(1, 2), Slots(None, [1])], [namespace(a=1), namespace(a="x")],
                [Record("R", a=1), Record("R", a=2)], [subprocess.CompletedProcess(["x"], 0), subprocess.CompletedProcess(["y"], 1)],
            )),
            (13, ([Color.RED, Color.GREEN, Color.RED], [Number.ONE, Number.TWO], [Member("E", "M", 1)])),
            (14, ([[1, "a"], [2, "b"]], [[1], [2]])),
            (15, ([(1, "a"), (2, None)], [(1, (2, 3)), (4, (5, 6))], {(1, 2), (3, 4)}, frozenset([(1, 2), (3, 4)]))),
        ):
            for value in values:
                with self.subTest(value):
                    self.check(value, kind)
        # Nested ones that have no column of their own kind are written one by one.
        for value in (
            [{"a": 1}, {"a": "x"}], [{"a": 1 << 64}, {"a": 2}], [{"a": "\udc80"}, {"a": "x"}], [{"a": Text("x")}], [{"a": Number.ONE}, {"a": 1}],
            [(1, {"a": 1}), (1, {"b": 1})], [{"a": {}}, {"a": {}}], [(1, memoryview(b"x")), (2, bytearray(b"y"))], [{"a": True}, {"a": 1}],
            [{"a": [1]}, {"a": ["x", None]}], [{"a": collections.OrderedDict(b=1)}], [(None, 1), (1, 2), ("x", 3)],
        ):
            with self.subTest(value):
                self.assertIn(b"\x10", self.check(value))

    def test_narrow_numbers(self):
        self.assertEqual([self.check([number])[1] for number in (127, -128, 128, -129, 32767, -32768, 32768, -32769, 1 << 31, -1 << 31)], [1, 1, 2, 2, 2, 2, 4, 4, 8, 4])

    def test_what_stays_plain(self):
        class Lists(list):
            pass

        class Longer(Pair):
            def __iter__(self):
                return iter((1, 2, 3))

        for value in (
            [1, "x"], [1, 1.5], [True, 1], [1 << 63], ["\udc80"], ["\ud83d", "\ude00"], [Text("x")], [Lists()], [{}], [{1: 2}], [{"a": 1}, {"b": 1}],
            [{"a": 1, "b": 2}, {"b": 2, "a": 1}], [{"a": 1}, {"a": 1, "b": 2}], [{Text("a"): 1}], [Color.RED, Number.ONE], [Longer(1, 2)], [Record("R", a=1), Record("S", a=1)],
            [Record("R")], [memoryview(b"")], [bytearray(b"")], [1 << 64, None], [object()], [Ellipsis, None],
        ):
            with self.subTest(value):
                self.assertIsNone(by_columns(value))
        for value in (Lists([1]), Lists([1, 2])):
            self.assertFalse(columns.write(Encoder(wire.LIMIT), 8, value))

    def test_parts(self):
        self.addCleanup(setattr, columns, "PART", columns.PART)
        columns.PART = 3
        for value in ([1, 2, 300, 4], [{"a": 1}, {"a": 2}, {"a": None}, {"a": "x"}, {"a": 1 << 64}, {"b": 1}, {"a": 7}], [True, False, None, 1, 2, "x", 1.5], {1, 2, 3, 4}, ["a", "b", "c", "\udc80"]):
            with self.subTest(value):
                self.check(value, 17)
        for value in ([1, "x", 2, 3], [1, 2, 3, object()]):
            self.assertIsNone(by_columns(value))

    def test_random_values(self):
        self.addCleanup(setattr, columns, "PART", columns.PART)
        for seed in range(400):
            columns.PART = 5 if seed % 2 else 4096
            rng = random.Random(seed)
            value = any_list(rng, 3)
            data = by_columns(value)
            if data is not None:
                read, plain = column_reader.read(data), decode(bytes(encode(value)))
                self.assertTrue(same(read, plain), (seed, read, plain))


def any_scalar(rng):
    return rng.choice((
        None, True, False, rng.randrange(-200, 200), rng.randrange(-1 << 70, 1 << 70), rng.random(), "t%d" % rng.randrange(9), "\u00e4\u20ac", "\udcff", b"x" * rng.randrange(3),
        Color.RED, Number.TWO, Text("x"), (1, 2), Pair(1, 2), Member("E", "M", None),
    ))


def any_item(rng, depth):
    """What makes items that are of one kind, more often than not."""
    one = rng.choice((
        lambda: rng.randrange(-1 << rng.choice((6, 14, 30, 62)), 1 << 14), lambda: rng.random() < 0.5, rng.random, lambda: "x" * rng.randrange(9), lambda: "\u00e4" * rng.randrange(4),
        lambda: bytes(rng.randrange(4)), lambda: rng.choice(list(Color)), lambda: any_scalar(rng),
    ))
    if depth and rng.random() < 0.7:
        first, second = any_item(rng, depth - 1), any_item(rng, depth - 1)
        one = rng.choice((
            lambda: {"first": first(), "second": second()}, lambda: Pair(first(), second()), lambda: (first(), second()), lambda: [first(), second()],
            lambda: [first() for _ in range(rng.randrange(4))], lambda: types.SimpleNamespace(a=first(), b=second()), lambda: Slots(second(), first()),
            lambda: Record("R", [("f", first())]),
        ))
    return (lambda: None if rng.random() < 0.3 else one()) if rng.random() < 0.3 else one


def any_list(rng, depth):
    item = any_item(rng, depth)
    return rng.choice((list, tuple))([item() for _ in range(rng.randrange(1, 12))])


class Limits(unittest.TestCase):
    def setting(self, name, value):
        for module in wire, values:
            if hasattr(module, name):
                self.addCleanup(setattr, module, name, getattr(module, name))
                setattr(module, name, value)

    def fits(self, value, limit=wire.LIMIT):
        """Whether a value fits, which has to be the same in both forms."""
        try:
            encode(value, limit)
        except TooLarge:
            self.assertIsNone(by_columns(value, limit), value)
            return False
        self.assertIsNotNone(by_columns(value, limit), value)
        return True

    def test_items_depth_and_text(self):
        samples = (
            [1, 2, 3], [[1], [2, 3]], [[1, 2], [3, 4]], [(1,), (2,)], [{"a": 1}, {"a": 2}], [Pair(1, 2)], [Color.RED] * 3, [{1}, {2, 3}], [None, [[[1]]]],
            ["abc", ""], [{"abcd": 1}], [Member("abcd", "ab", "abc")], [Record("abcd", ab="a")],
        )
        for name in ("ITEMS", "DEPTH", "TEXT"):
            self.setting(name, getattr(values, name))
            for value in samples:
                fits = []
                for limit in range(12):
                    [setattr(module, name, limit) for module in (wire, values)]
                    fits.append(self.fits(value))
                self.assertTrue(fits[-1], value)
                self.assertEqual(fits, sorted(fits))
            setattr(wire, name, {"ITEMS": 1 << 22, "DEPTH": 128, "TEXT": 1 << 26}[name])

    def test_a_list_in_itself(self):
        cycle = []
        cycle.extend([cycle] * 100)
        self.assertIsNone(by_columns(cycle))
        with self.assertRaises(TooLarge):
            encode(cycle)

    def test_payload(self):
        self.assertIsNotNone(by_columns([1.5] * 100, 805))
        self.assertIsNone(by_columns([1.5] * 100, 803))

    def test_names_count_for_each_record(self):
        rows = [{"name": True}] * 10
        # Ten times the name and its length.
        self.assertIsNotNone(by_columns(rows, 50))
        self.assertIsNone(by_columns(rows, 49))
        self.assertIsNone(by_columns([{"a": Member("E", "M", None), "b": 1}] * 10, 59))
        self.assertIsNotNone(by_columns([{"a": Member("E", "M", None), "b": 1}] * 10, 90))


class Trouble(unittest.TestCase):
    def test_whatever_a_value_raises_is_left_to_the_plain_form(self):
        class Bad:
            __dataclass_fields__ = {"x": 0}

            @property
            def x(self):
                raise error

        for error in (ValueError("x"), AttributeError("x"), RecursionError("x")):
            self.assertIsNone(by_columns([Bad()] * 3))
        error = KeyboardInterrupt()
        with self.assertRaises(KeyboardInterrupt):
            by_columns([Bad()] * 3)

    def test_lists_that_change_meanwhile(self):
        rows = [[1, 2], [3, 4]]

        class Growing:
            __dataclass_fields__ = {"x": 0}

            @property
            def x(self):
                rows[0].append(rows)
                return 1

        value = [(rows[0], Growing()), (rows[1], Growing())]
        data = by_columns(value)
        if data is not None:
            self.assertEqual(len(column_reader.read(data)), 2)

    def test_no_data_deep_inside(self):
        for value in ([{"a": object()}], [(1, [2, object])], [Pair(1, object())], [{"a": [Ellipsis, 1]}]):
            self.assertIsNone(by_columns(value))
            with self.assertRaises(NotData):
                encode(value)


class InAgent(unittest.TestCase):
    def setUp(self):
        self.columns = 0
        self.addCleanup(setattr, driver, "decode", driver.decode)
        driver.decode = self.decode
        self.agent = Agent()
        self.addCleanup(self.agent.close)
        self.agent.load("t", TOOL)

    def decode(self, data):
        if data[0] != 14:
            return decode(data)
        self.columns += 1
        return column_reader.read(data)

    def check(self, call, expected, columns=1):
        """A result, and how many lists of it came as columns."""
        self.columns = 0
        self.assertEqual(call(), expected)
        self.assertEqual(self.columns, 0 if sys.implementation.name == "pypy" else columns)

    def test_long_lists(self):
        agent = self.agent
        rows = [{"id": i, "name": "n%d" % i, "on": i % 2 == 0, "owner": None if i % 3 else "o"} for i in range(1000)]
        self.check(lambda: agent.run("t:rows", 1000), rows)
        self.check(lambda: agent.run("t:rows", 99), rows[:99], 0)
        self.check(lambda: len(agent.run("t:rows", 10000)), 10000)
        self.check(lambda: agent.run("t:states", 50), [Member("State", "ON", "on"), Member("State", "OFF", "off")] * 50)
        self.check(lambda: agent.all(agent.stream("t:stream", 200)), [list(range(200))] * 3, 3)

    def test_errors_are_those_of_the_plain_form(self):
        agent = self.agent
        bad, large = agent.fails("t:bad", 200), agent.fails("t:large", 1 << 18)
        self.assertEqual((bad.by, bad.type, bad.message), ("agent", "NotData", "result[200].on.callback: function is not data"))
        self.assertEqual((large.by, large.type), ("limit", "TooLarge"))


if __name__ == "__main__":
    unittest.main()
