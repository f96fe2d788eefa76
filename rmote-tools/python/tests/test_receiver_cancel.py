import os
import shutil
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load
from copy_case import Case, data, directory, file, receiver, sha

incoming = load("incoming")


class Stop(BaseException):
    """What a cancelled copy meets, wherever it is."""


class Cancelled(Case):
    def steps(self, _):
        entries = [directory(b""), file(b"a", b"one"), file(b"b", b"two"), file(b"c", b"three")]
        yield "entries", 0, entries, {}, {}
        yield "files", [(1, b"one", sha(b"one"))]
        yield data(2, b"t")
        yield data(2, b"wo")
        yield "end", 2, sha(b"wrong")
        yield data(2, b"t")
        yield data(3, b"thr")
        yield ("settle",)
        yield "stop", 2
        yield data(3, b"ee")
        yield "end", 3, sha(b"three")
        yield ("settle",)
        yield ("finish",)

    def run_to(self, last):
        """Receives up to that many instructions of the code that handles files; whether that was all."""
        here = {incoming.__file__, receiver.__file__}
        left = [last]

        def trace(frame, event, arg):
            if frame.f_code.co_filename not in here:
                return None
            frame.f_trace_opcodes, frame.f_trace_lines = True, False
            if event == "opcode":
                left[0] -= 1
                if left[0] == 0:
                    sys.settrace(None)
                    raise Stop
            return trace

        sys.settrace(trace)
        try:
            self.receive(self.steps)
        except Stop:
            return False
        finally:
            sys.settrace(None)
        return True

    def open_handles(self):
        # That of the listing itself is closed by then.
        return {int(name) for name in os.listdir("/proc/self/fd") if os.path.exists("/proc/self/fd/" + name)}

    def test_nothing_is_left_wherever_it_is_stopped(self):
        none = "this Python traces no single instructions"
        if sys.version_info < (3, 7) or sys.implementation.name != "cpython" or not self.handles:
            self.skipTest(none)
        handles = self.open_handles()
        for last in range(1, 100000):
            done = self.run_to(last)
            names = [name for name in self.names() if b".rmote-" in name]
            self.assertEqual(names, [], "stopped at instruction %d" % last)
            if os.path.isdir(self.path(b"dst")):
                shutil.rmtree(self.path(b"dst"))
            # Of a file that was opened when its number was not kept yet, the number is lost, and nothing else.
            for handle in self.open_handles() - handles:
                os.close(handle)
            if done:
                # Some that should do so do not.
                if last == 1:
                    self.skipTest(none)
                return
        self.fail("it has no end")


if __name__ == "__main__":
    unittest.main()
