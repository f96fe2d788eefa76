from bootstrap import fails, load

import os
import select
import shutil
import subprocess
import tempfile
import threading
import unittest

import archive

apt = load("apt")
apt_get = load("apt_get")
Apt = apt.Apt
HISTORY = "/var/log/apt/history.log"


def setUpModule():
    archive.make()
    archive.run("dpkg", "--add-architecture", "i386")


class Case(unittest.TestCase):
    def setUp(self):
        archive.reset()
        self.source()
        archive.run("apt-get", "update")

    def source(self, path=archive.ROOT):
        archive.put(archive.SOURCES + "/test.list", "deb [trusted=yes] file:%s stable main\n" % path)

    def version(self, name):
        """What dpkg itself says of a package."""
        words = "dpkg-query", "-W", "-f", "${db:Status-Status} ${Version} ${db:Status-Want}", name
        done = subprocess.run(words, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        status, version, want = (done.stdout.decode().split(" ") + ["", ""])[:3] if done.stdout else ("", "", "")
        if want == "hold":
            version += " held"
        return version if status == "installed" else status.replace("not-installed", "")

    def same(self, result, name, changed, before, version, held=False):
        self.assertEqual(
            (result["name"], result.changed, result.before, result.version, result.held),
            (name, changed, before, version, held),
        )

    def becomes(self, package, before, after, held=False, **options):
        """A package goes from one version to another: with check not at all, then once, and only once."""
        name = package["name"] if isinstance(package, dict) else package.partition("=")[0]
        there = self.version(name)
        self.same(Apt.package(package, check=True, **options), name, True, before, after, held)
        self.assertEqual(self.version(name), there)
        self.same(Apt.package(package, **options), name, True, before, after, held)
        self.same(Apt.package(package, check=True, **options), name, False, after, after, held)
        self.same(Apt.package(package, **options), name, False, after, after, held)
        self.assertEqual(self.version(name).replace("config-files", ""), after + (" held" if held else ""))

    def text(self, error, about, call, *args, **options):
        """That of an error: a class, or the kind of one that is about these packages."""
        if isinstance(error, str):
            return fails(self, error, about, call, *args, **options)
        with self.assertRaises(error) as caught:
            call(*args, **options)
        return str(caught.exception)

    def refused(self, error, *packages, about=(), said="", **options):
        """Neither with check nor without, and nothing is changed."""
        before = archive.run("dpkg-query", "-W", "-f", "${binary:Package} ${Status} ${Version}\n")
        texts = []
        for check in (True, False):
            texts.append(self.text(error, about, Apt.converge, *packages, check=check, **options))
            self.assertIn(said, texts[-1])
        after = archive.run("dpkg-query", "-W", "-f", "${binary:Package} ${Status} ${Version}\n")
        self.assertEqual(before, after)
        return texts[1]


class States(Case):
    def test_present_latest_and_absent(self):
        self.becomes("tiny=1.0", "", "1.0")
        self.same(Apt.package("tiny"), "tiny", False, "1.0", "1.0")
        self.becomes("tiny", "1.0", "2.0", state="latest")
        self.becomes("tiny", "2.0", "", state="absent")
        self.becomes("tiny", "", "2.0")

    def test_a_version_is_installed_over_another_one(self):
        Apt.package("tiny=1.0")
        self.becomes("tiny=2.0", "1.0", "2.0")

    def test_an_older_version_only_if_that_is_allowed(self):
        Apt.package("tiny")
        self.refused("other", "tiny=1.0", about=[], said="downgrade")
        self.becomes("tiny=1.0", "2.0", "1.0", allow_downgrade=True)

    def test_a_version_that_is_not_there(self):
        self.refused("no-version", "other", "tiny=9", about=["tiny"], said="package tiny has no version 9; the lists of packages have 2.0, 1.0")

    def test_the_state_of_a_package_object_counts(self):
        Apt.converge("tiny", "other")
        done = Apt.converge({"name": "tiny", "state": "absent"}, {"name": "other", "state": "absent", "version": ""})
        self.assertEqual([(one["name"], one.changed, one.version) for one in done], [("tiny", True, ""), ("other", True, "")])
        self.assertEqual((self.version("tiny"), self.version("other")), ("", ""))

    def test_what_is_wrong_with_one_is_found_before_another_is_changed(self):
        self.refused("unknown", "tiny", "nosuch", about=["nosuch"], said="package nosuch is in no list")
        self.refused(ValueError, "tiny", "-y")
        self.refused(ValueError, "tiny", {"name": "tiny", "state": "absent"})
        self.refused(ValueError, "tiny", conffiles="mine")

    def test_a_simulation_that_fails_is_an_error(self):
        text = self.refused("conflict", "tiny", "impossible", about=["impossible"], said="impossible : Depends: nowhere")
        self.assertIn("E: Unable to correct problems", text)
        self.refused("other", {"name": "login", "state": "absent"}, about=[], said="Essential packages were removed")

    def test_one_transaction_for_all(self):
        Apt.converge("tiny=1.0", "other")
        with open(HISTORY) as file:
            before = file.read().count("Commandline:")
        done = Apt.converge(
            "conf=1.0", {"name": "tiny", "state": "latest"}, {"name": "other", "state": "absent"}, "multi", "mail-a"
        )
        self.assertEqual([one.version for one in done], ["1.0", "2.0", "", "2.0", "1.0"])
        with open(HISTORY) as file:
            self.assertEqual(file.read().count("Commandline:"), before + 1)

    def test_one_that_conflicts_takes_the_place_of_another(self):
        Apt.package("tiny")
        wanted = {"name": "tiny", "state": "absent"}, "clash"
        self.assertEqual([one.changed for one in Apt.converge(*wanted)], [True, True])
        self.assertEqual([one.changed for one in Apt.converge(*wanted)], [False, False])
        self.refused("conflict", "tiny", "clash", about=["clash"], said="package clash is to be present")

    def test_recommended_packages(self):
        Apt.package("needs", recommends=False)
        self.assertEqual(self.version("other"), "")
        Apt.package("needs", state="absent")
        Apt.package("needs", recommends=True)
        self.assertEqual(self.version("other"), "2.0")

    def test_one_that_others_needed_is_marked_as_wanted_itself(self):
        Apt.package("needs", recommends=False)
        self.assertEqual(archive.run("apt-mark", "showauto", "tiny").split(), ["tiny"])
        self.same(Apt.package("tiny", check=True), "tiny", True, "2.0", "2.0")
        self.same(Apt.package("tiny"), "tiny", True, "2.0", "2.0")
        self.same(Apt.package("tiny"), "tiny", False, "2.0", "2.0")
        self.assertEqual(archive.run("apt-mark", "showauto", "tiny"), "")


class Configuration(Case):
    def edited(self):
        Apt.package("conf=1.0")
        archive.put("/etc/conf.conf", "edited\n")

    def text(self):
        with open("/etc/conf.conf") as file:
            return file.read()

    def test_a_question_about_a_changed_file_does_not_break_dpkg(self):
        self.edited()
        self.becomes("conf", "1.0", "2.0", state="latest")
        self.assertEqual(self.text(), "edited\n")

    def test_the_new_file_is_taken_where_that_is_asked_for(self):
        self.edited()
        self.becomes("conf", "1.0", "2.0", state="latest", conffiles="new")
        self.assertEqual(self.text(), "version 2\n")

    def test_removed_but_not_purged(self):
        self.edited()
        self.becomes("conf", "1.0", "", state="absent")
        self.assertEqual((self.version("conf"), self.text()), ("config-files", "edited\n"))
        self.becomes_gone()
        self.becomes("conf=1.0", "", "1.0")
        self.becomes("conf", "1.0", "", state="absent", purge=True)
        self.assertFalse(os.path.exists("/etc/conf.conf"))

    def becomes_gone(self):
        self.same(Apt.package("conf", state="absent", purge=True, check=True), "conf", True, "", "")
        self.assertTrue(os.path.exists("/etc/conf.conf"))
        self.same(Apt.package("conf", state="absent", purge=True), "conf", True, "", "")
        self.assertFalse(os.path.exists("/etc/conf.conf"))
        self.same(Apt.package("conf", state="absent", purge=True), "conf", False, "", "")


class Holds(Case):
    def test_a_held_package_is_installed(self):
        Apt.package("tiny=1.0")
        archive.run("apt-mark", "hold", "tiny")
        self.same(Apt.package("tiny"), "tiny", False, "1.0", "1.0", held=True)
        self.same(Apt.package("tiny=1.0"), "tiny", False, "1.0", "1.0", held=True)
        self.refused("held", {"name": "tiny", "state": "absent"}, about=["tiny"], said="package tiny is held in version 1.0")
        self.assertEqual(self.version("tiny"), "1.0 held")

    def test_held_as_a_state(self):
        self.becomes({"name": "tiny", "state": "held", "version": "1.0"}, "", "1.0", held=True)
        self.becomes("other=1.0", "", "1.0")
        self.becomes("other", "1.0", "1.0", held=True, state="held")
        self.assertEqual(archive.run("apt-mark", "showhold").split(), ["other", "tiny"])

    def test_a_held_one_goes_to_another_version_if_the_hold_is_for_that(self):
        Apt.package("tiny=1.0", state="held")
        self.becomes({"name": "tiny", "state": "held", "version": "2.0"}, "1.0", "2.0", held=True)

    def test_latest_and_others_leave_a_held_one_alone_unless_they_may_change_it(self):
        Apt.package("tiny=1.0", state="held")
        for wanted in ("tiny=2.0", {"name": "tiny", "state": "latest"}, {"name": "tiny", "state": "absent"}):
            self.refused("held", wanted, about=["tiny"], said="package tiny is held in version 1.0")
        self.becomes("tiny", "1.0", "2.0", held=True, state="latest", change_held=True)
        self.same(Apt.package("tiny", state="latest"), "tiny", False, "2.0", "2.0", held=True)
        self.becomes("tiny", "2.0", "", state="absent", change_held=True)

    def test_a_held_one_that_is_not_named_is_not_changed(self):
        Apt.converge("tiny", "other=1.0", "needs", recommends=False)
        archive.run("apt-mark", "hold", "needs", "other")
        tiny, other = {"name": "tiny", "state": "absent"}, {"name": "other", "state": "latest"}
        self.refused("conflict", tiny, about=["needs"], said="needs : Depends: tiny")
        # The leave to change one is none for the others.
        self.refused("conflict", other, tiny, about=["needs"], change_held=True, said="needs : Depends: tiny")
        self.refused("conflict", other, "clash", about=["needs"], change_held=True)
        Apt.upgrade(full=True)
        self.assertEqual((self.version("needs"), self.version("other")), ("1.0 held", "1.0 held"))

    def test_a_failure_leaves_the_hold(self):
        Apt.package("tiny=1.0", state="held")
        fails(self, "broken", ["failing"], Apt.converge, {"name": "tiny", "state": "held", "version": "2.0"}, "failing")
        self.assertEqual(self.version("tiny"), "2.0 held")

    def test_unhold(self):
        Apt.converge("tiny=1.0", state="held")
        self.same(Apt.unhold("tiny", check=True)[0], "tiny", True, "1.0", "1.0")
        self.assertEqual(self.version("tiny"), "1.0 held")
        self.same(Apt.unhold("tiny")[0], "tiny", True, "1.0", "1.0")
        again = Apt.unhold("tiny", "other")
        self.same(again[0], "tiny", False, "1.0", "1.0")
        self.same(again[1], "other", False, "", "")
        self.assertEqual(self.version("tiny"), "1.0")
        with self.assertRaises(ValueError):
            Apt.unhold("--all")


class Names(Case):
    def test_each_architecture_is_a_package_of_its_own(self):
        self.becomes("multi:i386=1.0", "", "1.0")
        self.becomes("multi=1.0", "", "1.0")
        self.becomes("multi:amd64", "1.0", "1.0", held=True, state="held")
        self.becomes("multi:i386", "1.0", "", state="absent")
        self.assertEqual((self.version("multi:amd64"), self.version("multi:i386")), ("1.0 held", ""))
        self.refused(ValueError, "multi", "multi:amd64", said="wanted twice")

    def test_one_that_exists_for_another_architecture_only(self):
        self.same(Apt.package("foreign"), "foreign", True, "", "1.0")
        self.same(Apt.package("foreign"), "foreign", False, "1.0", "1.0")
        self.same(Apt.package("foreign:i386"), "foreign:i386", False, "1.0", "1.0")
        self.same(Apt.package("foreign", state="absent"), "foreign", True, "1.0", "")
        self.same(Apt.package("foreign", state="absent"), "foreign", False, "", "")

    def test_an_architecture_that_is_not_known(self):
        self.refused("unknown", "tiny:sparc", about=["tiny:sparc"], said="dpkg --add-architecture")

    def test_a_virtual_package_is_there_if_something_provides_it(self):
        self.refused("unknown", "tiny", "mail-server", about=["mail-server"], said="it is provided by mail-a, mail-b")
        Apt.package("mail-a")
        for name in ("mail-server", "other-name"):
            self.same(Apt.package(name), name, False, "1.0", "1.0")
        wanted = {"name": "mail-server", "state": "absent"}
        self.refused("unknown", wanted, about=["mail-server"], said="it is provided by mail-a")
        self.refused("unknown", "mail-server", about=["mail-server"], state="held", said="is virtual")
        Apt.package("mail-a", state="absent")
        self.same(Apt.package("mail-server", state="absent"), "mail-server", False, "", "")

    def test_a_virtual_package_that_another_of_the_same_call_provides(self):
        for check in (True, False):
            done = Apt.converge("mail-server", "mail-b", check=check)
            self.same(done[0], "mail-server", True, "", "1.0")
            self.same(done[1], "mail-b", True, "", "1.0")
        self.assertEqual([one.changed for one in Apt.converge("mail-server", "mail-b")], [False, False])

    def test_patterns_and_options_are_no_names(self):
        Apt.package("other")
        for name in ("ti*", "^tiny$", "tiny|other", "tin[y]", "-y", "--purge", "other-", "other_", "tiny/stable", "./x.deb", "", "a b"):
            self.refused(ValueError, name, said="a package %r is refused" % name)
        # These look like names, but would be patterns or a mark to apt.
        for name in ("tin.", "tiny+", "other+"):
            self.refused("unknown", name, about=[name], said="package %s is in no list" % name)
        for version in ("1*", "1 2", "-1", "1/2"):
            self.refused(ValueError, {"name": "tiny", "version": version}, said="a version")

    def test_a_name_that_ends_as_marks_do(self):
        self.becomes("c++", "", "1.0")
        self.becomes("c++", "1.0", "", state="absent")

    def test_one_that_is_absent_and_unknown(self):
        self.same(Apt.package("no-such-package", state="absent"), "no-such-package", False, "", "")


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


class Upgrades(Case):
    def test_all_that_are_not_held(self):
        Apt.converge("tiny=1.0", "multi=1.0", "multi:i386=1.0", {"name": "other", "state": "held", "version": "1.0"}, "grown=1.0")
        wanted = [("multi", "1.0", "2.0"), ("multi:i386", "1.0", "2.0"), ("tiny", "1.0", "2.0")]
        for check in (True, False):
            done = Apt.upgrade(check=check)
            self.assertEqual([(one["name"], one.before, one.version) for one in done if one["name"] != "grown"], wanted)
            self.assertTrue(all(one.changed for one in done))
        self.assertEqual(Apt.upgrade(), [])
        self.assertEqual((self.version("tiny"), self.version("other")), ("2.0", "1.0 held"))

    def test_in_full(self):
        Apt.package("grown=1.0")
        self.assertEqual(Apt.upgrade(), [])
        for check in (True, False):
            done = Apt.upgrade(full=True, check=check)
            self.assertEqual([(one["name"], one.before, one.version) for one in done], [("grown", "1.0", "2.0"), ("other", "", "2.0")])
        self.assertEqual(Apt.upgrade(full=True), [])

    def test_configuration(self):
        Apt.package("conf=1.0")
        archive.put("/etc/conf.conf", "edited\n")
        Apt.upgrade(conffiles="new")
        with open("/etc/conf.conf") as file:
            self.assertEqual(file.read(), "version 2\n")


class Updates(Case):
    def test_once_for_as_long_as_ttl_says(self):
        self.assertTrue(Apt.update(ttl=3600, check=True))
        self.assertTrue(Apt.update(ttl=3600))
        self.assertFalse(Apt.update(ttl=3600))
        self.assertFalse(Apt.update(ttl=3600, check=True))
        self.assertTrue(Apt.update(ttl=0))
        os.utime(apt_get.STAMP, (0, 0))
        self.assertTrue(Apt.update(ttl=3600))
        self.assertTrue(Apt.update())

    def test_changed_sources_keys_and_architectures_end_it(self):
        Apt.update()
        for path in (archive.SOURCES + "/new.list", archive.KEYS + "/new.asc", "/etc/apt/sources.list", "/etc/apt/trusted.gpg.d/new.asc"):
            self.addCleanup(lambda path=path: os.path.exists(path) and os.unlink(path))
            archive.put("/tmp/new", "")
            os.utime("/tmp/new", (0, 0))
            os.rename("/tmp/new", path)
            self.assertTrue(Apt.update(ttl=3600), path)
            self.assertFalse(Apt.update(ttl=3600), path)
            os.unlink(path)
            # A file that is gone is seen where its folder is looked at.
            self.assertEqual(Apt.update(ttl=3600), path != "/etc/apt/sources.list")
        archive.run("dpkg", "--add-architecture", "arm64")
        self.addCleanup(archive.run, "dpkg", "--remove-architecture", "arm64")
        self.assertTrue(Apt.update(ttl=3600))

    def test_lists_that_are_gone_end_it(self):
        Apt.update()
        archive.run("sh", "-c", "rm -rf /var/lib/apt/lists/*")
        self.assertTrue(Apt.update(ttl=3600))
        self.assertFalse(Apt.update(ttl=3600))

    def test_lists_that_cannot_be_fetched_are_an_error_each_time(self):
        Apt.update()
        self.source("/srv/nowhere")
        for _ in range(2):
            self.assertIn("/srv/nowhere", fails(self, "download", [], Apt.update, ttl=3600))
        self.assertEqual(os.listdir(os.path.dirname(apt_get.STAMP)), [os.path.basename(apt_get.STAMP)])

    def test_unknown_packages_where_the_lists_are_old(self):
        Apt.update()
        self.refused("unknown", "nosuch", about=["nosuch"], said="in no list of packages")
        self.source()
        self.refused("unknown", "nosuch", about=["nosuch"], said="Apt.update")


class Installed(Case):
    def test_what_is_there(self):
        Apt.converge("tiny=1.0", "multi:i386", "conf", {"name": "other", "state": "held"})
        Apt.package("conf", state="absent")
        found = Apt.installed("multi:i386", "tiny", "conf", "other", "no-such-package", "multi")
        self.assertEqual(
            [(one["name"], one.version, one.architecture, one.status, one.held) for one in found],
            [
                ("multi:i386", "2.0", "i386", "installed", False),
                ("tiny", "1.0", "all", "installed", False),
                ("other", "2.0", "all", "installed", True),
            ],
        )
        names = [one["name"] for one in Apt.installed()]
        self.assertTrue({"multi:i386", "tiny", "other", "dpkg", "libc6"} <= set(names))
        self.assertNotIn("conf", names)


if __name__ == "__main__":
    unittest.main()
