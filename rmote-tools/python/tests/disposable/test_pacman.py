import os
import shutil
import subprocess
import time
import unittest

from bootstrap import fails, load
from pacman_host import BASE, CACHE, CONF, CUSTOM, HEAD, REPO, make, pacman, publish, reset, state

Pacman = load("pacman").Pacman


def versions():
    return dict(line.split() for line in pacman("-Q").splitlines())


def want(name, state, version=""):
    return {"name": name, "state": state, "version": version}


class Host(unittest.TestCase):
    repository = None

    def setUp(self):
        reset()
        if not Host.repository:
            publish(
                make("alpha", "1.0-1"),
                make("beta", "1.0-1", "depend = alpha"),
                make("editor", "9.0-1", "provides = vi=9"),
                make("first", "1-1", "group = both"),
                make("second", "1-1", "group = both"),
            )
            shutil.rmtree("/srv/saved", ignore_errors=True)
            Host.repository = shutil.copytree(REPO, "/srv/saved", symlinks=True)
        shutil.rmtree(REPO)
        shutil.copytree(Host.repository, REPO, symlinks=True)
        Pacman.update()

    def newer(self, fetch=True):
        """Newer versions in the repository's list."""
        publish(make("alpha", "2.0-1"), make("editor", "10.0-1", "provides = vi=10"))
        if fetch:
            Pacman.update()

    def results(self, *packages, **options):
        return [(one.changed, one.before, one.version, one.held) for one in Pacman.converge(*packages, **options)]

    def unchanged(self, call, *words, **options):
        """What a call gives, or raises, that changes nothing on the host."""
        before = state()
        try:
            return call(*words, **options)
        finally:
            self.assertEqual(state(), before)


class Lists(Host):
    def test_update_fetches_lists_and_upgrades_nothing(self):
        Pacman.package("alpha")
        self.newer(fetch=False)
        self.assertEqual(pacman("-Qu"), "")
        self.assertIs(self.unchanged(Pacman.update, check=True), True)
        self.assertEqual([Pacman.update(), Pacman.update()], [True, False])
        self.assertEqual(pacman("-Qu"), "alpha 1.0-1 -> 2.0-1\n")
        self.assertEqual(versions(), {"alpha": "1.0-1"})

    def test_check_on_a_host_on_which_nothing_was_ever_installed(self):
        shutil.rmtree(BASE)
        os.mkdir(BASE)
        self.assertIs(Pacman.update(check=True), True)
        self.assertEqual(Pacman.upgrade(check=True), [])

    def test_update_with_a_ttl_fetches_again_when_it_is_over_or_the_configuration_changed(self):
        self.newer(fetch=False)
        self.age(CONF, 100)
        self.assertEqual(Pacman.update(ttl=1000), False)
        self.age(BASE + "/sync", 2000)
        self.age(CONF, 3000)
        self.assertEqual(Pacman.update(ttl=1000), True)
        with open(CONF, "a") as file:
            file.write("[other]\nSigLevel = Never\nServer = file://%s\n" % REPO)
        publish(make("gamma", "1-1"), name="other")
        self.age(CONF, 100)
        self.assertEqual(Pacman.update(ttl=1000), True)
        # The servers may stand in a file that is included.
        with open("/etc/mirrorlist", "w") as file:
            file.write("Server = file:///srv/repo\n")
        with open(CONF, "a") as file:
            file.write("Include = /etc/mirrorlist\n")
        publish(make("alpha", "3.0-1"))
        self.age(CONF, 100)
        self.age("/etc/mirrorlist", 100)
        self.assertEqual(Pacman.update(ttl=1000), False)
        self.age("/etc/mirrorlist", -1)
        self.assertEqual(Pacman.update(ttl=1000), True)

    def age(self, path, seconds):
        at = time.time() - seconds
        os.utime(path, (at, at))

    def test_a_repository_that_cannot_be_reached_is_an_error(self):
        os.rename(REPO, REPO + ".gone")
        self.addCleanup(os.rename, REPO + ".gone", REPO)
        self.assertIn("custom.db", fails(self, "download", [], Pacman.update))

    def test_upgrade_is_of_the_whole_system_with_new_lists(self):
        Pacman.converge("alpha", "editor")
        self.newer(fetch=False)
        dry = self.unchanged(Pacman.upgrade, check=True)
        done = Pacman.upgrade()
        self.assertEqual(dry, done)
        got = [(one["name"], one.before, one.version) for one in done]
        self.assertEqual(got, [("alpha", "1.0-1", "2.0-1"), ("editor", "9.0-1", "10.0-1")])
        self.assertEqual(Pacman.upgrade(), [])


class Install(Host):
    def test_packages_come_with_what_they_need_in_one_transaction(self):
        self.assertEqual(
            self.unchanged(self.results, "beta", "first", check=True),
            [(True, "", "1.0-1", False), (True, "", "1-1", False)],
        )
        self.assertEqual(self.results("beta", "first"), [(True, "", "1.0-1", False), (True, "", "1-1", False)])
        self.assertEqual(versions(), {"alpha": "1.0-1", "beta": "1.0-1", "first": "1-1"})
        with open("/var/log/pacman.log") as file:
            self.assertEqual(file.read().count("transaction started"), 1)

    def test_groups_and_provided_names_are_not_changed_each_time(self):
        first = self.results("both", "vi")
        self.assertEqual(first, [(True, "", "first 1-1, second 1-1", False), (True, "", "9.0-1", False)])
        again = self.unchanged(self.results, "both", "vi")
        self.assertEqual([one[0] for one in again], [False, False])
        self.assertEqual([one[0] for one in self.unchanged(self.results, "both", "vi", state="latest")], [False, False])

    def test_a_group_of_which_a_part_is_there_is_completed(self):
        Pacman.package("first")
        self.assertEqual(self.results("both"), [(True, "", "first 1-1, second 1-1", False)])

    def test_a_group_goes_with_all_its_members_and_a_provided_name_stays(self):
        Pacman.converge("both", "vi")
        self.assertEqual(self.results("both", "vi", state="absent"), [
            (True, "first 1-1, second 1-1", "", False), (False, "", "", False)])
        self.assertEqual(versions(), {"editor": "9.0-1"})
        self.assertEqual(self.unchanged(self.results, "both", state="absent"), [(False, "", "", False)])

    def test_an_unknown_name_is_an_error_before_anything_is_done(self):
        Pacman.package("first")
        wants = "alpha", want("first", "absent"), "no-such"
        text = fails(self, "unknown", ["no-such"], self.unchanged, Pacman.converge, *wants)
        self.assertIn("no repository has a package or a group no-such", text)

    def test_lists_that_were_never_fetched_are_named(self):
        with open(CONF, "a") as file:
            file.write("[other]\nServer = file:///srv/other\n")
        text = fails(self, "unknown", ["no-such"], Pacman.package, "no-such")
        self.assertIn("never fetched: the list of other", text)

    def test_an_error_of_pacman_says_what_is_in_the_way(self):
        open("/usr/share/rmote-test/alpha", "w").close()
        text = fails(self, "conflict", ["alpha"], Pacman.package, "alpha")
        self.assertIn("alpha: /usr/share/rmote-test/alpha exists in filesystem", text)
        self.assertEqual(versions(), {})

    def test_an_error_after_a_step_says_what_was_done(self):
        Pacman.package("first")
        open("/usr/share/rmote-test/alpha", "w").close()
        text = fails(self, "conflict", ["alpha"], Pacman.converge, "alpha", want("first", "absent"))
        self.assertIn("before that was done: removed first", text)
        self.assertIn("exists in filesystem", text)

    def test_a_package_that_is_broken_is_an_error(self):
        with open(make("alpha", "1.0-1"), "ab") as file:
            file.write(b"more")
        fails(self, "download", ["alpha"], Pacman.package, "alpha")
        self.assertEqual(versions(), {})

    def test_a_package_that_is_damaged_in_the_cache_is_an_error(self):
        shutil.copy(REPO + "/alpha-1.0-1-any.pkg.tar.gz", CACHE)
        with open(CACHE + "/alpha-1.0-1-any.pkg.tar.gz", "r+b") as file:
            file.write(b"damage")
        self.assertIn("is corrupted", fails(self, "download", ["alpha"], Pacman.package, "alpha"))

    def test_a_signature_that_is_none_is_an_error(self):
        with open(REPO + "/alpha-1.0-1-any.pkg.tar.gz.sig", "w") as file:
            file.write("none")
        reset_conf(HEAD + CUSTOM.replace("Optional TrustAll", "PackageRequired DatabaseNever"))
        fails(self, "signature", ["alpha"], Pacman.package, "alpha")
        self.assertEqual(versions(), {})

    def test_packages_that_do_not_go_together_are_named(self):
        publish(make("rival", "1-1", "conflict = alpha"), make("lost", "1-1", "depend = nowhere"), make("thief", "1-1", files=[
            "usr/share/rmote-test/alpha"]))
        Pacman.update()
        self.unchanged(fails, self, "conflict", ["alpha", "rival"], Pacman.converge, "alpha", "rival")
        self.unchanged(fails, self, "conflict", ["lost"], Pacman.converge, "first", "lost")
        fails(self, "conflict", ["alpha", "thief"], Pacman.converge, "alpha", "thief")
        Pacman.package("alpha")
        fails(self, "conflict", ["alpha", "thief"], Pacman.package, "thief")
        self.assertEqual(versions(), {"alpha": "1.0-1"})

    def test_a_configuration_that_pacman_cannot_read_is_an_error(self):
        reset_conf("nothing\n" + HEAD + CUSTOM)
        self.assertIn("pacman.conf, line 1", fails(self, "other", [], Pacman.package, "alpha"))

    def test_a_failure_of_the_query_is_not_taken_for_not_installed(self):
        Pacman.package("alpha")
        with open(BASE + "/local/ALPM_DB_VERSION", "w") as file:
            file.write("3\n")
        for state_ in ("present", "absent"):
            text = fails(self, "broken", [], self.unchanged, Pacman.package, "alpha", state=state_)
            self.assertIn("database is incorrect version", text)

    def test_a_playbook_run_twice_changes_nothing_the_second_time(self):
        def play():
            packages = "beta", "editor=9.0-1", "both", want("first", "latest"), want("alpha", "held"), want("x", "absent")
            return [Pacman.update(), bool(Pacman.upgrade())] + [one.changed for one in Pacman.converge(*packages)]

        self.assertEqual(play(), [False, False, True, True, True, True, True, False])
        self.assertEqual(self.unchanged(play), [False] * 8)


class Refused(Host):
    def test_names_that_pacman_would_take_for_options_or_paths(self):
        for name in ("-Rdd", "--root=/", "", "a b", "a/b", "/etc/passwd", "a\n", "../a", ".", "a;b", "vi>8"):
            for call in (Pacman.package, Pacman.converge):
                with self.assertRaises(ValueError, msg=repr(name)):
                    self.unchanged(call, name)
        for version in ("-1", "1 2", "1\n", "../1"):
            with self.assertRaises(ValueError, msg=repr(version)):
                Pacman.package({"name": "alpha", "version": version})

    def test_a_name_behind_others_is_looked_at_before_the_first_is_installed(self):
        with self.assertRaises(ValueError):
            self.unchanged(Pacman.converge, "alpha", "-x")


class Partial(Host):
    def setUp(self):
        Host.setUp(self)
        Pacman.converge("alpha", "editor")
        self.newer()

    def test_an_install_beside_pending_upgrades_is_refused_and_they_are_named(self):
        text = fails(self, "other", ["alpha", "editor"], self.unchanged, Pacman.package, "first")
        self.assertIn("installing first would be a partial upgrade: upgrades of alpha, editor", text)
        text = fails(self, "other", ["editor"], self.unchanged, Pacman.package, "alpha", state="latest")
        self.assertIn("upgrades of editor are pending", text)

    def test_what_is_there_already_is_no_matter(self):
        self.assertEqual(self.unchanged(self.results, "alpha"), [(False, "1.0-1", "1.0-1", False)])

    def test_all_that_is_pending_may_be_wanted(self):
        self.assertEqual([one[2] for one in self.results("alpha", "editor", state="latest")], ["2.0-1", "10.0-1"])
        self.assertEqual([one[0] for one in self.results("alpha", "editor", state="latest")], [False, False])

    def test_all_are_upgraded_in_the_same_step_if_that_is_asked_for(self):
        self.assertEqual(self.results("first", upgrade=True), [(True, "", "1-1", False)])
        self.assertEqual(versions(), {"alpha": "2.0-1", "editor": "10.0-1", "first": "1-1"})

    def test_a_version_that_is_wanted_stays_while_all_others_are_upgraded(self):
        got = self.results("alpha=1.0-1", "first", upgrade=True)
        self.assertEqual([one[2] for one in got], ["1.0-1", "1-1"])
        self.assertEqual(versions(), {"alpha": "1.0-1", "editor": "10.0-1", "first": "1-1"})

    def test_they_are_left_if_that_is_asked_for(self):
        self.results("first", upgrade=False)
        self.assertEqual(versions(), {"alpha": "1.0-1", "editor": "9.0-1", "first": "1-1"})


class Versions(Host):
    def test_a_version_comes_from_the_repository(self):
        self.assertEqual(self.results("alpha=1.0-1"), [(True, "", "1.0-1", False)])
        self.assertEqual(self.results("alpha=1.0-1", "alpha=1.0-1"), [(False, "1.0-1", "1.0-1", False)])
        self.newer()
        self.assertEqual(self.results("alpha=2.0"), [(True, "1.0-1", "2.0-1", False)])
        self.assertEqual(self.unchanged(self.results, "alpha=2.0"), [(False, "2.0-1", "2.0-1", False)])

    def test_an_older_one_comes_from_the_cache(self):
        Pacman.package("alpha")
        self.newer()
        Pacman.upgrade()
        self.assertIn("alpha-1.0-1-any.pkg.tar.gz", os.listdir(CACHE))
        self.assertEqual(self.unchanged(self.results, "alpha=1.0-1", check=True), [(True, "2.0-1", "1.0-1", False)])
        self.assertEqual(self.results("alpha=1.0-1"), [(True, "2.0-1", "1.0-1", False)])
        self.assertEqual(self.unchanged(self.results, "alpha=1.0-1"), [(False, "1.0-1", "1.0-1", False)])

    def test_one_that_is_nowhere_is_refused_and_not_ignored(self):
        Pacman.package("alpha")
        text = fails(self, "no-version", ["alpha"], self.unchanged, Pacman.package, "alpha=7.0-1")
        self.assertEqual(text, "package alpha has no version 7.0-1: the repositories have 1.0-1, the cache 1.0-1")

    def test_a_provided_name_has_no_version(self):
        fails(self, "no-version", ["vi"], Pacman.package, "vi=9")


class Absent(Host):
    def test_what_another_package_needs_stays_and_the_error_says_which(self):
        Pacman.package("beta")
        for check in (True, False):
            wants = want("alpha", "absent"), "first"
            text = fails(self, "conflict", ["alpha", "beta"], self.unchanged, Pacman.converge, *wants, check=check)
            self.assertIn("removing alpha breaks dependency 'alpha' required by beta", text)

    def test_both_go_at_once(self):
        Pacman.package("beta")
        got = self.results("alpha", "beta", state="absent")
        self.assertEqual(got, [(True, "1.0-1", "", False)] * 2)
        self.assertEqual(versions(), {})

    def test_dependencies_go_along_if_that_is_asked_for(self):
        Pacman.package("beta")
        self.assertEqual(self.unchanged(self.results, "beta", state="absent", recursive=True, check=True)[0][2], "")
        self.results("beta", state="absent", recursive=True)
        self.assertEqual(versions(), {})

    def test_changed_configuration_is_saved_unless_it_is_purged(self):
        publish(make("conf", "1-1", "backup = usr/share/rmote-test/conf"))
        Pacman.update()
        for purge, saved in ((False, True), (True, False)):
            Pacman.package("conf")
            with open("/usr/share/rmote-test/conf", "w") as file:
                file.write("changed")
            Pacman.package("conf", state="absent", purge=purge)
            self.assertEqual(os.path.exists("/usr/share/rmote-test/conf.pacsave"), saved)
            if saved:
                os.unlink("/usr/share/rmote-test/conf.pacsave")

    def test_a_conflicting_package_is_replaced(self):
        publish(make("rival", "1-1", "conflict = alpha"))
        Pacman.update()
        Pacman.package("alpha")
        self.results(want("alpha", "absent"), "rival")
        self.assertEqual(versions(), {"rival": "1-1"})


class Held(Host):
    def conf(self):
        with open(CONF) as file:
            return file.read()

    def test_a_held_package_is_installed_and_not_upgraded(self):
        self.assertEqual(self.unchanged(self.results, want("alpha", "held"), check=True), [(True, "", "1.0-1", True)])
        self.assertEqual(self.results(want("alpha", "held")), [(True, "", "1.0-1", True)])
        self.assertEqual(self.conf(), HEAD.replace("[options]\n", "[options]\nIgnorePkg = alpha\n") + CUSTOM)
        self.newer()
        self.assertEqual(self.unchanged(self.results, want("alpha", "held")), [(False, "1.0-1", "1.0-1", True)])
        self.assertEqual(self.unchanged(Pacman.upgrade), [])
        # It is no pending upgrade, either.
        self.assertEqual(self.results("first", "alpha"), [(True, "", "1-1", False), (False, "1.0-1", "1.0-1", True)])

    def test_the_diff_is_of_what_is_edited_with_check_and_without(self):
        def diffs(call, *words, **options):
            """The lines that differ, for each package."""
            head = ["--- " + CONF, "+++ " + CONF]
            found = [one.diff.splitlines() for one in call(*words, **options)]
            self.assertEqual([lines[:2] for lines in found if lines], [head] * len(list(filter(None, found))))
            return [[line for line in lines[2:] if line[0] in "+-"] for lines in found]

        wants = want("alpha", "held"), want("first", "held"), "second"
        held = [["+IgnorePkg = alpha"], ["+IgnorePkg = first"], []]
        self.assertEqual(self.unchanged(diffs, Pacman.converge, *wants, check=True), held)
        self.assertEqual(diffs(Pacman.converge, *wants), held)
        self.assertEqual(diffs(Pacman.converge, *wants), [[], [], []])
        # That of a group has those of its members.
        gone = want("both", "absent")
        for check in (True, False):
            self.assertEqual(diffs(Pacman.converge, gone, change_held=True, check=check), [["-IgnorePkg = first"]])
        freed = [["-IgnorePkg = alpha"], []]
        self.assertEqual(self.unchanged(diffs, Pacman.unhold, "alpha", "first", check=True), freed)
        self.assertEqual(diffs(Pacman.unhold, "alpha", "first"), freed)
        self.assertEqual(diffs(Pacman.unhold, "alpha", "first"), [[], []])
        self.assertEqual(self.conf(), HEAD + CUSTOM)

    def test_a_held_version(self):
        self.assertEqual(self.results(want("alpha", "held", "1.0-1")), [(True, "", "1.0-1", True)])
        self.assertEqual(self.unchanged(self.results, want("alpha", "held", "1.0-1"))[0][0], False)

    def test_what_is_held_is_changed_only_if_that_is_asked_for(self):
        Pacman.converge(want("alpha", "held"), want("first", "held"))
        self.assertIn("IgnorePkg = alpha\nIgnorePkg = first\n", self.conf())
        # Nothing newer: nothing to refuse.
        self.assertFalse(self.unchanged(self.results, want("alpha", "latest"))[0][0])
        self.newer()
        for one in (want("alpha", "latest"), want("alpha", "absent"), "alpha=2.0-1"):
            text = fails(self, "held", ["alpha"], self.unchanged, Pacman.converge, "second", one)
            self.assertIn("package alpha is held in version 1.0-1", text)
        wants = want("alpha", "latest"), want("first", "absent")
        dry = self.unchanged(self.results, *wants, change_held=True, check=True)
        self.assertEqual(dry, [(True, "1.0-1", "2.0-1", True), (True, "1-1", "", False)])
        self.assertEqual(self.results(*wants, change_held=True), dry)
        self.assertEqual(self.conf(), HEAD.replace("[options]\n", "[options]\nIgnorePkg = alpha\n") + CUSTOM)
        self.assertEqual([one[0] for one in self.unchanged(self.results, *wants, change_held=True)], [False, False])

    def test_unhold(self):
        Pacman.package("alpha", state="held")
        self.assertEqual(self.unhold("alpha", "first", check=True), [(True, "1.0-1", "1.0-1"), (False, "", "")])
        self.assertIn("IgnorePkg", self.conf())
        self.assertEqual(self.unhold("alpha", "first"), [(True, "1.0-1", "1.0-1"), (False, "", "")])
        self.assertEqual(self.conf(), HEAD + CUSTOM)
        self.assertEqual(self.unhold("alpha"), [(False, "1.0-1", "1.0-1")])
        for name in ("-x", "a*"):
            with self.assertRaises(ValueError):
                Pacman.unhold(name)

    def unhold(self, *names, **options):
        return [(one.changed, one.before, one.version) for one in Pacman.unhold(*names, **options)]

    def test_lines_of_several_words_keep_the_others(self):
        reset_conf(HEAD.replace("[options]\n", "[options]\n  IgnorePkg=x alpha # y\n#IgnorePkg = z\n") + CUSTOM)
        self.unhold("alpha")
        self.assertIn("[options]\nIgnorePkg = x # y\n#IgnorePkg = z\n", self.conf())

    def test_an_ignored_package_is_not_pending(self):
        Pacman.package("alpha")
        reset_conf(HEAD.replace("[options]\n", "[options]\nIgnorePkg = al*\n") + CUSTOM)
        self.newer()
        self.assertEqual(self.results("first", "alpha"), [(True, "", "1-1", False), (False, "1.0-1", "1.0-1", True)])
        self.assertEqual(self.unchanged(self.results, want("alpha", "held")), [(False, "1.0-1", "1.0-1", True)])

    def test_a_hold_by_a_pattern_a_group_or_an_included_file_is_heeded_and_not_ended(self):
        Pacman.package("first")
        publish(make("first", "2-1", "group = both"))
        Pacman.update()
        with open("/etc/held.conf", "w") as file:
            file.write("IgnorePkg = first\n")
        for line in ("IgnorePkg = fir*", "IgnoreGroup = both", "Include = /etc/held.conf"):
            reset_conf(HEAD.replace("[options]\n", "[options]\n%s\n" % line) + CUSTOM)
            text = fails(self, "held", ["first"], self.unchanged, Pacman.package, "first", state="latest")
            self.assertIn("package first is held in version 1-1", text)
            text = fails(self, "held", ["first"], self.unchanged, Pacman.unhold, "first")
            self.assertIn("held by a pattern, a group or an included file", text)
            self.assertTrue(self.results("first")[0][3])
        got = Pacman.package("first", state="latest", change_held=True)
        self.assertEqual((got.changed, got.version, got.held), (True, "2-1", True))

    def test_groups_and_provided_names_cannot_be_held(self):
        for name in ("both", "vi"):
            fails(self, "unknown", [name], self.unchanged, Pacman.package, name, state="held")
        Pacman.converge("both", "vi")
        for name in ("both", "vi"):
            fails(self, "unknown", [name], self.unchanged, Pacman.package, name, state="held")


def reset_conf(text):
    with open(CONF, "w") as file:
        file.write(text)


class Lock(Host):
    def setUp(self):
        Host.setUp(self)
        # Another pacman that holds its lock, until what it fetches comes.
        os.path.exists("/srv/fifo") or os.mkfifo("/srv/fifo")
        reset_conf(HEAD + "XferCommand = /bin/sh -c 'cat /srv/fifo; false'\n" + CUSTOM)
        self.other = subprocess.Popen(["pacman", "-Sy"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.addCleanup(self.end)
        # It opens the pipe when it has the lock.
        self.pipe = open("/srv/fifo", "wb")
        reset_conf(HEAD + CUSTOM)

    def end(self):
        self.pipe.close()
        self.other.wait()

    def test_a_lock_that_is_not_freed_in_time_names_who_has_it(self):
        text = fails(self, "locked", [], Pacman.package, "alpha", lock_timeout=0)
        self.assertIn("process %d (pacman -Sy) has %s/db.lck" % (self.other.pid, BASE), text)
        self.assertEqual(versions(), {})

    def test_a_lock_that_is_freed_is_waited_for(self):
        waits = []

        def sleep(seconds):
            waits.append(seconds)
            self.end()

        old, time.sleep = time.sleep, sleep
        self.addCleanup(setattr, time, "sleep", old)
        self.assertTrue(Pacman.package("alpha").changed)
        self.assertEqual(len(waits), 1)

    def test_a_lock_that_was_left_behind_is_told_from_one_that_is_held(self):
        self.other.kill()
        self.end()
        self.assertTrue(os.path.exists(BASE + "/db.lck"))
        text = fails(self, "locked", [], Pacman.package, "alpha", lock_timeout=0)
        self.assertIn("no process that can be seen from here has %s/db.lck open" % BASE, text)

    def test_questions_do_not_need_the_lock(self):
        self.assertTrue(self.unchanged(Pacman.package, "alpha", check=True, lock_timeout=0).changed)


class Missing(Host):
    def test_a_host_without_pacman_says_so(self):
        os.rename("/usr/bin/pacman", "/usr/bin/pacman.gone")
        self.addCleanup(os.rename, "/usr/bin/pacman.gone", "/usr/bin/pacman")
        for call in (Pacman.update, Pacman.upgrade, Pacman.converge):
            with self.assertRaises(NotImplementedError) as caught:
                call()
            self.assertEqual(caught.exception.missing, "pacman")


if __name__ == "__main__":
    unittest.main()
