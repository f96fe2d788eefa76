import os
import unittest

from bootstrap import fails
from pacman_case import Host, Pacman, versions, want
from pacman_host import CACHE, make, publish


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


if __name__ == "__main__":
    unittest.main()
