import os
import shutil
import subprocess
import time
import unittest

from bootstrap import fails, load

Dnf = load("dnf").Dnf

REPO = "/srv/rpm"
# Where there is one, it is what `dnf` stands for, as on Fedora.
DNF5 = shutil.which("dnf5")
SPEC = """Name: %s
Version: %s
Release: 1
Summary: for a test
License: none
BuildArch: noarch
%s
%%description
For a test.
%%files
"""
CONF = "[local]\nname=local\nbaseurl=file:///srv/rpm\ngpgcheck=0\n"


def build(name, version, *fields):
    """Makes a package with rpmbuild."""
    os.makedirs("/srv/spec", exist_ok=True)
    with open("/srv/spec/x.spec", "w") as file:
        file.write(SPEC % (name, version, "\n".join(fields)))
    words = ["rpmbuild", "-bb", "--define", "_rpmdir /srv/built", "--define", "_topdir /srv/top", "/srv/spec/x.spec"]
    subprocess.run(words, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return "/srv/built/noarch/%s-%s-1.noarch.rpm" % (name, version)


def publish(*paths):
    os.makedirs(REPO, exist_ok=True)
    for path in paths:
        shutil.copy(path, REPO)
    subprocess.run(["createrepo_c", "-q", REPO], check=True)


def want(name, state, version=""):
    return {"name": name, "state": state, "version": version}


class Host(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        if DNF5:
            os.symlink(DNF5, "/usr/bin/dnf")
            # It keeps a copy of each package, and would not miss one that is gone.
            with open("/etc/dnf/libdnf5-plugins/local.conf", "w") as file:
                file.write("[main]\nname = local\nenabled = 0\n")
        cls.first = [
            build("alpha", "1.0"),
            build("beta", "1.0", "Requires: alpha", "Provides: vi = 9"),
            build("gamma", "1.0", "Epoch: 2"),
        ]
        cls.newer = build("alpha", "2.0")

    def setUp(self):
        names = [name for name in ("alpha", "beta", "gamma") if name in self.versions()]
        if names:
            subprocess.run(["rpm", "-e"] + names, check=True)
        for folder in (REPO, "/var/cache/dnf", "/var/cache/libdnf5"):
            shutil.rmtree(folder, ignore_errors=True)
        os.makedirs("/etc/yum.repos.d", exist_ok=True)
        self.conf(CONF)
        publish(*self.first)

    def conf(self, text):
        with open("/etc/yum.repos.d/local.repo", "w") as file:
            file.write(text)

    def versions(self):
        out = subprocess.run(["rpm", "-qa", "--qf", "%{NAME} %{EVR}\n"], stdout=subprocess.PIPE, universal_newlines=True)
        return dict(line.split() for line in out.stdout.splitlines())

    def results(self, *packages, **options):
        return [(one.changed, one.before, one.version) for one in Dnf.converge(*packages, **options)]

    def test_a_playbook_run_twice_changes_nothing_the_second_time(self):
        def play(**options):
            wants = "beta", "gamma", "vi", want("alpha", "latest"), want("nano", "absent")
            return self.results(*wants, **options)

        done = [(True, "", "1.0-1"), (True, "", "2:1.0-1"), (True, "", "1.0-1"), (True, "", "1.0-1"), (False, "", "")]
        dry = play(check=True)
        self.assertEqual([one[0] for one in dry], [True, True, True, True, False])
        self.assertEqual(self.versions(), {})
        self.assertEqual(play(), done)
        self.assertEqual([one[0] for one in play()], [False] * 5)
        self.assertEqual([one[0] for one in play(check=True)], [False] * 5)

    def test_latest_and_versions(self):
        self.assertEqual(self.results("alpha"), [(True, "", "1.0-1")])
        publish(self.newer)
        self.assertTrue(Dnf.update(check=True))
        self.assertEqual([Dnf.update(), Dnf.update()], [True, False])
        self.assertEqual(self.results("alpha"), [(False, "1.0-1", "1.0-1")])
        self.assertEqual(self.results("alpha", state="latest", check=True), [(True, "1.0-1", "2.0-1")])
        self.assertEqual(self.results("alpha", state="latest"), [(True, "1.0-1", "2.0-1")])
        self.assertEqual(self.results("alpha", state="latest"), [(False, "2.0-1", "2.0-1")])
        # Back to the older one.
        self.assertEqual(self.results("alpha=1.0"), [(True, "2.0-1", "1.0-1")])
        self.assertEqual(self.results("alpha=1.0-1"), [(False, "1.0-1", "1.0-1")])
        text = fails(self, "no-version", ["alpha"], self.results, "gamma", "alpha=7")
        self.assertEqual(text, "package alpha has no version 7: the repositories have 1.0-1, 2.0-1")
        self.assertEqual(self.versions(), {"alpha": "1.0-1"})

    def test_what_another_package_needs_stays_and_the_error_says_which(self):
        Dnf.converge("beta")
        for check in (True, False):
            text = fails(self, "conflict", ["beta"], Dnf.converge, "gamma", want("alpha", "absent"), check=check)
            self.assertIn("alpha is needed by (installed) beta", text)
        self.assertEqual(self.versions(), {"alpha": "1.0-1", "beta": "1.0-1"})
        self.assertEqual(self.results("alpha", "beta", state="absent"), [(True, "1.0-1", "")] * 2)
        self.assertEqual(self.results("alpha", "beta", state="absent"), [(False, "", "")] * 2)

    def test_what_cannot_be(self):
        fails(self, "unknown", ["no-such"], Dnf.converge, "alpha", "no-such")
        for name in ("-x", "", "a b", "al*", "@group", "/etc/passwd", "a\n"):
            with self.assertRaises(ValueError, msg=repr(name)):
                Dnf.converge("alpha", name)
        with self.assertRaises(NotImplementedError):
            Dnf.converge("alpha", want("gamma", "held"))
        self.assertEqual(self.versions(), {})

    def test_a_failure_of_rpm_is_not_taken_for_not_installed(self):
        Dnf.converge("alpha")
        os.rename("/usr/bin/rpm", "/usr/bin/rpm.real")
        self.addCleanup(os.rename, "/usr/bin/rpm.real", "/usr/bin/rpm")
        with open("/usr/bin/rpm", "w") as file:
            file.write("#!/bin/sh\necho 'error: cannot open Packages database' >&2\nexit 1\n")
        os.chmod("/usr/bin/rpm", 0o755)
        self.assertIn("cannot open Packages database", fails(self, "broken", [], Dnf.converge, "alpha"))

    def test_packages_that_do_not_go_together_are_named(self):
        publish(build("rival", "1.0", "Conflicts: alpha"), build("lost", "1.0", "Requires: nowhere"))
        fails(self, "conflict", ["alpha", "rival"], Dnf.converge, "alpha", "rival")
        fails(self, "conflict", ["lost"], Dnf.converge, "gamma", "lost")
        Dnf.converge("gamma")
        self.assertIn("before that was done: removed gamma", fails(self, "conflict", ["lost"], Dnf.converge, want("gamma", "absent"), "lost"))
        self.assertEqual(self.versions(), {})

    def test_a_package_that_is_gone_or_damaged_is_an_error(self):
        path = REPO + "/alpha-1.0-1.noarch.rpm"
        with open(path, "ab") as file:
            file.write(b"more")
        fails(self, "download", ["alpha"], Dnf.converge, "alpha")
        os.unlink(path)
        fails(self, "download", ["alpha"], Dnf.converge, "alpha")

    def test_a_repository_that_cannot_be_reached_is_an_error(self):
        self.conf(CONF.replace(REPO, "/srv/nowhere") + "skip_if_unavailable=0\n")
        self.assertRegex(fails(self, "download", [], Dnf.update), "repo.*local")

    def test_a_package_without_a_signature_is_an_error(self):
        self.conf(CONF.replace("gpgcheck=0", "gpgcheck=1"))
        fails(self, "signature", ["alpha"] if DNF5 else [], Dnf.converge, "alpha")
        self.assertEqual(self.versions(), {})

    def test_a_script_that_fails_is_an_error(self):
        publish(build("failing", "1.0", "%pre -p <lua>", "error()"))
        fails(self, "broken", ["failing"], Dnf.converge, "failing")
        self.assertEqual(self.versions(), {})

    def waited_for(self, other, end, act, *args):
        """Another one holds a lock until something is done."""
        self.assertIn(str(other.pid), fails(self, "locked", [], act, *args, lock_timeout=0))
        waits = []

        def sleep(seconds):
            waits.append(seconds)
            end()
            other.wait()

        old, time.sleep = time.sleep, sleep
        self.addCleanup(setattr, time, "sleep", old)
        act(*args)
        self.assertEqual(len(waits), 1)

    def test_an_rpm_that_runs_is_waited_for_and_named(self):
        os.mkfifo("/srv/fifo")
        self.addCleanup(os.unlink, "/srv/fifo")
        slow = build("slow", "1.0", "%pre -p <lua>", "io.open('/srv/fifo'):read()")
        other = subprocess.Popen(["rpm", "-i", slow] + ["--force-debian"] * (not DNF5))
        self.addCleanup(subprocess.call, ["rpm", "-e", "slow"])
        # Its script opens the other end.
        fifo = open("/srv/fifo", "wb")
        self.addCleanup(fifo.close)
        self.waited_for(other, fifo.close, Dnf.converge, "alpha")

    @unittest.skipIf(DNF5, "dnf 5 has no lock of its own")
    def test_another_dnf_is_waited_for_and_named(self):
        # A repository that never answers: the other one holds its lock until it is stopped.
        code = (
            "import dnf, sys; base = dnf.Base(); base.conf.read();"
            "lock = dnf.lock.build_metadata_lock(base.conf.cachedir, True); lock.__enter__();"
            "print('locked', flush=True); sys.stdin.read()"
        )
        other = subprocess.Popen(["python3", "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.addCleanup(other.wait)
        self.addCleanup(other.stdin.close)
        self.addCleanup(other.stdout.close)
        self.assertEqual(other.stdout.readline(), b"locked\n")
        self.waited_for(other, other.stdin.close, Dnf.update)


if __name__ == "__main__":
    unittest.main()
