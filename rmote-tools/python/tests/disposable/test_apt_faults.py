from bootstrap import fails

import os
import select
import shutil
import subprocess
import tempfile
import threading
import unittest

import archive
from apt_case import Apt, Case


class Failures(Case):
    def test_what_apt_said_on_both_streams(self):
        text = fails(self, "broken", ["failing"], Apt.converge, "tiny", "failing")
        for part in (
            "said on the one",
            "said on the other",
            "exit code 100",
            "done before it stopped: tiny none -> 2.0",
            "left behind: failing (half-configured)",
            "dpkg --configure -a",
        ):
            self.assertIn(part, text)
        self.assertEqual([one.status for one in Apt.installed("failing")], ["half-configured"])

    def test_a_broken_package_can_be_removed_and_is_not_present(self):
        fails(self, "broken", ["failing"], Apt.package, "failing")
        self.same(Apt.package("failing", check=True), "failing", True, "", "1.0")
        fails(self, "broken", ["failing"], Apt.package, "failing")
        self.same(Apt.package("failing", state="absent"), "failing", True, "", "")
        self.same(Apt.package("failing", state="absent"), "failing", False, "", "")
        self.becomes("tiny", "", "2.0")

    def test_dpkg_was_interrupted(self):
        text = fails(self, "interrupted", ["killing"], Apt.package, "killing")
        self.assertIn("left behind: killing (half-configured)", text)
        self.assertTrue(os.listdir("/var/lib/dpkg/updates"))
        self.refused("interrupted", "tiny", about=[], said="dpkg was interrupted: `dpkg --configure -a` mends that")
        for check in (True, False):
            fails(self, "interrupted", [], Apt.upgrade, check=check)
        # What needs no change is no matter of it.
        self.same(Apt.package("no-such-package", state="absent"), "no-such-package", False, "", "")
        archive.put("/tmp/mended", "")
        archive.run("dpkg", "--configure", "-a")
        self.same(Apt.package("killing"), "killing", False, "1.0", "1.0")
        self.becomes("tiny", "", "2.0")

    def test_a_timeout_says_what_it_left_behind(self):
        text = fails(self, "interrupted", ["waiting"], Apt.package, "waiting", timeout=5)
        self.assertIn("timed out", text)
        self.assertIn("left behind: waiting (half-configured)", text)
        archive.run("dpkg", "--force-all", "--purge", "waiting")

    def test_an_archive_that_cannot_be_fetched(self):
        os.rename(archive.ROOT + "/pool", archive.ROOT + "/away")
        self.addCleanup(os.rename, archive.ROOT + "/away", archive.ROOT + "/pool")
        self.assertIn("File not found", fails(self, "download", ["conf"], Apt.package, "conf"))

    def test_a_file_of_another_package(self):
        Apt.package("conf=1.0")
        text = fails(self, "conflict", ["conf", "thief"], Apt.converge, "thief")
        self.assertIn("trying to overwrite '/etc/conf.conf', which is also in package conf 1.0", text)

    def test_the_environment_is_kept_but_for_the_locale(self):
        old = dict(os.environ)
        self.addCleanup(os.environ.update, old)
        self.addCleanup(os.environ.clear)
        os.environ.update(http_proxy="http://proxy:3128", LC_ALL="de_DE.UTF-8", LANGUAGE="de", DEBIAN_FRONTEND="dialog")
        Apt.package("telling")
        with open("/tmp/environment") as file:
            lines = file.read().split("\n")
        self.assertIn("http_proxy=http://proxy:3128", lines)
        self.assertIn("DEBIAN_FRONTEND=noninteractive", lines)
        self.assertIn("LC_ALL=C.UTF-8", lines)
        self.assertFalse([line for line in lines if line.startswith("LANGUAGE=") or line == "DEBIAN_FRONTEND=dialog"])

    def test_packages_of_doubtful_origin(self):
        archive.put(archive.SOURCES + "/test.list", "deb [allow-insecure=yes] file:%s stable main\n" % archive.ROOT)
        archive.run("apt-get", "-o", "Acquire::AllowInsecureRepositories=yes", "update")
        before = self.version("tiny")
        self.assertIn("unauthenticated", fails(self, "signature", ["tiny"], Apt.package, "tiny"))
        self.assertEqual(self.version("tiny"), before)


class Locks(Case):
    """Another process holds a lock, as dpkg and apt hold it."""

    def held(self, path):
        holder = subprocess.Popen(
            ["python3", "-c", "import fcntl, sys; f = open(%r, 'w'); fcntl.lockf(f, fcntl.LOCK_EX); print(flush=True); sys.stdin.read()" % path],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )

        def end():
            holder.stdin.close()
            holder.wait()
            holder.stdout.close()

        self.addCleanup(end)
        holder.stdout.readline()
        return end

    def check(self, path, work):
        end = self.held(path)
        self.assertIn(path, fails(self, "locked", [], work, lock_timeout=0))
        said = self.overheard()
        done = []
        thread = threading.Thread(target=lambda: done.append(work(lock_timeout=600)))
        thread.start()
        self.wait_for(said, path)
        end()
        thread.join()
        return done[0]

    def overheard(self):
        """A pipe that has all that apt-get says, while it says it."""
        folder = tempfile.mkdtemp()
        self.addCleanup(shutil.rmtree, folder)
        pipe = os.path.join(folder, "said")
        os.mkfifo(pipe)
        tee = "tee -a " + pipe
        script = "#!/bin/bash\nset -o pipefail\n{ /usr/bin/apt-get \"$@\" 2>&1 1>&3 3>&- | %s >&2; } 3>&1 | %s\n"
        archive.put(os.path.join(folder, "apt-get"), script % (tee, tee), 0o755)
        self.addCleanup(os.environ.__setitem__, "PATH", os.environ["PATH"])
        os.environ["PATH"] = folder + ":" + os.environ["PATH"]
        # Its own writing end keeps it open between two runs.
        said = os.open(pipe, os.O_RDWR)
        self.addCleanup(os.close, said)
        return said

    def wait_for(self, said, path):
        """Waits until apt-get says that it cannot have a lock."""
        text = b""
        while b"Could not get lock %s" % path.encode() not in text:
            self.assertTrue(select.select([said], [], [], 120)[0], text)
            text += os.read(said, 4096)

    def test_packages_are_waited_for(self):
        result = self.check("/var/lib/dpkg/lock-frontend", lambda **options: Apt.package("tiny", **options))
        self.same(result, "tiny", True, "", "2.0")

    def test_nothing_was_changed_while_others_had_the_lock(self):
        self.held("/var/lib/dpkg/lock-frontend")
        text = fails(self, "locked", [], Apt.package, "tiny", lock_timeout=0)
        self.assertIn("done before it stopped: nothing", text)
        self.assertEqual(self.version("tiny"), "")
        self.same(Apt.package("tiny", lock_timeout=0, check=True), "tiny", True, "", "2.0")

    def test_the_lock_of_archives_is_waited_for(self):
        result = self.check("/var/cache/apt/archives/lock", lambda **options: Apt.package("tiny", **options))
        self.same(result, "tiny", True, "", "2.0")

    def test_the_lock_of_lists_is_waited_for(self):
        self.assertTrue(self.check("/var/lib/apt/lists/lock", lambda **options: Apt.update(**options)))

    def test_holds_are_waited_for(self):
        Apt.package("tiny")
        end = self.held("/var/lib/dpkg/lock-frontend")
        fails(self, "locked", [], Apt.package, "tiny", state="held", lock_timeout=0)
        end()
        self.assertTrue(Apt.package("tiny", state="held").changed)


if __name__ == "__main__":
    unittest.main()
