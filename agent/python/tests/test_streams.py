import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
from driver import FIRST, INPUT, Agent, frame, until

TOOL = """
import asyncio, io, os, shutil, threading, time

STATE = {}
made = 0

def count(n):
    global made
    for i in range(n):
        made = i + 1
        yield i
    return "done"

def blocks(n, size):
    global made
    for i in range(n):
        made = i + 1
        yield bytes(bytearray([i % 256])) * size

def reused(n):
    buffer = bytearray(100000)
    for i in range(n):
        buffer[:] = bytes(bytearray([i])) * len(buffer)
        yield memoryview(buffer)

async def acount(n):
    global made
    try:
        for i in range(n):
            made = i + 1
            yield i
            if i % 10 == 0:
                await asyncio.sleep(0)
    finally:
        STATE["closed"] = True

async def ablocks(n, size):
    global made
    try:
        for i in range(n):
            made = i + 1
            yield b"x" * size
    finally:
        await asyncio.sleep(0)
        STATE["closed"] = True

def guarded(n):
    try:
        for i in range(n):
            yield i
        STATE["reached"] = True
    finally:
        STATE["closed"] = True

def slow():
    try:
        while True:
            yield b"x" * 1000
    finally:
        STATE["closed"] = True

def broken():
    yield 1
    raise ValueError("no more")

def no_data():
    try:
        yield 1
        yield object()
    finally:
        STATE["closed"] = True

def printing():
    print("one")
    yield 1
    print("two")

def plain():
    return [1, 2]

def lines(path):
    return open(path)

def add(stream):
    return sum(stream)

def items(stream):
    return list(stream)

def size(stream):
    return len(stream.read())

def parts(stream):
    return [stream.read(3), stream.read(0), stream.read(2), stream.read()]

def text(stream):
    return io.TextIOWrapper(io.BufferedReader(stream)).read().split()

def save(stream, path):
    with open(path, "wb") as file:
        shutil.copyfileobj(stream, file)

async def aitems(stream):
    return [item async for item in stream]

def echo(stream):
    for item in stream:
        yield item
    return "end"

async def aecho(stream):
    async for item in stream:
        yield item

def first(stream):
    return next(stream)

def keep(stream):
    STATE["stream"] = stream

def kept():
    try:
        next(STATE["stream"])
    except InterruptedError as e:
        return str(e)

def by_name(a, *, stream):
    return [a, list(stream)]

def write(out, n):
    for i in range(n):
        out.write(b"x" * 1000)
        STATE["written"] = i + 1
    out.send({"n": n})
    out.close()
    return n

def into(stream, out):
    shutil.copyfileobj(stream, out, 100000)

def two(a, b):
    def drain(name, stream):
        STATE[name] = sum(map(len, stream))
    threads = [threading.Thread(target=drain, args=pair) for pair in (("a", a), ("b", b))]
    [t.start() for t in threads]
    [t.join() for t in threads]
    return STATE["a"], STATE["b"]

class Slow:
    # The import of a module takes as long as it may on a slow host.
    def find_spec(self, name, path=None, target=None):
        if name == self.name:
            time.sleep(0.1)

def delay(name):
    import sys
    sys.meta_path.insert(0, Slow())
    Slow.name = name

def state(key):
    return STATE.get(key)

def how_many():
    return made

def threads():
    from rmote import agent
    return agent.agent.threads

def left():
    from rmote import agent
    return len(agent.agent.streams), len(agent.agent.calls) - 1
"""


class Case(unittest.TestCase):
    def setUp(self):
        self.agent = Agent()
        self.agent.load("t", TOOL)

    def tearDown(self):
        # Its streams end with a call.
        self.assertEqual(self.agent.run("t:left")[0], 0)
        self.agent.close()

    def state(self, key, value=True):
        until(lambda: self.agent.run("t:state", key) == value)


class Results(Case):
    def test_items_and_value(self):
        for function, value in (("t:count", "done"), ("t:acount", None)):
            for n in (0, 1, 7, 3000):
                id = self.agent.stream(function, n)
                self.assertEqual(self.agent.all(id), list(range(n)))
                self.assertEqual(self.agent.result(id), value)
                self.assertIn(id, self.agent.streamed)

    def test_other_results_are_returned(self):
        for function in ("t:plain", "os.getpid"):
            id = self.agent.stream(function)
            self.assertEqual(self.agent.all(id), [])
            self.assertTrue(self.agent.result(id))
            self.assertNotIn(id, self.agent.streamed)

    def test_without_the_flag_they_are_no_data(self):
        error = self.agent.fails("t:count", 1)
        self.assertEqual((error.by, error.message), ("agent", "result: generator is not data; take it as a stream"))

    def test_bytes_travel_raw_and_keep_their_borders(self):
        for size in (0, 1, 4096, 4097, 1 << 17, (1 << 17) + 1, 1 << 20):
            id = self.agent.stream("t:blocks", 5, size)
            self.assertEqual(self.agent.all(id), [bytes(bytearray([i])) * size for i in range(5)])
        id = self.agent.stream("t:reused", 9)
        self.assertEqual([item[:1] for item in self.agent.all(id)], [bytes(bytearray([i])) for i in range(9)])

    def test_much(self):
        id = self.agent.stream("t:blocks", 200, 100000)
        self.assertEqual(sum(map(len, self.agent.all(id))), 20000000)

    def test_a_file_is_lines(self):
        id = self.agent.stream("t:lines", __file__)
        with open(__file__) as file:
            self.assertEqual(self.agent.all(id), list(file))

    def test_credit_stops_the_producer_and_nobody_else(self):
        for function in ("t:blocks", "t:ablocks"):
            ids = [self.agent.stream(function, 100, 10000) for _ in range(8)]
            for id in ids:
                while self.agent.taken.get(id, 0) < FIRST:
                    self.agent.serve()
            # Nothing more comes, whatever else is done.
            for _ in range(100):
                self.agent.run("os.getpid")
            self.assertTrue(all(FIRST <= self.agent.taken[id] < FIRST + 10010 for id in ids))
            # No thread waits for them.
            until(lambda: self.agent.run("t:threads") <= 1)
            for id in ids:
                self.agent.grant(id, 1)
                self.agent.grant(id, 1 << 30)
            for id in ids:
                self.agent.result(id)
                self.assertEqual(len(self.agent.items[id]), 100)

    def test_a_large_item_waits_for_credit_within(self):
        id = self.agent.stream("t:blocks", 1, 1 << 22)
        while self.agent.taken.get(id, 0) < FIRST:
            self.agent.serve()
        self.assertEqual(self.agent.run("t:how_many"), 1)
        self.assertLess(self.agent.taken[id], 1 << 19)
        self.agent.grant(id, 1 << 22)
        self.assertEqual(len(self.agent.all(id)[0]), 1 << 22)

    def test_cancel_closes_the_generator(self):
        for function, args in (("t:slow", ()), ("t:acount", (10**9,)), ("t:ablocks", (10**6, 10000))):
            id = self.agent.stream(function, *args)
            while self.agent.taken.get(id, 0) < FIRST:
                self.agent.serve()
            self.agent.cancel(id)
            self.assertEqual(self.agent.error(id).by, "cancelled")
            self.state("closed")
            self.agent.run("t:STATE.clear")

    def test_cancel_while_it_runs(self):
        id = self.agent.stream("t:slow")
        self.agent.grant(id, 1 << 30)
        while self.agent.taken.get(id, 0) < 10 * FIRST:
            self.agent.serve()
        self.agent.cancel(id)
        self.assertEqual(self.agent.error(id).by, "cancelled")
        self.state("closed")

    def test_cancel_before_the_first_item(self):
        ids = [self.agent.stream("t:guarded", 10**9) for _ in range(20)]
        for id in ids:
            self.agent.cancel(id)
        for id in ids:
            self.assertEqual(self.agent.error(id).by, "cancelled")

    def test_a_deadline_ends_it(self):
        self.agent.run("t:how_many")
        id = self.agent.stream("t:slow", deadline=300)
        self.assertEqual(self.agent.error(id).by, "cancelled")
        self.state("closed")

    def test_errors(self):
        id = self.agent.stream("t:broken")
        error = self.agent.error(id)
        self.assertEqual((self.agent.items[id], error.type, error.message), ([1], "ValueError", "no more"))
        self.assertEqual([step[2] for step in error.traceback if step[0] == "t.py"], ["broken"])
        id = self.agent.stream("t:no_data")
        self.assertEqual((self.agent.error(id).message, self.agent.items[id]), ("result: object is not data", [1]))
        self.state("closed")

    def test_output_is_before_the_end(self):
        id = self.agent.stream("t:printing")
        self.assertEqual(self.agent.all(id), [1])
        self.assertEqual(self.agent.printed(id), b"one\ntwo\n")

    def test_small_calls_overtake_bulk(self):
        ids = [self.agent.stream("t:blocks", 100000, 100000) for _ in range(5)]
        for id in ids:
            self.agent.grant(id, 1 << 31)
        before = sum(self.agent.taken.values())
        for _ in range(100):
            self.agent.run("os.getpid")
        # Not what the streams could send, but what they send until Python lets another thread run.
        self.assertLess(sum(self.agent.taken.values()) - before, 100 << 24)
        for id in ids:
            self.agent.cancel(id)
        for id in ids:
            self.agent.error(id)


class Arguments(Case):
    def feed(self, function, items, *args, **kwargs):
        stream = 1000 + self.agent.last
        streams = kwargs.pop("streams", {0: stream})
        id = self.agent.call(function, None, *args, streams=streams, **kwargs)
        for item in items:
            self.agent.put(stream, item)
        self.agent.end(stream)
        return self.agent.result(id)

    def test_items(self):
        self.assertEqual(self.feed("t:add", range(1000)), 499500)
        self.assertEqual(self.feed("builtins.sum", range(1000)), 499500)
        for function in ("t:items", "t:aitems"):
            values = [1, "a", None, b"", b"raw", [1, b"x"], {"k": (1,)}, b"x" * 100000]
            self.assertEqual(self.feed(function, values), values)
            self.assertEqual(self.feed(function, []), [])

    def test_file_objects(self):
        self.assertEqual(self.feed("t:size", [b"x" * 100000] * 50), 5000000)
        self.assertEqual(self.feed("t:parts", [b"ab", b"cd", b"", b"efgh"]), [b"abc", b"", b"de", b"fgh"])
        self.assertEqual(self.feed("t:text", [b"one tw", b"o\nthree\n"]), ["one", "two", "three"])

    def test_an_item_in_parts(self):
        for function in ("t:items", "t:aitems"):
            id = self.agent.call(function, None, streams={0: 77})
            for flags, part in ((3, b"ab"), (3, b"cd"), (1, b"ef"), (1, b"gh")):
                self.agent.write(frame(INPUT, 77, part, flags))
            self.agent.end(77)
            self.assertEqual(self.agent.result(id), [b"abcdef", b"gh"])

    def test_by_name(self):
        id = self.agent.call("t:by_name", 1, streams={"stream": 50})
        self.agent.put(50, "x")
        self.agent.end(50)
        self.assertEqual(self.agent.result(id), [1, ["x"]])

    def test_no_such_argument(self):
        for streams in ({3: 50}, {-1: 50}):
            error = self.agent.fails("t:items", streams=streams)
            self.assertEqual(error.by, "agent")

    def test_credit_comes_back_as_it_is_read(self):
        id = self.agent.call("t:items", None, streams={0: 50})
        sent = 0
        for _ in range(100):
            while sent >= FIRST + self.agent.granted.get(50, 0):
                self.agent.serve()
            self.agent.put(50, b"x" * 100000)
            sent += 100010
        self.agent.end(50)
        self.assertEqual(len(self.agent.result(id)), 100)
        # Never more on its way than the window.
        self.assertLessEqual(self.agent.granted[50], sent + (1 << 20) - FIRST)

    def test_without_a_reader_there_is_no_credit(self):
        id = self.agent.call("t:kept", streams={"x": 50})
        self.agent.error(id)
        self.assertEqual(self.agent.granted, {})

    def test_a_sender_that_fails(self):
        for function in ("t:items", "t:aitems", "t:size"):
            id = self.agent.call(function, None, streams={0: 50})
            self.agent.put(50, b"x")
            self.agent.end(50, "no more disk")
            error = self.agent.error(id)
            self.assertEqual((error.type, error.message), ("OSError", "the sender of the stream failed: no more disk"))

    def test_the_call_may_end_first(self):
        id = self.agent.call("t:first", None, streams={0: 50})
        self.agent.put(50, 1)
        self.assertEqual(self.agent.result(id), 1)
        self.agent.put(50, 2)
        self.agent.end(50)
        id = self.agent.call("t:keep", None, streams={0: 51})
        self.agent.result(id)
        self.assertEqual(self.agent.run("t:kept"), "the call of this stream has ended")

    def test_cancel_ends_a_read(self):
        for function in ("t:items", "t:aitems", "t:size"):
            id = self.agent.call(function, None, streams={0: 50})
            self.agent.put(50, b"x")
            self.agent.cancel(id)
            self.assertEqual(self.agent.error(id).by, "cancelled")

    def test_values_are_no_file(self):
        id = self.agent.call("t:size", None, streams={0: 50})
        self.agent.put(50, 1)
        self.assertEqual(self.agent.error(id).message, "the stream has values, not bytes")

    def test_both_ways(self):
        for function in ("t:echo", "t:aecho"):
            id = self.agent.stream(function, None, streams={0: 50})
            self.agent.grant(id, 1 << 20)
            for item in (1, b"two", "three", b"x" * 300000):
                self.agent.put(50, item)
                while len(self.agent.items.get(id, ())) == 0:
                    self.agent.serve()
                self.assertEqual(self.agent.items.pop(id), [item])
            self.agent.end(50)
            self.agent.result(id)
            self.agent.taken.clear()
            self.agent.given.clear()

    def test_two_inputs(self):
        id = self.agent.call("t:two", None, None, streams={0: 50, 1: 51})
        for _ in range(20):
            self.agent.put(51, b"x" * 10000)
        self.agent.end(51)
        self.state("b", 200000)
        for _ in range(10):
            self.agent.put(50, b"x" * 10000)
        self.agent.end(50)
        self.assertEqual(self.agent.result(id), (100000, 200000))

    def test_what_comes_while_the_streams_are_made(self):
        self.agent.run("t:delay", "rmote.streams")
        id = self.agent.call("t:size", None, streams={0: 50})
        for _ in range(20):
            self.agent.put(50, b"x" * 10000)
        self.agent.end(50)
        self.assertEqual(self.agent.result(id), 200000)

    def test_outputs(self):
        id = self.agent.call("t:write", None, 100, streams={0: -60})
        self.assertEqual(self.agent.result(id), 100)
        items = self.agent.items[60]
        self.assertEqual((b"".join(items[:-1]), items[-1], self.agent.over), (b"x" * 100000, {"n": 100}, {60}))

    def test_an_output_that_is_not_read(self):
        id = self.agent.call("t:write", None, 1000, streams={0: -60})
        while self.agent.taken.get(60, 0) < FIRST:
            self.agent.serve()
        for _ in range(50):
            self.agent.run("os.getpid")
        self.assertLess(self.agent.run("t:state", "written"), 300)
        self.agent.grant(60, 1 << 30)
        self.assertEqual(self.agent.result(id), 1000)
        id = self.agent.call("t:write", None, 1000, streams={0: -61})
        while self.agent.taken.get(61, 0) < FIRST:
            self.agent.serve()
        self.agent.cancel(id)
        self.assertEqual(self.agent.error(id).by, "cancelled")

    def test_in_and_out(self):
        id = self.agent.call("t:into", None, None, streams={0: 50, 1: -60})
        self.agent.grant(60, 1 << 30)
        for i in range(30):
            self.agent.put(50, bytes(bytearray([i])) * 5000)
        self.agent.end(50)
        self.agent.result(id)
        self.assertEqual(b"".join(self.agent.items[60]), b"".join(bytes(bytearray([i])) * 5000 for i in range(30)))


if __name__ == "__main__":
    unittest.main()
