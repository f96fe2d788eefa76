"""A host of pacman for one test, and what its tool does and leaves there."""
import shutil
import unittest

from bootstrap import load
from pacman_host import CONF, REPO, make, pacman, publish, reset, state

Pacman = load("pacman").Pacman


def versions():
    return dict(line.split() for line in pacman("-Q").splitlines())


def want(name, state, version=""):
    return {"name": name, "state": state, "version": version}


def reset_conf(text):
    with open(CONF, "w") as file:
        file.write(text)


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
