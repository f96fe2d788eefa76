"""pacman.conf as lines: what a section says can be changed, and every other byte stays."""
import os
import re

from rmote.tools import packages, program
from rmote.tools.edit import change

PATH = "/etc/pacman.conf"
# pacman knows no comment behind a header, but people write it.
HEADER = re.compile(rb"\s*\[\s*([^\]]*?)\s*\]\s*(#.*)?\Z", re.S)
ENTRY = re.compile(rb"\s*([A-Za-z]+)\s*(?:=\s*(.*?))?\s*\Z", re.S)


class Section:
    """The lines of a section: `start` is its header, `stop` is behind the last line that says something.

    Comments and empty lines further down belong to what follows.
    """

    def __init__(self, name, start):
        self.name, self.start, self.stop = name, start, start + 1


class Config:
    """The content of a pacman.conf, to be read and changed."""

    def __init__(self, data):
        self.lines = re.findall(rb"[^\n]*\n|[^\n]+", data)
        first = self.lines[0] if self.lines else b""
        self.end = b"\r\n" if first.endswith(b"\r\n") else b"\n"

    def data(self):
        return b"".join(self.lines)

    def sections(self):
        found = []
        for i, line in enumerate(self.lines):
            header = HEADER.match(line)
            if header:
                found.append(Section(header.group(1).decode("utf-8", "surrogateescape"), i))
            elif found and line.strip() and not line.strip().startswith(b"#"):
                found[-1].stop = i + 1
        return found

    def named(self, name):
        """The sections of a name; pacman takes several only for `options`."""
        return [section for section in self.sections() if section.name == name]

    def entries(self, section, key):
        """Where a section has a key, and its values: (line, value)."""
        found = []
        for i in range(section.start + 1, section.stop):
            entry = ENTRY.match(self.lines[i])
            if entry and entry.group(1) == key.encode():
                found.append((i, (entry.group(2) or b"").decode("utf-8", "surrogateescape")))
        return found

    def line(self, text):
        return text.encode("utf-8", "surrogateescape") + self.end

    def put(self, at, texts):
        """Inserts lines."""
        if at == len(self.lines) and self.lines and not self.lines[-1].endswith(b"\n"):
            self.lines[-1] += self.end
        self.lines[at:at] = [self.line(text) for text in texts]

    def set(self, section, key, values, after=()):
        """Makes a section have these values of a key, in their order; new lines stand behind those of the keys `after`."""
        old = self.entries(section, key)
        for (at, value), new in zip(old, values):
            if value != new:
                self.lines[at] = self.line("%s = %s" % (key, new))
        at = section.start + 1
        for name in (key,) + tuple(after):
            known = self.entries(section, name)
            if known:
                at = known[-1][0] + 1
                break
        self.put(at, ["%s = %s" % (key, new) for new in values[len(old) :]])
        for gone, _ in reversed(old[len(values) :]):
            del self.lines[gone]
        section.stop += len(values) - len(old)

    def add(self, header, before=None):
        """Adds a section that is only a header: right before another one, or at the end."""
        if before is not None:
            self.put(self._above(self.named(before)[0]), [header, ""])
        else:
            # An empty line even behind another one: `cut` takes it away again.
            self.put(len(self.lines), ["", header] if self.lines else [header])

    def move(self, section, before):
        """Moves a section right before another one that stands before it."""
        lines = self.cut(section)
        at = self._above(self.named(before)[0])
        if not lines[-1].endswith(b"\n"):
            lines[-1] += self.end
        self.lines[at:at] = lines + [self.end]

    def straighten(self, section):
        """Gives a section a header that pacman itself knows: a comment behind it goes to a line of its own."""
        line = self.lines[section.start]
        comment = HEADER.match(line).group(2)
        if comment or line.strip() != b"[%s]" % section.name.encode("utf-8", "surrogateescape"):
            lines = [comment.rstrip() + self.end] if comment else []
            self.lines[section.start : section.start + 1] = lines + [self.line("[%s]" % section.name)]
            section.start += len(lines)
            section.stop += len(lines)

    def cut(self, section):
        """Takes a section out and returns its lines, without the empty line that parted it from its neighbours."""
        lines = self.lines[section.start : section.stop]
        del self.lines[section.start : section.stop]
        before, at = section.start - 1, section.start
        if before >= 0 and not self.lines[before].strip():
            if at == len(self.lines) or not self.lines[at].strip():
                del self.lines[before]
        elif before < 0 and self.lines and not self.lines[0].strip():
            del self.lines[0]
        return lines

    def _above(self, section):
        """The line before which another section goes: above the comment that stands right over the header."""
        at = section.start
        while at and self.lines[at - 1].strip().startswith(b"#"):
            at -= 1
        return at


def write(edit, path=PATH, check=False, backup=False):
    """Changes a pacman.conf by a function of its `Config`; what pacman cannot read does not get there."""

    def apply(old):
        config = Config(old)
        edit(config)
        return config.data()

    reader = program.find("pacman-conf")
    validate = [reader, "--config", "{}"] if reader else None
    return change(path, apply, create=False, validate=validate, check=check, backup=backup)


def settings(path=PATH):
    """What pacman takes from its configuration: for each section the keys with their values, of the section `options` too."""
    found = {}
    section = {}
    reader = program.need("pacman-conf", "pacman is configured with it")
    for line in packages.output((), reader, "--config", path).splitlines():
        if line.startswith("["):
            section = found.setdefault(line[1:-1], {})
        else:
            key, _, value = line.partition(" = ")
            section.setdefault(key, []).append(value)
    return found


def files():
    """The paths of pacman.conf and of what it includes."""
    from glob import glob

    paths = [PATH]
    with open(PATH, "rb") as file:
        config = Config(file.read())
    for section in config.sections():
        for _, pattern in config.entries(section, "Include"):
            paths += glob(pattern)
    return [path for path in paths if os.path.exists(path)]
