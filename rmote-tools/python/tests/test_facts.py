import os
import socket
import struct
import sys
import threading
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load, need
from facts_case import Case, F

findings = load("findings")
SECTIONS = load("facts").SECTIONS
hardware = load("facts_hardware")


class Gather(Case):
    def test_all_sections_of_this_host(self):
        facts = F.gather()
        self.assertEqual(list(facts), list(SECTIONS))
        for name, section in facts.items():
            self.assertIsNone(section.error, name)
            self.assertIs(section.available, any(v is not None for k, v in section.items() if k not in ("available", "error")))
        for name in ("system", "python", "cpu", "memory", "users"):
            self.assertTrue(facts[name].available, name)
        self.assertEqual(facts.python.version, "%d.%d.%d" % sys.version_info[:3])
        self.assertEqual(facts.python.bits, struct.calcsize("P") * 8)
        self.assertEqual(facts.system.hostname, socket.gethostname())
        self.assertGreater(facts.memory.total, 0)
        self.assertGreater(facts.cpu.logical, 0)
        self.assertIsNone(facts.packages.packages)

    def test_only_what_was_asked_for(self):
        facts = F.gather("cpu", "packages", raw=True)
        self.assertEqual([name for name in SECTIONS if facts[name]], ["cpu", "packages"])
        if facts.packages.count:
            self.assertEqual(len(facts.packages.packages), facts.packages.count)

    def test_wrong_arguments_are_refused(self):
        for call in (
            lambda: F.gather("cpu", "no-such"),
            lambda: F.gather("_check"),
            lambda: F.gather(timeout=0),
            lambda: F.storage(timeout=-1),
        ):
            with self.assertRaises(ValueError):
                call()

    def test_a_section_that_fails_leaves_the_others_and_its_own_rest(self):
        def broken():
            raise ValueError("broken \udcff")

        self.replace(hardware, "_meminfo", broken)
        self.replace(hardware, "_processors", broken)
        facts = F.gather("cpu", "memory", "system")
        self.assertEqual(facts.memory.error, "ValueError: broken \\udcff")
        self.assertGreater(facts.memory.total, 0)
        self.assertEqual((facts.memory.available_bytes, facts.memory.available), (None, True))
        self.assertEqual(facts.cpu.error, "ValueError: broken \\udcff")
        self.assertGreater(facts.cpu.logical, 0)
        self.assertIsNone(facts.system.error)
        self.assertEqual(findings.section("X", ("a",), broken), {"a": None, "available": False, "error": facts.memory.error})

    def test_what_is_empty_is_told_from_what_is_not_known(self):
        self.assertEqual(findings.section("X", ("a",), lambda: {"a": []}).available, True)
        self.assertEqual(findings.section("X", ("a",), lambda: {}).available, False)

    def run_alone(self, code):
        """What a program prints that has imported nothing but the tool."""
        import subprocess

        start = (
            "import types, sys; sys.modules['unittest'] = types.ModuleType('unittest'); sys.path.insert(0, %r)\n"
            "from bootstrap import load; F = load('facts').Facts\n"
        )
        here = os.path.dirname(os.path.abspath(__file__))
        return subprocess.check_output([sys.executable, "-S", "-c", start % here + code]).decode().strip()

    def test_a_section_whose_module_cannot_be_imported_leaves_the_others(self):
        code = "sys.modules['socket'] = None; f = F.gather('cpu', 'network'); print(f.cpu.available, dict(f.network))"
        told = self.run_alone(code)
        self.assertTrue(told.startswith("True {'available': False, 'error': "), told)
        self.assertIn("socket", told)

    def test_no_section_imports_what_it_does_not_need(self):
        code = (
            "before = set(sys.modules); assert 'subprocess' not in before\n"
            "F.gather('system', 'python', 'cpu', 'memory', 'users')\n"
            "print(sorted(n for n in set(sys.modules) - before if n in ('subprocess', 'threading', 'socket', 'asyncio')))"
        )
        self.assertEqual(self.run_alone(code), "[]")


class Ask(Case):
    def test_a_statvfs_that_blocks_for_ever_is_given_up_and_not_asked_again(self):
        """It is replaced by one that blocks; a real mount is in `disposable/test_facts_dead_mount.py`."""
        need(self, os.path.exists("/proc/self/mountinfo"), "no /proc")
        gate = threading.Event()
        asked = []
        real = os.statvfs

        def blocks(path):
            if path == "/":
                asked.append(path)
                gate.wait()
            return real(path)

        self.replace(os, "statvfs", blocks)
        for _ in range(3):
            section = F.storage(timeout=0.05)
            mounts = {mount.path: mount for mount in section.mounts}
            self.assertIn("did not tell its size within 0.05 s", mounts["/"].error)
            self.assertIsNone(mounts["/"].size)
        self.assertEqual(asked, ["/"])
        thread, = findings.stuck.values()
        gate.set()
        thread.join()
        mounts = {mount.path: mount for mount in F.storage().mounts}
        self.assertIsNone(mounts["/"].error)
        self.assertGreater(mounts["/"].size, 0)
        self.assertEqual(findings.stuck, {})

    def test_answers_errors_and_silence(self):
        gate = threading.Event()
        self.addCleanup(gate.set)

        def fails():
            raise OSError(5, "broken")

        answers = findings.ask({"a": lambda: 1, "b": fails, "c": gate.wait}, 0.05)
        self.assertEqual((answers["a"], answers["b"].errno, sorted(answers)), (1, 5, ["a", "b"]))
        thread = findings.stuck.pop("c")
        gate.set()
        thread.join()


if __name__ == "__main__":
    unittest.main()
