"""Turns the sources that arrive into modules, each compiled when it is first imported."""
import _thread
import builtins
import sys

ModuleSpec, Module = type(sys.__spec__), type(sys)
PathFinder = sys.meta_path[-1]
# What a tool does to Python's builtins does not reach the agent's modules.
__builtins__ = Module("builtins")
__builtins__.__dict__.update(builtins.__dict__)


# Python's own modules that are changed a little when a tool imports them, and what does it.
HOOKS = {"logging": "rmote.logs", "subprocess": "rmote.children"}


class Sources:
    """Finds modules among the sources: dotted name -> (source, file, whether a package)."""

    # The rest of the agent's own modules, packed. They follow its first answer; who needs one earlier asks and waits.
    rest = asked = None

    def __init__(self):
        self.table = {}
        self.kept = {}
        self.hidden = {}
        self.lock = _thread.RLock()
        self.awaited = _thread.allocate_lock()
        self.awaited.acquire()

    def add(self, name, source, file, package=False):
        self.table.setdefault(name, (source, file, package))
        if name.startswith("rmote."):
            self.table.setdefault(name.rpartition(".")[0], (b"", "", True))

    def add_all(self, parts):
        for index in range(0, len(parts) - 1, 2):
            name = parts[index].decode()
            self.add(name, parts[index + 1], name.replace(".", "/") + ".py")

    def complete(self, packed):
        """Takes the rest of the agent's own modules."""
        if self.rest is None:
            self.rest = packed
            self.awaited.release()

    def has(self, name):
        """Whether there is a source; waits for the rest if it is the agent's own."""
        if name not in self.table and name.startswith("rmote."):
            self.want()
            with self.awaited:
                if self.rest:
                    import zlib
                    self.add_all(zlib.decompress(self.rest).split(b"\0"))
                    self.rest = b""
        return name in self.table

    def find_spec(self, name, path=None, target=None):
        # Nothing waits in here: Python lets no other thread import anything meanwhile.
        hook = HOOKS.get(name)
        if hook:
            spec = PathFinder.find_spec(name, path)
            run = spec.loader.exec_module

            def exec_module(module):
                run(module)
                if self.has(hook):
                    self.module(hook).attach(module)

            spec.loader.exec_module = exec_module
            return spec
        if name.startswith("rmote.") and self.rest != b"" or name in self.table and not on_host(name):
            return self.spec(name)

    def spec(self, name):
        _, file, package = self.table.get(name) or ("", name.replace(".", "/") + ".py", False)
        return ModuleSpec(name, self, origin=file, is_package=package)

    def create_module(self, spec):
        # Who takes the agent's modules out of sys.modules gets the same ones again.
        return self.kept.get(spec.name)

    def exec_module(self, module):
        name = module.__name__
        if name in self.kept:
            return
        if not self.has(name):
            raise ModuleNotFoundError("No module named %r" % name, name=name)
        source, module.__file__, _ = self.table[name]
        flags = 0
        if name.startswith("rmote"):
            module.__builtins__ = __builtins__
        elif sys.version_info < (3, 10):
            # So that `str | None` in a tool's signature runs here too; Python 3.6 knows no such thing.
            import __future__
            flags = getattr(getattr(__future__, "annotations", 0), "compiler_flag", 0)
        exec(compile(source, module.__file__, "exec", flags, True), module.__dict__)
        if name.startswith("rmote"):
            self.kept[name] = module

    def get_source(self, name):
        return self.table[name][0].decode("utf-8", "replace")

    def module(self, name):
        """The module of a name, from the sources before the host's own."""
        __import__(name)
        if name not in self.table or not on_host(name):
            return sys.modules[name]
        # A tool file that bears the name of one of Python's own modules does not hide that from others.
        with self.lock:
            if name not in self.hidden:
                module = Module(name)
                module.__spec__, module.__loader__ = self.spec(name), self
                self.exec_module(module)
                self.hidden[name] = module
            return self.hidden[name]


def on_host(name):
    """Whether Python's own library has a module of this name."""
    name = name.partition(".")[0]
    return name != "rmote" and (name in sys.builtin_module_names or PathFinder.find_spec(name, PATH) is not None)


class Site:
    """Comes last: loads site-packages when one of the sources imports what Python's own library has not."""

    done = False
    lock = _thread.RLock()

    def find_spec(self, name, path=None, target=None):
        frame = sys._getframe(1)
        while frame and "importlib" in frame.f_code.co_filename:
            frame = frame.f_back
        if frame and frame.f_globals.get("__name__") in sources.table and name != "_contextvars":
            with self.lock:
                if not self.done:
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
sources.add_all(parts[1:])
sys.meta_path.insert(0, sources)
sys.meta_path.append(Site())
__import__("rmote.agent")
sys.modules["rmote.agent"].main(sources)
