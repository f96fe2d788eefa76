import os
import sys
import unittest
import zlib

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401
from driver import CREDIT, FAST, INPUT, Agent, frame

from rmote.compression import SLOWER, SMALLER, Choice, StreamPacker
from rmote.streams import Meter

CHUNK = 1 << 17
TOOL = """
import itertools, os

TEXT = b"".join(b"line %d of a text that shrinks well\\n" % n for n in range(60000))
NOISE = os.urandom(1 << 21)

def text(): yield TEXT

def noise(): yield NOISE

def writes(out, name): out.write(globals()[name])

def result(): return TEXT

def noisy(): return NOISE

def together(stream): return sum(item.endswith(b" of a text that shrinks well\\n") for item in stream)

def crowd(out):
    import threading
    def write(n):
        for _ in range(8): out.send(b"%d" % n * 20000)
    threads = [threading.Thread(target=write, args=(n,)) for n in range(4)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()

def size(stream): return [len(item) for item in stream]

def ends():
    yield TEXT[:1 << 20]
    while True:
        yield TEXT[:1 << 20]

async def later():
    yield TEXT
"""
TEXT = b"".join(b"line %d of a text that shrinks well\n" % n for n in range(60000))


class Decision(unittest.TestCase):
    """The same cases as in the controller's compression/choice.rs."""

    def levels(self, chunks, rate, speed, left):
        choice, levels = Choice(), []
        for _ in range(chunks):
            level = choice.level(rate)
            if level:
                slower, smaller = (SLOWER, SMALLER) if level > 1 else (1, 1)
                choice.tried(level, CHUNK, int(CHUNK * min(left * smaller, 1)), CHUNK / speed * slower)
            levels.append(level)
        return levels

    def test_the_slower_the_link_the_better_text_is_compressed(self):
        for rate, expected in (0, 6), (1200, 6), (4000, 6), (12000, 1), (30000, 1), (60000, 0), (FAST, 0):
            with self.subTest(rate=rate):
                self.assertEqual(self.levels(20, rate, 110e6, 0.33)[2:], [expected] * 18)

    def test_a_link_as_fast_as_a_slow_machine_compresses_is_left_alone(self):
        levels = self.levels(200, 12000, 10e6, 0.33)
        self.assertTrue(1 <= sum(level > 0 for level in levels) <= 12, levels)

    def test_a_link_that_nobody_knows_is_first_taken_for_fast_and_then_for_slow(self):
        class Unknown:
            rate = 1 << 32
        packer, levels = StreamPacker(Unknown), []
        for _ in range(6):
            levels.append(packer.choice.level(packer.rate()))
            packer.choice.tried(levels[-1], CHUNK, CHUNK // 3, 0.002)
        self.assertEqual(levels, [1, 1, 1, 6, 6, 6])

    def test_what_does_not_shrink_is_tried_less_and_less(self):
        for rate in 0, 1200, 12000:
            levels = self.levels(300, rate, 50e6, 1.3)
            self.assertEqual([at for at, level in enumerate(levels) if level], [0, 9, 26, 59, 124, 189, 254])

    def test_data_that_begins_to_shrink_is_noticed(self):
        choice = Choice()
        self.assertEqual(choice.level(1200), 6)
        self.assertFalse(choice.tried(6, CHUNK, CHUNK, 0.003))
        self.assertEqual(next(n for n in range(1, 99) if choice.level(1200)), 9)
        self.assertTrue(choice.tried(6, CHUNK, CHUNK // 4, 0.003))
        self.assertEqual(choice.level(1200), 6)


class Measure(unittest.TestCase):
    """The same cases as in the controller's rate.rs."""

    def test_a_rate_is_told_once_it_is_known_and_when_it_changes(self):
        meter = Meter(None)
        self.assertEqual(meter.add(5 << 10, (5 << 10) / (1 << 20)), 0)
        self.assertEqual(meter.add(5 << 10, (5 << 10) / (1 << 20)), 1024)
        for _ in range(100):
            self.assertEqual(meter.add(32 << 10, (32 << 10) / 1.2e6), 0)
        told = [rate for rate in [meter.add(32 << 10, (32 << 10) / (12 << 20)) for _ in range(100)] if rate]
        self.assertTrue(len(told) > 1 and told == sorted(told) and 9000 <= told[-1] <= 12288, told)

    def test_a_fast_link_is_told_once_and_one_stall_is_not_the_link(self):
        meter = Meter(None)
        # Once is chance.
        self.assertEqual([meter.read(64 << 10, 1 << 20, 0) for _ in range(2)], [0, FAST])
        for _ in range(100):
            self.assertEqual(meter.add(64 << 10, 6e-5), 0)
        self.assertEqual(meter.add(64 << 10, 0.002), 0)
        self.assertEqual([meter.add(64 << 10, 6e-5) for _ in range(20)], [0] * 20)


    def test_what_was_there_already_says_nothing(self):
        meter = Meter(None)
        # Between two frames; it fills the read, so that the next one does not wait for the link either.
        self.assertFalse(meter.read(4 << 10, 4 << 10, None))
        self.assertFalse(meter.read(28 << 10, 90 << 10, 0))
        # A packet comes within a frame, whose rest is not all of it.
        self.assertFalse(meter.read(5 << 10, 5 << 10, 1))
        self.assertEqual(meter.read(27 << 10, 90 << 10, None), 32)

    def test_frames_that_nobody_waits_for_say_that_the_link_carries_more(self):
        meter = Meter(None)

        def frames(numbers, every, waited):
            told = []
            for number in numbers:
                meter.read(28 << 10, 90 << 10, None)
                told.append(waited and meter.read(9 << 10, 90 << 10, every / 2))
                told.append(meter.came(37 << 10, number * every))
            return [rate for rate in told if rate]

        self.assertEqual(frames(range(20), 0.1, False), [], "no news")
        told = frames(range(400, 410), 0.01, False)
        self.assertTrue(len(told) == 1 and 7399 <= told[0] <= 7400, told)
        self.assertIn(frames(range(1000, 1400), 0.018, True)[-1], (999, 1000))


class Compressed(unittest.TestCase):
    """What travels on a link that is slower than any."""

    def setUp(self):
        self.agent = Agent(rate=0)
        self.addCleanup(self.agent.close)
        self.agent.load("t", TOOL)

    def test_results_that_shrink_are_deflated(self):
        for name in "text", "later":
            id = self.agent.stream("t:" + name)
            self.assertEqual(self.agent.all(id), [TEXT])
            self.assertLess(self.agent.taken[id], len(TEXT) // 4)
            parts = [TEXT[at:at + CHUNK] for at in range(0, len(TEXT), CHUNK)]
            # Each part knows what came before.
            self.assertLess(self.agent.taken[id], sum(len(zlib.compress(part, 6)) for part in parts))
        self.assertEqual(self.agent.run("t:result"), TEXT)
        self.assertIn(id + 1, [id for id, _, _ in self.agent.deflated])

    def test_what_does_not_shrink_travels_as_it_is(self):
        id = self.agent.stream("t:noise")
        self.assertEqual([len(item) for item in self.agent.all(id)], [1 << 21])
        self.assertEqual(len(self.agent.run("t:noisy")), 1 << 21)
        self.assertEqual(self.agent.deflated, [])

    def test_a_fast_link_carries_all_as_it_is(self):
        self.agent.write(frame(CREDIT, 0, FAST.to_bytes(4, "little")))
        self.assertEqual(self.agent.all(self.agent.stream("t:text")), [TEXT])
        self.assertEqual(self.agent.run("t:result"), TEXT)
        self.assertEqual(self.agent.deflated, [])

    def test_an_output_is_deflated(self):
        id = self.agent.call("t:writes", None, "TEXT", streams={0: -9})
        self.agent.grant(9, 1 << 20)
        self.agent.result(id)
        self.assertEqual(b"".join(self.agent.items[9]), TEXT)
        self.assertTrue(self.agent.deflated)

    def test_a_stream_is_cancelled(self):
        id = self.agent.stream("t:ends")
        while not self.agent.items.get(id):
            self.agent.serve()
            self.agent.grant(id, 1 << 10)
        self.agent.cancel(id)
        self.assertEqual(self.agent.error(id).by, "cancelled")

    def test_inputs_are_inflated_when_they_are_read(self):
        id = self.agent.call("t:size", None, streams={0: 9})
        self.agent.put_deflated(9, TEXT, 1)
        self.agent.put_deflated(9, b"first, ", 3)
        self.agent.put(9, b"second")
        self.agent.end(9)
        self.assertEqual(self.agent.result(id), [len(TEXT), 13])

    def test_inputs_that_are_one_zlib_stream_are_read_in_order(self):
        lines = TEXT.splitlines(True)[:3000]
        id = self.agent.call("t:together", None, streams={0: 9})
        self.agent.put_parts(9, lines)
        self.agent.end(9)
        self.assertEqual(self.agent.result(id), len(lines))

    def test_what_continues_nothing_is_damaged(self):
        begun = zlib.compressobj()
        begun = begun.compress(b"text") + begun.flush(zlib.Z_SYNC_FLUSH)
        for payloads in [(begun, 13)], [(zlib.compress(b"text"), 5), (begun, 13)], [(begun, 5), (begun[:-1], 13)], [(begun[:-1], 5)]:
            id = self.agent.call("t:size", None, streams={0: 9})
            for payload, flags in payloads:
                self.agent.write(frame(INPUT, 9, payload, flags=flags))
            self.assertIn("damaged", self.agent.error(id).message)

    def test_an_output_that_threads_write_at_once_stays_whole(self):
        id = self.agent.call("t:crowd", None, streams={0: -9})
        self.agent.grant(9, 1 << 22)
        self.agent.result(id)
        self.assertEqual(sorted(item[:1] for item in self.agent.items[9]), sorted([b"0", b"1", b"2", b"3"] * 8))
        self.assertTrue(all(item == item[:1] * 20000 for item in self.agent.items[9]))

    def test_damage_and_bombs_fail_the_read_alone(self):
        bomb = zlib.compressobj()
        block = bytes(1 << 20)
        bomb = b"".join(bomb.compress(block) for _ in range(128)) + bomb.compress(b"x") + bomb.flush()
        for payload, said in (bomb, "limit of 134217728 bytes"), (zlib.compress(b"text") + b"x", "damaged"), (zlib.compress(b"text")[:-1], "damaged"):
            id = self.agent.call("t:size", None, streams={0: 9})
            self.agent.write(frame(INPUT, 9, payload, flags=5))
            self.assertIn(said, self.agent.error(id).message)
        self.assertEqual(self.agent.run("builtins.abs", -1), 1)


if __name__ == "__main__":
    unittest.main()
