import os
import shutil
import time
import unittest

from bootstrap import fails
from pacman_case import Host, Pacman, reset_conf, versions, want
from pacman_host import BASE, CACHE, CONF, CUSTOM, HEAD, REPO, make, pacman, publish


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
