"""What pacman holds in its version: the lines IgnorePkg of pacman.conf."""
from rmote.tools import alpm, pacman_conf
from rmote.tools.edit import unified


class Held:
    """What pacman.conf holds in its version."""

    def __init__(self):
        options = pacman_conf.settings()["options"]
        self.patterns = options.get("IgnorePkg", [])
        self.groups = options.get("IgnoreGroup", [])
        self.installed = None
        with open(pacman_conf.PATH, "rb") as file:
            config = pacman_conf.Config(file.read())
        # The words that can be taken away again.
        self.own = {
            word
            for section in config.named("options")
            for _, value in config.entries(section, "IgnorePkg")
            for word in value.split()
        }

    def __call__(self, name, but=()):
        """Whether a package is held, by something else than words that are its name and in `but`."""
        from fnmatch import fnmatchcase

        if any(fnmatchcase(name, pattern) for pattern in self.patterns if pattern != name or name not in but):
            return True
        if self.groups and self.installed is None:
            self.installed = alpm.groups("-Q")
        return bool(self.groups) and any(
            name in members and any(fnmatchcase(group, pattern) for pattern in self.groups)
            for group, members in self.installed.items()
        )


def write(hold, release, check=False):
    """Holds packages by their names, and releases others that are held so; returns the diff for each of them."""
    diffs = {}

    def edit(config):
        for name, *step in [(name, (), [name]) for name in release] + [(name, [name], ()) for name in hold]:
            before = config.data()
            _edit(config, *step)
            diffs[name] = diffs.get(name, "") + unified(pacman_conf.PATH, before, config.data())

    if hold or release:
        pacman_conf.write(edit, check=check)
    return diffs


def _edit(config, hold, release):
    # No word of these lines is a comment.
    if not config.named("options"):
        config.put(0, ["[options]"])
    for section in reversed(config.named("options")):
        for at, value in reversed(config.entries(section, "IgnorePkg")):
            words = [word for word in value.split() if word not in release]
            if not words:
                del config.lines[at]
            elif words != value.split():
                config.lines[at] = config.line("IgnorePkg = " + " ".join(words))
    section = config.named("options")[0]
    values = [value for _, value in config.entries(section, "IgnorePkg")]
    config.set(section, "IgnorePkg", values + list(hold))
