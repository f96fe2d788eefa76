"""Facts of a host that is not here."""
import unittest

from bootstrap import load

F = load("facts").Facts


class Case(unittest.TestCase):
    def files(self, module, files):
        """Replaces what a module reads by files of a host that is not here."""
        known = {"text": files.get, "lines": lambda path: (files.get(path) or "").split("\n")}
        known["word"] = lambda path: (files.get(path) or "").strip() or None
        known["number"] = lambda path: int(files[path]) if path in files else None
        for name, replacement in known.items():
            if hasattr(module, name):
                self.replace(module, name, replacement)

    def replace(self, module, name, replacement):
        self.addCleanup(setattr, module, name, getattr(module, name))
        setattr(module, name, replacement)
