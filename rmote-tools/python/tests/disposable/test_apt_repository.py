from bootstrap import fails, load

import os
import subprocess
import unittest

import archive

Apt = load("apt").Apt
AptRepository = load("apt_repository").AptRepository
URIS = ["file:" + archive.ROOT]
FULL = {"uris": URIS, "suites": ["stable"], "components": ["main"]}
KEY = None


def setUpModule():
    global KEY
    KEY = archive.make()


def binary(home=archive.HOME):
    words = archive.gpg("--export", home=home)
    return subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout


class Case(unittest.TestCase):
    def setUp(self):
        archive.reset()

    def files(self):
        found = {}
        for folder in (archive.KEYS, archive.SOURCES):
            for name in sorted(os.listdir(folder)):
                with open(os.path.join(folder, name), "rb") as file:
                    found[name] = file.read()
        return found

    def once(self, work):
        """Does something with check, once and again: it changes things once."""
        before = self.files()
        would = work(check=True)
        self.assertEqual(self.files(), before)
        done = work()
        self.assertEqual((would.changed, would.diff, would.update_needed), (done.changed, done.diff, done.update_needed))
        self.assertTrue(done.changed and done.update_needed and done.diff)
        self.assertNotEqual(self.files(), before)
        for check in (True, False):
            again = work(check=check)
            self.assertEqual((again.changed, again.diff), (False, ""))
        return done

    def refused(self, error, work, *arguments, said="", **options):
        """Nothing is written, and the error does not show what may be secret."""
        before = self.files()
        for check in (True, False):
            with self.assertRaises(error) as caught:
                work(*arguments, check=check, **options)
            self.assertIn(said, str(caught.exception))
        self.assertEqual(self.files(), before)
        return str(caught.exception)


class Playbook(Case):
    def test_the_second_run_changes_nothing(self):
        archive.run("dpkg", "--add-architecture", "i386")
        wanted = "tiny=1.0", {"name": "other", "state": "held"}, {"name": "conf", "state": "latest"}, "multi:i386"
        runs = []
        for _ in range(2):
            changed = [AptRepository.key("test", KEY).changed]
            source = AptRepository.present("test", signed_by="test", **FULL)
            changed += [source.changed, source.update_needed, Apt.update(ttl=3600)]
            changed += [one.changed for one in Apt.converge(*wanted)]
            runs.append(changed)
        self.assertEqual(runs, [[True] * 8, [False] * 8])
        self.assertTrue(AptRepository.absent("test").changed)
        self.assertEqual(self.files(), {})


class Keys(Case):
    def test_an_armoured_key(self):
        done = self.once(lambda **options: AptRepository.key("test", KEY, **options))
        self.assertEqual((done["name"], done.path), ("test", archive.KEYS + "/test.asc"))
        self.assertEqual(self.files(), {"test.asc": KEY.encode()})

    def test_a_binary_key(self):
        self.once(lambda **options: AptRepository.key("test", binary(), **options))
        self.assertEqual(self.files(), {"test.gpg": binary()})
        AptRepository.present("test", signed_by="test", **FULL)
        self.assertTrue(Apt.update())

    def test_one_form_takes_the_place_of_the_other(self):
        AptRepository.key("test", binary())
        self.once(lambda **options: AptRepository.key("test.gpg", KEY, **options))
        self.assertEqual(list(self.files()), ["test.asc"])

    def test_line_ends_and_space_around_an_armoured_key_are_put_right(self):
        AptRepository.key("test", "\ufeff\n" + KEY.replace("\n", "\r\n") + "\n\n")
        self.assertEqual(self.files(), {"test.asc": KEY.encode()})

    def test_readable_whatever_the_umask_is(self):
        os.rmdir(archive.KEYS)
        old = os.umask(0o077)
        self.addCleanup(os.umask, old)
        would = AptRepository.key("test", KEY, check=True)
        self.assertFalse(os.path.exists(archive.KEYS))
        self.assertEqual(AptRepository.key("test", KEY).diff, would.diff)
        AptRepository.present("test", signed_by="test", **FULL)
        for path, mode in ((archive.KEYS, 0o755), (archive.KEYS + "/test.asc", 0o644), (archive.SOURCES + "/test.sources", 0o644)):
            self.assertEqual(os.stat(path).st_mode & 0o7777, mode, path)
        # apt's own user reads them.
        self.assertTrue(Apt.update())

    def test_what_is_no_public_key(self):
        secret = archive.run(*archive.gpg("--armor", "--export-secret-keys"))
        words = archive.gpg("--export-secret-keys")
        raw = subprocess.run(words, stdout=subprocess.PIPE, check=True).stdout
        lines = KEY.split("\n")
        cut = "\n".join(lines[:3] + lines[4:])
        body = lines.index("") + 1
        changed = list(lines)
        changed[body] = changed[body][:20] + ("A" if changed[body][20] != "A" else "B") + changed[body][21:]
        for data, said in (
            ("<html>404</html>", "no public key"),
            ("", "cut short"),
            (secret, "private key"),
            (raw, "private key"),
            (binary()[:-9], "cut short"),
            (cut, ""),
            ("\n".join(changed), "checksum"),
            (KEY + KEY, "first of several"),
            (KEY.encode() + binary(), "one armoured block"),
            (binary() + KEY.encode(), "one armoured block"),
            ("# comment\n" + KEY, "one armoured block"),
            ("-----BEGIN PGP SIGNATURE-----\n\n-----END PGP SIGNATURE-----\n", "one armoured block"),
        ):
            text = self.refused(ValueError, AptRepository.key, "test", data, said=said)
            self.assertNotIn(lines[body][:20], text)

    def test_a_key_that_only_gpg_finds_bad(self):
        # The packets are whole, but the first has no content.
        self.refused(ValueError, AptRepository.key, "test", b"\xc6\x01\x00" + b"\xcd\x01a", said="gpg reads no key")

    def test_names_that_lead_elsewhere(self):
        for name in ("../x", "a/b", "/etc/x", "", ".", "..", ".asc", ".hidden", "a b", "a!", "a\n", "-x", "ä"):
            self.refused(ValueError, AptRepository.key, name, KEY, said="a key")
            self.refused(ValueError, AptRepository.present, name, said="a source", **FULL)
            self.refused(ValueError, AptRepository.absent, name, said="a source")


class Sources(Case):
    KINDS = "binary-all/Packages", "binary-amd64/Packages", "binary-i386/Packages", "source/Sources"

    def write(self, **options):
        """A source as apt itself reads it."""
        self.once(lambda **more: AptRepository.present("test", **dict(options, **more)))
        with open(archive.SOURCES + "/test.sources") as file:
            return file.read()

    def read_by_apt(self):
        """What apt would fetch first."""
        done = subprocess.run(["apt-get", "update", "--print-uris"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, check=True)
        self.assertEqual(done.stderr, b"")
        return [line.split("'")[1] for line in done.stdout.decode().split("\n") if line]

    def test_all_fields(self):
        AptRepository.key("test", KEY)
        text = self.write(
            uris=URIS + ["http://mirror.example.org/debian"],
            suites=["stable", "stable-updates"],
            components=["main", "contrib"],
            types=["deb", "deb-src"],
            signed_by="test",
            architectures=["amd64", "i386"],
            enabled=True,
            trusted=False,
            fields={"Check-Valid-Until": "no", "Languages": "none"},
        )
        self.assertEqual(
            text,
            "Types: deb deb-src\nURIs: file:/srv/archive http://mirror.example.org/debian\nSuites: stable stable-updates\n"
            "Components: main contrib\nArchitectures: amd64 i386\nSigned-By: /etc/apt/keyrings/test.asc\nEnabled: yes\n"
            "Trusted: no\nCheck-Valid-Until: no\nLanguages: none\n",
        )
        places = ["file:/srv/archive", "http://mirror.example.org/debian"]
        suites = ["stable", "stable-updates"]
        expected = {"%s/dists/%s/InRelease" % (place, suite) for place in places for suite in suites}
        read = self.read_by_apt()
        self.assertEqual({uri for uri in read if uri.endswith("InRelease")}, expected)
        kinds = {uri.partition("/dists/stable/")[2] for uri in read} - {"", "InRelease"}
        self.assertEqual(kinds, {"%s/%s.xz" % (part, kind) for part in ("main", "contrib") for kind in self.KINDS})

    def test_a_flat_one_has_no_components(self):
        AptRepository.key("test", KEY)
        text = self.write(uris=URIS, suites=["./"], signed_by="test")
        self.assertNotIn("Components", text)
        self.assertTrue(Apt.update())
        self.assertEqual(Apt.package("tiny=1.0").version, "1.0")
        for suites, components in ((["./"], ["main"]), (["stable"], []), (["stable", "./"], ["main"]), (["stable", "./"], [])):
            self.refused(ValueError, AptRepository.present, "test", URIS, suites, components=components, said="flat")

    def test_one_text_is_no_list(self):
        for field in ("uris", "suites", "components", "types", "architectures"):
            given = dict(FULL, **{field: "main"})
            self.refused(TypeError, AptRepository.present, "test", said=field + " is a list", **given)

    def test_what_would_add_lines_or_words(self):
        for field in ("uris", "suites", "components", "types", "architectures"):
            for bad in ("a\nTrusted: yes", "a b", "a\r", "a\0", "", "ä", 1, None):
                given = dict(FULL, **{field: [bad]})
                self.refused(ValueError, AptRepository.present, "test", said=field + ": item 1", **given)
        for signer in ("/a\nb", "/a b", "../x", "a b"):
            self.refused(ValueError, AptRepository.present, "test", signed_by=signer, **FULL)
        for fields in ({"A\nB": "x"}, {"A": "x\ny"}, {"A": ""}, {"A": 1}, {"trusted": "yes"}, {"A:B": "x"}):
            self.refused(ValueError, AptRepository.present, "test", fields=fields, **FULL)
        for field in ("uris", "suites", "types"):
            self.refused(ValueError, AptRepository.present, "test", said=field + " is empty", **dict(FULL, **{field: []}))
        self.refused(TypeError, AptRepository.present, "test", enabled="yes", **FULL)

    def test_a_password_is_in_no_error_and_no_diff(self):
        uri = "https://user:hunter2@example.org/ x"
        self.assertNotIn("hunter2", self.refused(ValueError, AptRepository.present, "test", [uri], ["./"]))
        done = AptRepository.present("test", [uri[:-2]], ["./"], secret=True)
        again = AptRepository.present("test", URIS, ["./"], secret=True)
        gone = AptRepository.absent("test", secret=True)
        for one in (done, again, gone):
            self.assertTrue(one.changed)
            self.assertNotIn("hunter2", repr(one))

    def test_the_signature_counts(self):
        AptRepository.key("test", archive.new_key("/srv/stranger"))
        AptRepository.present("test", signed_by="test", **FULL)
        self.assertIn("NO_PUBKEY", fails(self, "signature", [], Apt.update))
        self.once(lambda **options: AptRepository.present("test", trusted=True, **dict(FULL, **options)))
        self.assertTrue(Apt.update())

    def test_a_bad_signature_is_an_error_also_where_old_lists_are_there(self):
        AptRepository.key("test", KEY)
        AptRepository.present("test", signed_by="test", **FULL)
        Apt.update()
        archive.new_key("/srv/other")
        archive.publish("/srv/other")
        self.addCleanup(archive.publish)
        fails(self, "signature", [], Apt.update)

    def test_disabled(self):
        self.write(enabled=False, **FULL)
        self.assertEqual(self.read_by_apt(), [])

    def test_a_key_that_is_not_there(self):
        for signer in ("test", "/etc/apt/keyrings/nothing.gpg"):
            with self.assertRaises(FileNotFoundError):
                AptRepository.present("test", signed_by=signer, **FULL)
            # It may be one that would be there by now.
            self.assertTrue(AptRepository.present("test", signed_by=signer, check=True, **FULL).changed)
        self.assertEqual(self.files(), {})
        finger = "0123456789abcdef0123456789ABCDEF01234567"
        self.assertIn("Signed-By: %s\n" % finger, self.write(signed_by=finger, **FULL))

    def test_a_source_in_the_older_form_is_in_the_way(self):
        archive.put(archive.SOURCES + "/test.list", "deb file:/srv/archive stable main\n")
        self.refused(FileExistsError, AptRepository.present, "test", said="test.list", **FULL)

    def test_absent_takes_the_key_along_unless_another_source_needs_it(self):
        AptRepository.key("test", KEY)
        AptRepository.present("test", signed_by="test", **FULL)
        AptRepository.present("second", signed_by="test", **FULL)
        done = self.once(lambda **options: AptRepository.absent("test", **options))
        self.assertIn("-Suites: stable", done.diff)
        self.assertEqual(list(self.files()), ["test.asc", "second.sources"])
        AptRepository.absent("second")
        self.once(lambda **options: AptRepository.absent("test", **options))
        self.assertEqual(self.files(), {})

    def test_an_update_is_needed_until_there_was_one(self):
        AptRepository.key("test", KEY)
        source = lambda: AptRepository.present("test", signed_by="test", **FULL)
        self.assertTrue(source().update_needed)
        again = source()
        self.assertEqual((again.changed, again.update_needed), (False, True))
        Apt.update()
        self.assertFalse(source().update_needed)


if __name__ == "__main__":
    unittest.main()
