"""Repositories of pacman: sections of pacman.conf, and the keys that sign packages."""
import os

from rmote.tools import pacman_conf, program
from rmote.tools.program import check_name
from rmote.values import Record

NAME = "[A-Za-z0-9@_+][A-Za-z0-9@._+-]*"
# What pacman itself means by these is something else.
RESERVED = "options", "local"
VALUE = r"[^\s\x00-\x1f\x7f](?:[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f])?"
FINGERPRINT = "[0-9A-F]{40}|[0-9A-F]{64}"
# As Arch Linux has it: packages must be signed by a trusted key.
SIGNED = "Required DatabaseOptional"


class PacmanRepository:
    """Adds and removes repositories of pacman, and the keys that it trusts.

    A repository is a section of pacman.conf, which is replaced at once; everything outside the section stays as
    it is, byte for byte. The lists of packages are not fetched: a change says that `Pacman.upgrade` or
    `Pacman.update` is due.
    """

    @staticmethod
    def key(name, data, *, fingerprint=None, check=False):
        """Adds public keys to pacman's keyring (`pacman-key --add`), which is made if there is none.

        `data` is what `gpg --export` gives, as bytes or armoured text; `name` stands for it in errors and in
        the answer. With `fingerprint` other keys than that one are refused. pacman accepts no signature by a
        key before `trust` was called with its fingerprint, which the answer has.
        """
        check_name("key", name, NAME)
        wanted = fingerprint and _fingerprint(fingerprint)
        data = data.encode() if isinstance(data, str) else bytes(memoryview(data))
        tool = _tools()
        with _Scratch(data) as scratch:
            keys = scratch.keys
            if not keys:
                raise ValueError("key %s: no public key is in these %d bytes" % (name, len(data)))
            if wanted and keys != [wanted]:
                raise ValueError("key %s: the key is %s, not %s" % (name, ", ".join(keys), wanted))
            home = _home()
            changed = not os.path.exists(home + "/pubring.gpg") and not os.path.exists(home + "/pubring.kbx")
            if changed and not check:
                program.run(tool, "--init")
            if changed or scratch.differs(home):
                changed = True
                if not check:
                    program.run(tool, "--add", scratch.path)
        return Record("PacmanKey", name=name, fingerprints=keys, changed=changed)

    @staticmethod
    def trust(fingerprint, *, check=False):
        """Makes pacman accept what a key signed (`pacman-key --lsign-key`).

        The key is named by its whole fingerprint, 40 (or 64) hexadecimal digits, and was added by `key` before.
        """
        fingerprint = _fingerprint(fingerprint)
        tool = _tools()
        home = _home()
        known = [line for line in _colons(home, fingerprint) if line[0] == "pub"]
        if not known:
            raise LookupError("pacman's keyring has no key %s" % fingerprint)
        # Full or ultimate.
        changed = known[0][1] not in ("f", "u")
        if changed and known[0][1] in ("r", "e", "d"):
            raise ValueError("key %s is revoked, expired or disabled" % fingerprint)
        if changed and not check:
            program.run(tool, "--lsign-key", fingerprint)
        return Record("PacmanKey", name="", fingerprints=[fingerprint], changed=changed)

    @staticmethod
    def present(
        name,
        servers,
        *,
        sig_level=None,
        usage=None,
        include=None,
        before=None,
        path=pacman_conf.PATH,
        backup=False,
        check=False
    ):
        """Makes sure that pacman.conf has a repository with these servers, in this order.

        What is None stays as it is. A new repository without `sig_level` has "Required DatabaseOptional": every
        package must be signed by a key that is trusted. `usage` is pacman's Usage ("Sync Search"), `include` the
        files that are included (["/etc/pacman.d/mirrorlist"]). Comments and other lines of the section stay.

        pacman takes a package from the first repository that has it. A new one comes last, or right before the
        repository `before`, and one that stands behind that is moved there.
        """
        _repository(name)
        servers = _values("server", servers)
        include = None if include is None else _values("include", include)
        if not servers and not include:
            raise ValueError("repository %s has no server" % name)
        for what, value in (("sig_level", sig_level), ("usage", usage)):
            if value is not None:
                check_name(what, value, VALUE)
        if before is not None:
            _repository(before)
            if before == name:
                raise ValueError("repository %s cannot be before itself" % name)

        def edit(config):
            found = config.named(name)
            if len(found) > 1:
                raise ValueError("%s has %d sections [%s], which pacman does not take" % (path, len(found), name))
            if before is not None and not config.named(before):
                raise ValueError("%s has no repository %s that %s could be before" % (path, before, name))
            level = sig_level
            if not found:
                level = level or SIGNED
                config.add("[%s]" % name, before)
            elif before is not None and found[0].start > config.named(before)[0].start:
                config.move(found[0], before)
            section = config.named(name)[0]
            config.straighten(section)
            if level is not None:
                config.set(section, "SigLevel", [level])
            if usage is not None:
                config.set(section, "Usage", [usage], after=["SigLevel"])
            config.set(section, "Server", servers, after=["Usage", "SigLevel"])
            if include is not None:
                config.set(section, "Include", include, after=["Server", "Usage", "SigLevel"])

        return pacman_conf.write(edit, path, check=check, backup=backup)

    @staticmethod
    def absent(name, *, path=pacman_conf.PATH, backup=False, check=False):
        """Makes sure that pacman.conf has no such repository. Comments below its last line stay, and so do keys."""
        _repository(name)

        def edit(config):
            for section in reversed(config.named(name)):
                config.cut(section)

        return pacman_conf.write(edit, path, check=check, backup=backup)


def _repository(name):
    check_name("repository", name, NAME)
    if name in RESERVED:
        raise ValueError("repository %r is refused: pacman uses that name itself" % name)


def _values(what, values):
    if isinstance(values, (str, bytes)):
        raise TypeError("%s is a list of texts, not a text" % what)
    return [check_name(what, value, VALUE) for value in values]


def _fingerprint(text):
    """A whole fingerprint, as gpg prints it or in one word: who knows a short one can make a key that has it."""
    return check_name("fingerprint", text.replace(" ", "").upper() if isinstance(text, str) else text, FINGERPRINT)


def _tools():
    program.need("gpg", "keys are read with it")
    return program.need("pacman-key", "keys are added to pacman's keyring with it")


def _home():
    """The directory of pacman's keyring."""
    return pacman_conf.settings()["options"].get("GPGDir", ["/etc/pacman.d/gnupg"])[0].rstrip("/")


def _gpg(home, *words, **options):
    return program.run("gpg", "--homedir", home, "--no-permission-warning", "--batch", *words, **options)


def _colons(home, *names):
    """What gpg lists of a keyring, each line as its fields; nothing where it knows no such key."""
    if not os.path.isdir(home):
        return []
    done = _gpg(home, "--with-colons", "--list-keys", "--", *names, ok=(0, 2))
    return [line.split(":") for line in done.stdout.decode("utf-8", "replace").splitlines()]


class _Scratch:
    """A keyring of its own for keys that are not trusted yet: what is in them, and what they would change."""

    def __init__(self, data):
        self.data = data

    def __enter__(self):
        import tempfile

        self.folder = tempfile.TemporaryDirectory(prefix="rmote-")
        try:
            self.path = self.folder.name + "/key"
            with open(self.path, "wb") as file:
                file.write(self.data)
            done = _gpg(self.folder.name, "--with-colons", "--show-keys", "--", self.path, ok=None)
            self.keys = []
            kind = ""
            for line in done.stdout.decode("utf-8", "replace").splitlines():
                fields = line.split(":")
                if fields[0] == "sec":
                    raise ValueError("a secret key has no place in pacman's keyring")
                if fields[0] == "fpr" and kind == "pub":
                    self.keys.append(fields[9])
                kind = fields[0]
        except BaseException:
            self.folder.cleanup()
            raise
        return self

    def __exit__(self, *_):
        self.folder.cleanup()

    def differs(self, home):
        """Whether the keys add something to a keyring: new ones, or a later expiry, user ids, subkeys, a revocation."""
        own = self.folder.name
        known = _gpg(home, "--export", "--", *self.keys, ok=(0, 2)).stdout
        if not known:
            return True
        _gpg(own, "--import", input=known, ok=None)
        before = self._listed()
        _gpg(own, "--import", input=self.data, ok=None)
        return self._listed() != before

    def _listed(self):
        # Validity (of the owner's trust, field 8) is not the keys' own; when they were made, expire and for what is.
        return sorted(":".join(fields) for fields in _colons(self.folder.name) if fields[0] in ("pub", "sub", "uid"))
