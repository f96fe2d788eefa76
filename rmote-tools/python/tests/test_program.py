import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import load

program = load("program")


class Find(unittest.TestCase):
    def test_what_there_is(self):
        self.assertTrue(program.find("sh").endswith("/sh"))
        self.assertEqual(program.need("sh", "it is needed"), program.find("sh"))

    def test_what_is_missing(self):
        self.assertIsNone(program.find("no-such-program"))
        with self.assertRaises(program.Unsupported) as caught:
            program.need("no-such-program", "units are started with it")
        error = caught.exception
        self.assertIsInstance(error, NotImplementedError)
        self.assertEqual((error.missing, error.args[0]), ("no-such-program", "no-such-program"))
        self.assertEqual(str(error), "this host has no no-such-program: units are started with it")

    def test_directories_and_files_that_cannot_be_run_are_no_programs(self):
        with tempfile.TemporaryDirectory() as folder:
            os.mkdir(os.path.join(folder, "a"))
            open(os.path.join(folder, "b"), "w").close()
            old = os.environ["PATH"]
            self.addCleanup(os.environ.__setitem__, "PATH", old)
            os.environ["PATH"] = folder
            self.assertEqual([program.find("a"), program.find("b")], [None, None])

    def test_programs_of_administrators_are_found_without_them_in_path(self):
        old = os.environ["PATH"]
        self.addCleanup(os.environ.__setitem__, "PATH", old)
        os.environ["PATH"] = "/nowhere"
        self.assertEqual(program.path(), "/nowhere:" + program.SYSTEM)


class Run(unittest.TestCase):
    def test_locale(self):
        old = dict(os.environ)
        self.addCleanup(os.environ.update, old)
        os.environ.update(LANG="de_DE.UTF-8", LANGUAGE="de", LC_ALL="de_DE.UTF-8", http_proxy="kept")
        out = program.output("sh", "-c", 'echo "$LC_ALL ${LANGUAGE-none} $http_proxy $more"', env={"more": "1"})
        self.assertEqual(out, "C none kept 1\n")
        # Where what is run takes more than its messages from it.
        self.assertEqual(program.output("sh", "-c", 'echo "$LC_ALL"', env={"LC_ALL": "C.UTF-8"}), "C.UTF-8\n")

    def test_codes(self):
        self.assertEqual(program.run("sh", "-c", "exit 3", ok=(0, 3)).code, 3)
        self.assertEqual(program.run("sh", "-c", "exit 4", ok=None).code, 4)
        with self.assertRaises(program.CommandFailed) as caught:
            program.run("sh", "-c", "echo why >&2; exit 3")
        self.assertIn("exit code 3\nwhy", str(caught.exception))
        with self.assertRaises(program.CommandTimedOut):
            program.run("sleep", "1000", timeout=0.01)


class Names(unittest.TestCase):
    def test_names(self):
        self.assertEqual(program.check_name("a user", "web-1", "[a-z][a-z0-9-]*"), "web-1")
        for name in ("-x", "a/b", "a\n", "", "A", None, b"a", "a b"):
            with self.assertRaises(ValueError, msg=repr(name)) as caught:
                program.check_name("a user", name, "[a-z][a-z0-9-]*")
            self.assertIn("a user", str(caught.exception))


if __name__ == "__main__":
    unittest.main()
