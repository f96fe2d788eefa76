import os
import shutil
import subprocess
import tempfile
import unittest

from bootstrap import fails, load
from pacman_host import CONF, HEAD, REPO, make, pacman, publish, reset, state

Pacman = load("pacman").Pacman
PacmanRepository = load("pacman_repository").PacmanRepository

HOME = "/etc/pacman.d/gnupg"
SERVERS = ["file:///srv/$repo"]


def gpg(*words):
    return subprocess.run(("gpg", "--batch", "--quiet") + words, stdout=subprocess.PIPE, check=True).stdout


class Repositories(unittest.TestCase):
    def setUp(self):
        reset(HEAD)
        publish(make("alpha", "1.0-1"), name="repo")
        publish(make("alpha", "2.0-1"), name="other")
        shutil.rmtree("/srv/other", ignore_errors=True)
        shutil.copytree(REPO, "/srv/other", symlinks=True)

    def test_a_repository_is_used_and_its_place_decides(self):
        first = PacmanRepository.present("repo", SERVERS, sig_level="Never")
        self.assertTrue(first.changed)
        self.assertIn("+[repo]\n", first.diff)
        self.assertFalse(PacmanRepository.present("repo", SERVERS).changed)
        PacmanRepository.present("other", SERVERS, sig_level="Never")
        Pacman.update()
        self.assertEqual(Pacman.package("alpha").version, "1.0-1")
        self.assertTrue(PacmanRepository.present("other", SERVERS, before="repo").changed)
        self.assertFalse(PacmanRepository.present("other", SERVERS, before="repo").changed)
        self.assertEqual([one.version for one in Pacman.upgrade()], ["2.0-1"])
        for name in ("repo", "other"):
            self.assertTrue(PacmanRepository.absent(name).changed)
            self.assertFalse(PacmanRepository.absent(name).changed)
        with open(CONF) as file:
            self.assertEqual(file.read(), HEAD)

    def test_what_pacman_cannot_read_does_not_get_there(self):
        before = state()
        for options in ({"sig_level": "Optional Everything"}, {"usage": "Now"}):
            with self.assertRaises(ValueError) as caught:
                PacmanRepository.present("repo", SERVERS, **options)
            self.assertIn("validate: exit code 1: error: config file", str(caught.exception))
        self.assertEqual(state(), before)

    def test_pacman_reads_a_header_that_had_a_comment(self):
        with open(CONF, "a") as file:
            file.write("  [repo]  # note\nUsage = Sync Search Install Upgrade\nSigLevel = Never\nServer = file:///nowhere\n")
        names = subprocess.run(["pacman-conf", "--repo-list"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout
        self.assertEqual(names, b"")
        PacmanRepository.present("repo", SERVERS)
        Pacman.update()
        self.assertEqual(Pacman.package("alpha").version, "1.0-1")

    def test_the_servers_of_an_included_file(self):
        with open("/etc/mirrors", "w") as file:
            file.write("Server = file:///srv/$repo\n")
        PacmanRepository.present("repo", [], include=["/etc/mirrors"], sig_level="Never")
        Pacman.update()
        self.assertEqual(Pacman.package("alpha").version, "1.0-1")


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.home = tempfile.TemporaryDirectory()
        os.environ["GNUPGHOME"] = cls.home.name
        cls.fingerprint = cls.generate("Packager <packager@example.com>")
        cls.data = gpg("--armor", "--export", cls.fingerprint)

    @classmethod
    def tearDownClass(cls):
        for home in (cls.home.name, HOME):
            subprocess.run(["gpgconf", "--homedir", home, "--kill", "all"])
        cls.home.cleanup()
        del os.environ["GNUPGHOME"]

    @staticmethod
    def generate(name):
        gpg("--passphrase", "", "--quick-gen-key", name, "ed25519", "sign", "1y")
        lines = gpg("--with-colons", "--list-keys", name).decode().splitlines()
        return [line.split(":")[9] for line in lines if line.startswith("fpr")][0]

    def setUp(self):
        reset(HEAD)
        subprocess.run(["gpgconf", "--homedir", HOME, "--kill", "all"])
        shutil.rmtree(HOME, ignore_errors=True)
        os.makedirs("/etc/pacman.d", exist_ok=True)

    def test_signatures_are_accepted_when_the_key_was_added_and_trusted(self):
        path = make("alpha", "1.0-1")
        gpg("--detach-sign", "--local-user", self.fingerprint, path)
        publish(path, name="repo", sign=["--sign", "--key", self.fingerprint])
        # Without a level that asks for less, packages must be signed.
        PacmanRepository.present("repo", SERVERS)
        for step in (
            lambda: None,
            lambda: self.assertTrue(PacmanRepository.key("packager", self.data).changed),
        ):
            step()
            self.assertIn("signature", fails(self, "signature", [], Pacman.update))
        self.assertTrue(PacmanRepository.trust(self.fingerprint).changed)
        Pacman.update()
        self.assertEqual(Pacman.package("alpha").version, "1.0-1")
        self.assertFalse(PacmanRepository.key("packager", self.data).changed)
        self.assertFalse(PacmanRepository.trust(self.fingerprint).changed)
        self.assertFalse(PacmanRepository.present("repo", SERVERS).changed)

    def test_a_package_without_a_signature_is_refused_by_default(self):
        publish(make("alpha", "1.0-1"), name="repo")
        PacmanRepository.present("repo", SERVERS)
        PacmanRepository.key("packager", self.data)
        Pacman.update()
        text = fails(self, "download", ["alpha"], Pacman.package, "alpha")
        self.assertIn("alpha-1.0-1-any.pkg.tar.gz.sig", text)

    def test_check_changes_no_keyring(self):
        dry = PacmanRepository.key("packager", self.data, check=True)
        self.assertEqual((dry.changed, dry.fingerprints), (True, [self.fingerprint]))
        self.assertFalse(os.path.exists(HOME))
        PacmanRepository.key("packager", self.data)
        self.assertTrue(PacmanRepository.trust(self.fingerprint, check=True).changed)
        self.assertTrue(PacmanRepository.trust(self.fingerprint).changed)
        self.assertFalse(PacmanRepository.trust(self.fingerprint, check=True).changed)

    def test_a_key_that_was_made_to_last_longer_is_added_again(self):
        PacmanRepository.key("packager", self.data)
        gpg("--quick-set-expire", self.fingerprint, "3y")
        longer = gpg("--export", self.fingerprint)
        self.assertTrue(PacmanRepository.key("packager", longer, check=True).changed)
        self.assertTrue(PacmanRepository.key("packager", longer).changed)
        self.assertFalse(PacmanRepository.key("packager", longer).changed)
        # The older one adds nothing.
        self.assertFalse(PacmanRepository.key("packager", self.data).changed)

    def test_what_is_no_public_key_and_what_is_another_one(self):
        for data in (b"no key", b"", self.data[:50]):
            with self.assertRaises(ValueError) as caught:
                PacmanRepository.key("packager", data)
            self.assertIn("key packager: no public key", str(caught.exception))
        with self.assertRaises(ValueError) as caught:
            PacmanRepository.key("packager", self.data, fingerprint="A" * 40)
        self.assertIn("the key is %s, not AAAA" % self.fingerprint, str(caught.exception))
        secret = gpg("--passphrase", "", "--pinentry-mode", "loopback", "--export-secret-keys", self.fingerprint)
        with self.assertRaises(ValueError) as caught:
            PacmanRepository.key("packager", secret)
        self.assertIn("a secret key", str(caught.exception))
        for name in ("../x", "-x", "a/b", "a\nb"):
            with self.assertRaises(ValueError):
                PacmanRepository.key(name, self.data)
        self.assertFalse(os.path.exists(HOME))

    def test_a_key_with_its_fingerprint(self):
        spaced = " ".join(self.fingerprint[i : i + 4].lower() for i in range(0, 40, 4))
        self.assertTrue(PacmanRepository.key("packager", self.data, fingerprint=spaced).changed)
        self.assertTrue(PacmanRepository.trust(spaced).changed)

    def test_only_a_key_that_was_added_can_be_trusted(self):
        with self.assertRaises(LookupError):
            PacmanRepository.trust(self.fingerprint)
        PacmanRepository.key("packager", self.data)
        with self.assertRaises(LookupError):
            PacmanRepository.trust("A" * 40)

    def test_several_keys_at_once(self):
        other = self.generate("Other <other@example.com>")
        both = gpg("--export", self.fingerprint, other)
        self.assertEqual(sorted(PacmanRepository.key("both", both).fingerprints), sorted([self.fingerprint, other]))
        self.assertFalse(PacmanRepository.key("packager", self.data).changed)
        with self.assertRaises(ValueError):
            PacmanRepository.key("both", both, fingerprint=other)


if __name__ == "__main__":
    unittest.main()
