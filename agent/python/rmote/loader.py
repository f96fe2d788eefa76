"""Turns the sources that arrive into modules, each compiled when it is first imported."""
import _thread
import sys

ModuleSpec = type(sys.__spec__)
PathFinder = sys.meta_path[-1]
# `from __future__ import annotations`, so that `str | None` in a tool's signature also runs on old Pythons.
ANNOTATIONS = 0 if sys.version_info >= (3, 10) else {(3, 7): 0x100000, (3, 8): 0x100000}.get(sys.version_info[:2], 0x1000000)


class Sources:
    """Finds modules among the sources: dotted name -> (source, file, whether a package)."""

    def __init__(self):
        self.table = {}
        self.hidden = {}
        self.lock = _thread.RLock()

    def add(self, name, source, file, package=False):
        self.table.setdefault(name, (source, file, package))
        if name.startswith("rmote."):
            self.table.setdefault(name.rpartition(".")[0], (b"", "", True))

    def find_spec(self, name, path=None, target=None):
        if name == "logging":
            return self.logging_spec(path)
        if name not in self.table or not name.startswith("rmote") and on_host(name):
            return None
        return self.spec(name)

    def spec(self, name):
        _, file, package = self.table[name]
        return ModuleSpec(name, self, origin=file, is_package=package)

    def create_module(self, spec):
        return None

    def exec_module(self, module):
        source, file, _ = self.table[module.__name__]
        module.__file__ = file
        flags = 0 if module.__name__.startswith("rmote") else ANNOTATIONS
        exec(compile(source, file, "exec", flags, True), module.__dict__)

    def get_source(self, name):
        return self.table[name][0].decode("utf-8", "replace")

    def module(self, name):
        """The module of a name, from the sources before the host's own."""
        if name not in self.table or name.startswith("rmote") or not on_host(name):
            __import__(name)
            return sys.modules[name]
        # A tool file that bears the name of one of Python's own modules does not hide that from others.
        with self.lock:
            if name not in self.hidden:
                module = type(sys)(name)
                module.__spec__, module.__loader__ = self.spec(name), self
                self.exec_module(module)
                self.hidden[name] = module
            return self.hidden[name]

    def logging_spec(self, path):
        spec = PathFinder.find_spec("logging", path)
        if spec is not None:
            run = spec.loader.exec_module

            def exec_module(module):
                run(module)
                from rmote import logs
                logs.attach(module)

            spec.loader.exec_module = exec_module
        return spec


def on_host(name):
    """Whether Python's own library has a module of this name."""
    return name in sys.builtin_module_names or PathFinder.find_spec(name, PATH) is not None


class Site:
    """Comes last: loads site-packages when one of the sources imports what Python's own library has not."""

    done = False

    def find_spec(self, name, path=None, target=None):
        frame = sys._getframe(1)
        while frame and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        if self.done or not frame or frame.f_globals.get("__name__") not in sources.table:
            return None
        self.done = True
        import site
        site.main()
        return PathFinder.find_spec(name, path)


if sys.path[:1] == [""]:
    del sys.path[0]
sys.argv = ["rmote"]
PATH = list(sys.path)
sources = Sources()
parts = blob.split(b"\0")  # noqa: F821 (the first stage sets it)
del blob  # noqa: F821
for index in range(1, len(parts), 2):
    module_name = parts[index].decode()
    sources.add(module_name, parts[index + 1], module_name.replace(".", "/") + ".py")
sys.meta_path.insert(0, sources)
sys.meta_path.append(Site())
__import__("rmote.agent")
sys.modules["rmote.agent"].main(sources)
