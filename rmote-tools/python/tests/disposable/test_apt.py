from bootstrap import fails

import os
import unittest

import archive
from apt_case import Apt, Case

HISTORY = "/var/log/apt/history.log"


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
