"""With an imitation of apk: there was no real one where this was made."""
import os
import sys
import tempfile
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import fails, load

Apk = load("apk").Apk

# It knows the packages of the file `offered`, and keeps those that are installed in `installed`, as apk's manual has it.
FAKE = """#!{python}
import sys, json
folder = {folder!r}
def read(name):
    with open(folder + "/" + name) as file:
        return json.load(file)
def write(name, value):
    with open(folder + "/" + name, "w") as file:
        json.dump(value, file)
offered, installed = read("offered"), read("installed")
words = sys.argv[1:]
assert words[:2] == ["--wait", "60"] and words[2] == "--no-progress" or words[0] == "info", words
words = words if words[0] == "info" else words[3:]
write("log", read("log") + [words])
if words == ["info", "-v"]:
    sys.stdout.writelines("%s-%s\\n" % item for item in installed.items())
elif words[:3] == ["info", "-e", "--"]:
    found = [name for name in installed if words[3] in [name] + offered[name].get("provides", [])]
    print("\\n".join(found))
    sys.exit(not found)
elif words[0] in ("add", "del"):
    steps, names, new = [], words[words.index("--") + 1:], dict(installed)
    for name in names:
        name, _, pin = name.partition("=")
        real = [n for n in offered if name in [n] + offered[n].get("provides", [])]
        if words[0] == "add" and (not real or pin not in ("", offered[real[0]]["version"])):
            why = "%s-%s:\\n    breaks: world[%s=%s]" % (name, offered[name]["version"], name, pin) if real else name + " (no such package):"
            sys.exit("ERROR: unable to select packages:\\n  " + why)
        for n in offered.get(real[0] if real else "", {{}}).get("needs", []) + real[:1]:
            old, version = new.get(n), offered[n]["version"]
            if words[0] == "add" and old != version:
                steps.append("Installing %s (%s)" % (n, version) if not old else "Upgrading %s (%s -> %s)" % (n, old, version))
                new[n] = version
        if words[0] == "del":
            needing = [n for n in new if name in offered[n].get("needs", []) and n not in names]
            if needing:
                print("World updated, but the following packages are not removed due to:\\n  %s: %s" % (name, needing[0]))
            elif name in new:
                steps.append("Purging %s (%s)" % (name, new.pop(name)))
    for i, step in enumerate(steps):
        print("(%d/%d) %s" % (i + 1, len(steps), step))
    print("OK: 7 MiB in %d packages" % len(new))
    if "--simulate" not in words:
        write("installed", new)
elif words != ["update"]:
    sys.exit("apk: what is %r" % (words,))
"""


def want(name, state, version=""):
    return {"name": name, "state": state, "version": version}


class WithImitation(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name
        self.put("apk", FAKE.format(python=sys.executable, folder=self.folder))
        os.chmod(self.folder + "/apk", 0o755)
        self.offered = (
            '{"a": {"version": "1.0-r0"}, "b-c": {"version": "2.0_rc1-r3", "needs": ["a"], "provides": ["v"]},'
            ' "d": {"version": "3-r0"}}'
        )
        self.put("offered", self.offered)
        self.put("installed", "{}")
        self.put("log", "[]")
        old = os.environ.get("PATH", "")
        self.addCleanup(os.environ.__setitem__, "PATH", old)
        os.environ["PATH"] = self.folder + ":" + old

    def put(self, name, text):
        with open("%s/%s" % (self.folder, name), "w") as file:
            file.write(text)

    def get(self, name):
        import json

        with open("%s/%s" % (self.folder, name)) as file:
            return json.load(file)

    def results(self, *packages, **options):
        return [(one.changed, one.before, one.version) for one in Apk.converge(*packages, **options)]

    def test_twice_with_and_without_check(self):
        wants = "b-c", want("d", "latest"), want("none", "absent")
        done = [(True, "", "2.0_rc1-r3"), (True, "", "3-r0"), (False, "", "")]
        self.assertEqual(self.results(*wants, check=True), done)
        self.assertEqual(self.get("installed"), {})
        self.assertEqual(self.results(*wants), done)
        self.assertEqual(self.get("installed"), {"a": "1.0-r0", "b-c": "2.0_rc1-r3", "d": "3-r0"})
        self.assertEqual([one[0] for one in self.results(*wants)], [False] * 3)
        real = [words for words in self.get("log") if words[0] == "add" and "--simulate" not in words]
        self.assertEqual(real, [["add", "--upgrade", "--", "b-c", "d"]])

    def test_latest_and_versions(self):
        self.results("a", "d")
        self.put("offered", self.offered.replace("1.0-r0", "1.1-r0"))
        self.assertEqual(self.results("a"), [(False, "1.0-r0", "1.0-r0")])
        self.assertEqual(self.results("a", state="latest"), [(True, "1.0-r0", "1.1-r0")])
        self.assertEqual(self.results("a", state="latest"), [(False, "1.1-r0", "1.1-r0")])
        self.assertEqual(self.results("a=1.1-r0"), [(False, "1.1-r0", "1.1-r0")])
        self.assertIn("breaks: world[a=7-r0]", fails(self, "conflict", ["a"], self.results, "a=7-r0"))

    def test_an_unknown_name(self):
        self.assertIn("unable to select packages", fails(self, "unknown", ["no-such"], self.results, "a", "no-such"))
        self.assertEqual(self.get("installed"), {})

    def test_a_provided_name(self):
        self.assertEqual(self.results("v"), [(True, "", "2.0_rc1-r3")])
        self.assertEqual(self.results("v"), [(False, "2.0_rc1-r3", "2.0_rc1-r3")])

    def test_what_another_package_needs_stays_and_the_error_says_which(self):
        self.results("b-c")
        text = fails(self, "conflict", ["a"], self.results, want("a", "absent"), "d")
        self.assertIn("not removed: a\n", text)
        self.assertIn("a: b-c", text)
        self.assertEqual(sorted(self.get("installed")), ["a", "b-c"])
        self.assertEqual(self.results("a", "b-c", state="absent")[0], (True, "1.0-r0", ""))
        self.assertEqual(self.get("installed"), {})

    def test_what_cannot_be(self):
        for name in ("-x", "", "a b", "!a", "a@edge", "a\n"):
            with self.assertRaises(ValueError, msg=repr(name)):
                Apk.converge("a", name)
        with self.assertRaises(NotImplementedError):
            Apk.converge("a", want("d", "held"))
        self.assertEqual(self.get("log"), [])

    def test_a_failure_of_the_query_is_not_taken_for_not_installed(self):
        self.put("apk", "#!/bin/sh\necho 'ERROR: database is broken' >&2\nexit 1\n")
        self.assertIn("database is broken", fails(self, "broken", [], Apk.converge, "a"))

    def test_failures_as_apk_tells_them(self):
        for kind, packages, said in (
            ("locked", [], "ERROR: Unable to lock database: temporarily unavailable"),
            ("download", [], "ERROR: a-1.0-r0: temporary error (try again later)"),
            ("signature", [], "ERROR: http://x/APKINDEX.tar.gz: UNTRUSTED signature"),
            ("broken", ["b-c"], "ERROR: b-c-2.0_rc1-r3.post-install: script exited with error 1"),
            ("other", [], "ERROR: no space left"),
        ):
            self.put("apk", "#!/bin/sh\necho '%s' >&2\nexit 1\n" % said)
            self.assertIn(said, fails(self, kind, packages, Apk.update))

    def test_update(self):
        self.assertTrue(Apk.update(check=True))
        self.assertEqual(self.get("log"), [])
        self.assertTrue(Apk.update())
        self.assertEqual(self.get("log"), [["update"]])


if __name__ == "__main__":
    unittest.main()
