import ast
import enum
import os
import sys
import threading
import types
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap
import column_reader

from rmote import columns, values, wire
from rmote.values import Member, NotData, Record, TooLarge, encode
from rmote.wire import HEAD, decode

GOLDEN = os.path.join(bootstrap.HERE, "..", "..", "..", "rmote-wire", "tests", "golden.txt")


class Column:
    """A list, a tuple or a set that is written as columns."""

    def __init__(self, items):
        self.items = items


NAMES = {
    "Column": Column,
    "Record": lambda name, fields: Record(name, fields),
    "Enum": Member,
    "RawText": lambda data: data.decode("utf-8", "surrogatepass"),
    "Frame": lambda kind, flags, id, payload: HEAD.pack(6 + len(payload), kind, flags, id) + payload,
    "float": float, "set": set, "bytes": bytes, "range": range,
}


def vectors():
    with open(GOLDEN, encoding="utf-8") as file:
        for line in file:
            line = line.rstrip("\n")
            if line and not line.startswith("#"):
                yield line.split(" ", 2)


def same(one, other):
    """Equality that tells types, the sign of zero and names apart, and takes NaN for itself."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return repr(one) == repr(other)
    if isinstance(one, (list, tuple)):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return same(list(one.items()), list(other.items())) and getattr(one, "name", 0) == getattr(other, "name", 0)
    return one == other


class Golden(unittest.TestCase):
    def setUp(self):
        self.addCleanup(setattr, columns, "PAYS", columns.PAYS)
        columns.PAYS = True
        # Long ones are cut in parts; the file has short ones.
        self.addCleanup(setattr, columns, "PART", columns.PART)
        columns.PART = 4
        bootstrap.need(self, os.path.exists(GOLDEN), "only a part of the project is here, without the golden vectors")

    def test_every_vector_both_ways(self):
        count = 0
        for name, data, text in vectors():
            with self.subTest(name):
                data = bytes.fromhex(data)
                value = eval(text, dict(NAMES, __builtins__={}))
                if name.startswith("frame_"):
                    self.assertEqual(value, data)
                    length, kind, flags, id = HEAD.unpack_from(data)
                    self.assertEqual(length, len(data) - 4)
                elif isinstance(value, Column):
                    encoder = values.Encoder(wire.LIMIT)
                    self.assertTrue(columns.write(encoder, data[1], value.items))
                    self.assertEqual(bytes(encoder.out), data)
                    self.assertTrue(same(column_reader.read(data), value.items))
                    # The agent writes columns and gets none.
                    with self.assertRaisesRegex(ValueError, "unknown variant 14"):
                        decode(data)
                else:
                    self.assertEqual(bytes(encode(value)), data)
                    decoded = decode(data)
                    self.assertTrue(same(decoded, value), (decoded, value))
            count += 1
        self.assertGreater(count, 60)

    def test_every_prefix_is_an_error(self):
        for name, data, _ in vectors():
            data = bytes.fromhex(data)
            if not name.startswith("frame_") and len(data) < 200:
                for end in range(len(data)):
                    with self.assertRaises(ValueError, msg=name):
                        decode(data[:end])
                with self.assertRaises(ValueError, msg=name):
                    decode(data + b"\0")


class Limits(unittest.TestCase):
    def setting(self, name, value):
        for module in wire, values:
            if hasattr(module, name):
                self.addCleanup(setattr, module, name, getattr(module, name))
                setattr(module, name, value)

    def nested(self, wrap, levels):
        value = None
        for _ in range(levels):
            value = wrap(value)
        return value

    def test_depth(self):
        wraps = {
            "list": lambda value: [value], "tuple": lambda value: (value,), "map": lambda value: {0: value},
            "record": lambda value: Record("R", f=value), "enum": lambda value: Member("E", "M", value),
        }
        for name, wrap in wraps.items():
            with self.subTest(name):
                self.assertTrue(encode(self.nested(wrap, 128)))
                self.assertEqual(decode(bytes(encode(self.nested(wrap, 128)))), self.nested(wrap, 128))
                with self.assertRaisesRegex(TooLarge, "nested deeper than 128 levels"):
                    encode(self.nested(wrap, 129))
        # An empty collection is a level, too.
        for empty in ([], (), set(), {}, Record("R")):
            self.assertTrue(encode(self.nested(wraps["list"], 0) or [empty]))
            value = empty
            for _ in range(127):
                value = [value]
            encode(value)
            with self.assertRaises(TooLarge):
                encode([value])
        with self.assertRaisesRegex(ValueError, "nested deeper"):
            decode(b"\x08\x01" * 129 + b"\0")
        cycle = []
        cycle.append(cycle)
        with self.assertRaises(TooLarge):
            encode(cycle)
        with self.assertRaises(TooLarge):
            encode(self.nested(wraps["list"], 100000))

    def test_what_is_frequent_is_encoded_the_same_way(self):
        numbers = [sign * ((1 << bits) + more) for bits in range(66) for more in (-1, 0, 1) for sign in (1, -1)]
        for value in numbers + [None, True, False, "", "a", "\u00e4" * 63, "\u00e4" * 64, "x" * 127, "x" * 128, "\udc80", 1.5, b"", [1]]:
            self.assertEqual(bytes(wire.encode(value)), bytes(encode(value)), value)

    def test_items(self):
        self.assertEqual(values.ITEMS, 4194304)
        self.setting("ITEMS", 6)
        for fits in ([0] * 6, tuple(range(6)), set(range(6)), {0: 1, 2: 3, 4: 5}, Record("R", a=0, b=1, c=2), [0, [0, 0, 0]], [[], [], {}, Member("E", "M", [0])]):
            self.assertTrue(encode(fits))
        for over in ([0] * 7, set(range(7)), {0: 1, 2: 3, 4: 5, 6: 7}, Record("R", a=0, b=1, c=2, d=3), [0, 0, [0, 0, 0, 0, 0]], [[], [], {}, Member("E", "M", [0, 1])], {0: [0, 0, 0, 0, 0]}):
            with self.assertRaisesRegex(TooLarge, "more than 6 items"):
                encode(over)

    def test_text(self):
        self.assertEqual(values.TEXT, 64 << 20)
        self.setting("TEXT", 4)
        for fits in ("abcd", "\u00e4\u00e4", "\udc80", Record("abcd", abcd=1), Member("abcd", "abcd", 1), b"12345"):
            self.assertTrue(encode(fits))
        for over in ("abcde", "a\u00e4\u00e4", "ab\udc80", Record("abcde"), Record("R", abcde=1), Member("abcde", "a", 1), Member("a", "abcde", 1)):
            with self.assertRaisesRegex(TooLarge, "text larger than the limit of 4 bytes"):
                encode(over)

    def test_payload(self):
        self.assertEqual(wire.LIMIT, 128 << 20)
        self.assertEqual(len(encode(b"x" * 998, 1001)), 1001)
        for over in (b"x" * 999, "x" * 999, ["x" * 10] * 84, list(range(64)) * 16, 1 << 8000, Record("R" * 1000)):
            with self.assertRaisesRegex(TooLarge, "limit of 1001 bytes"):
                encode(over, 1001)

    def test_counts_that_cannot_be(self):
        for data in (b"\x08\xff\xff\xff\xff\x0f", b"\x0b\xff\xff\xff\xff\x0f\0\0", b"\x05\xff\xff\xff\xff\x0f", b"\x0c\x01R\xff\xff\x03", b"\x0e", b"\xff", b""):
            with self.assertRaises(ValueError):
                decode(data)


class NoData(unittest.TestCase):
    def path(self, value, kind=NotData):
        with self.assertRaises(kind) as caught:
            encode(value)
        self.assertEqual(str(caught.exception).count("result"), 1)
        return str(caught.exception)

    def test_paths(self):
        function = self.path
        kind = types.SimpleNamespace
        self.assertEqual(self.path(same), "result: function is not data")
        self.assertEqual(self.path({"items": [0, 1, {"callback": function}]}), "result.items[2].callback: method is not data")
        self.assertEqual(self.path([({1: {"a b": object()}},)]), "result[0][0][1]['a b']: object is not data")
        self.assertEqual(self.path({object(): 1})[:15], "result[<object ")
        self.assertEqual(self.path(Record("R", x=[Member("E", "M", object)])), "result.x[0]: type is not data")
        self.assertEqual(self.path(kind(one=kind(two=...))), "result.one.two: ellipsis is not data")
        self.assertIn("result[0][0][0]", self.path([[[complex()]]]))

    def test_names_that_are_not_utf8(self):
        for value in (Record("\udc80"), Record("R", [("\udc80", 1)]), Member("\ud800", "M", 1), Member("E", "\ud800", 1)):
            self.assertIn("a name is not UTF-8", self.path(value))
        self.assertIn("result[0]['\\udcff']: a name", self.path([types.SimpleNamespace(**{"\udcff": 1})]))

    def test_lengths_that_lie(self):
        class Lying(list):
            def __len__(self):
                return 1

        class Other(dict):
            def items(self):
                return [(1, 2), (3, 4)]

        for value in (Lying(), Lying([1, 2]), Other(), Other({1: 2})):
            self.assertIn("its length is not what it says", self.path([value]))

    def test_a_dict_that_changes_meanwhile(self):
        value = {}

        class Growing:
            def __fspath__(self):
                value[len(value)] = 0
                return "x"

        value[0] = Growing()
        self.assertIn("changed size", self.path(value))

    def test_whatever_a_value_raises_passes(self):
        class Bad:
            def __fspath__(self):
                raise KeyboardInterrupt

        with self.assertRaises(KeyboardInterrupt):
            encode([Bad()])


class Kinds(unittest.TestCase):
    def test_what_is_like_plain_data(self):
        import collections
        import pathlib
        import subprocess

        class Number(enum.IntEnum):
            ONE = 1

        class Flags(enum.Flag):
            A = 1
            B = 2

        class Text(str):
            pass

        Pair = collections.namedtuple("Pair", "a b")
        for value, plain in (
            (Number.ONE, Member("Number", "ONE", 1)),
            (Flags.A, Member("Flags", "A", 1)),
            (Pair(1, [2]), Record("Pair", a=1, b=[2])),
            (collections.OrderedDict([(2, 1), (1, 2)]), {2: 1, 1: 2}),
            (collections.defaultdict(list, a=[1]), {"a": [1]}),
            (collections.Counter("aa"), {"a": 2}),
            (Text("x"), "x"),
            (bytearray(b"x"), b"x"),
            (memoryview(b"abcd")[::2], b"ac"),
            (memoryview(b""), b""),
            (frozenset([1]), {1}),
            (pathlib.PurePosixPath("/a\udcff"), "/a\udcff"),
            (types.SimpleNamespace(a=1), Record("SimpleNamespace", a=1)),
            (subprocess.CompletedProcess(["x"], 0), Record("CompletedProcess", args=["x"], returncode=0, stdout=None, stderr=None)),
            ({frozenset([(1, frozenset([2]))]): 1}, {frozenset([(1, frozenset([2]))]): 1}),
        ):
            decoded = decode(bytes(encode(value)))
            self.assertTrue(same(decoded, plain) or decoded == plain, (value, decoded))
            self.assertEqual(getattr(decoded, "name", 0), getattr(plain, "name", 0))
        decode(bytes(encode(Flags.A | Flags.B)))

    def test_dataclasses(self):
        bootstrap.need(self, sys.version_info >= (3, 7) or not os.environ.get("RMOTE_TEST_REQUIRE"), "Python 3.6 has no dataclasses")
        if sys.version_info >= (3, 7):
            import dataclasses

            Point = dataclasses.make_dataclass("Point", ["x", ("more", list)])
            self.assertEqual(decode(bytes(encode(Point(1, [Point(2, [])])))), Record("Point", x=1, more=[Record("Point", x=2, more=[])]))
            with self.assertRaisesRegex(NotData, r"result.more\[0\].x: type is not data"):
                encode(Point(1, [Point(int, [])]))

    def test_many_threads(self):
        value = [{"a": [1, 2.5, "x" * 200]}] * 200
        expected = bytes(encode(value))
        results = []
        threads = [threading.Thread(target=lambda: results.append(bytes(encode(decode(expected))) == expected)) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(results, [True] * 8)


class Source(unittest.TestCase):
    def test_no_names_beyond_those_of_the_golden_file(self):
        if os.path.exists(GOLDEN):
            for _, _, text in vectors():
                names = {node.id for node in ast.walk(ast.parse(text)) if isinstance(node, ast.Name)}
                self.assertLessEqual(names, set(NAMES))


if __name__ == "__main__":
    unittest.main()
