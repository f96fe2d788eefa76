"""Sources of packages for Debian and its kin, and their keys."""
import os

from rmote.process import tail
from rmote.tools.apt_get import outdated
from rmote.tools.edit import change, unified
from rmote.tools.openpgp import public_key
from rmote.tools.program import check_name, find, need, run
from rmote.values import Record

KEYS = "/etc/apt/keyrings"
SOURCES = "/etc/apt/sources.list.d"
# apt passes over files with other names without a word, or with a dot in front.
NAME = "[A-Za-z0-9_][A-Za-z0-9._-]*"
WORD = "[!-~]+"
URI = "[a-z][a-z0-9+.-]*:[!-~]+"
FINGERPRINT = "[0-9A-Fa-f]{40}!?"
FIELD = "[A-Za-z][A-Za-z0-9-]*"


class AptRepository:
    """Makes sources of packages and their keys known to apt, one file for each.

    Their files have mode 0644, whatever the umask is, since apt reads them as a user of its own. A result says whether
    lists have to be fetched with `Apt.update` before packages are seen as the sources now are: `update_needed`.
    """

    @staticmethod
    def key(name, data, *, check=False):
        """Makes sure that a key is there, for sources that are `signed_by` it.

        `data` is what `gpg --export` gives, armoured or not; the file is `/etc/apt/keyrings/NAME.asc` or `NAME.gpg`
        accordingly. Anything else than whole public keys is a `ValueError`.
        """
        name = _key_name(name)
        data, ending = public_key(data)
        need("apt-get", "sources are for it")
        _ask_gpg(data)
        path, other = (os.path.join(KEYS, name + one) for one in (ending, ".gpg" if ending == ".asc" else ".asc"))
        diff = _write(path, data, check)
        return _result(name, path, diff + _remove(other, check))

    @staticmethod
    def present(
        name,
        uris,
        suites,
        *,
        types=("deb",),
        components=(),
        signed_by="",
        architectures=None,
        enabled=None,
        trusted=None,
        fields=None,
        check=False,
        secret=False
    ):
        """Makes sure that `/etc/apt/sources.list.d/NAME.sources` is this source and no other.

        A suite that ends with `/` is the path of a flat repository, which has no components; all others need some.
        `signed_by` is the name of a key (see `key`), the path of one, or a fingerprint. `fields` maps more fields of
        deb822 sources to their values, such as `Check-Valid-Until`. A file `NAME.list` of the older form is an error:
        apt would read both. `secret` keeps the text out of the diff, for URIs with a password.
        """
        check_name("a source", name, NAME)
        pairs = [
            ("Types", _words("types", types, "deb|deb-src")),
            ("URIs", _words("uris", uris, URI)),
            ("Suites", _words("suites", suites, WORD)),
            ("Components", _words("components", components, WORD, empty=True)),
            ("Architectures", _words("architectures", architectures, "[a-z0-9-]+", empty=True)),
        ]
        flat = {suite.endswith("/") for suite in pairs[2][1].split()}
        if len(flat) > 1:
            raise ValueError("suites are flat, ending with '/', or not: one source has one of both")
        if flat.pop() == bool(pairs[3][1]):
            raise ValueError("components are for suites that are not flat, ending with '/', and those need some")
        pairs += [("Signed-By", _signer(signed_by, check)), ("Enabled", _yes(enabled)), ("Trusted", _yes(trusted))]
        known = {field.lower() for field, _ in pairs}
        for field, value in sorted((fields or {}).items()):
            check_name("a field", field, FIELD)
            if field.lower() in known:
                raise ValueError("the field %s has a parameter of its own" % field)
            # What it holds may be secret, so it is not shown.
            if not isinstance(value, str) or not value.strip() or not value.isprintable():
                raise ValueError("the value of the field %s is not one line of text" % field)
            pairs.append((field, value.strip()))
        need("apt-get", "sources are for it")
        older = os.path.join(SOURCES, name + ".list")
        if os.path.lexists(older):
            raise FileExistsError("%s has this source in the older form: it has to be removed first" % older)
        text = "".join("%s: %s\n" % pair for pair in pairs if pair[1])
        path = os.path.join(SOURCES, name + ".sources")
        return _result(name, path, _write(path, text.encode(), check, secret))

    @staticmethod
    def absent(name, *, check=False, secret=False):
        """Removes a source and the key of the same name; a key that another source names stays."""
        check_name("a source", name, NAME)
        path = os.path.join(SOURCES, name + ".sources")
        diff = _remove(path, check, secret)
        for ending in (".asc", ".gpg"):
            key = os.path.join(KEYS, name + ending)
            if not _named_elsewhere(key, path):
                diff += _remove(key, check)
        return _result(name, path, diff)


def _key_name(name):
    check_name("a key", name, NAME)
    stem = name[:-4] if name.endswith((".asc", ".gpg")) else name
    return check_name("a key", stem, NAME)


def _words(what, given, pattern, empty=False):
    """A list of words as one line."""
    import re

    if isinstance(given, (str, bytes)):
        raise TypeError("%s is a list of texts, not one text" % what)
    given = list(given or ())
    if not given and not empty:
        raise ValueError("%s is empty" % what)
    for at, word in enumerate(given, 1):
        # An URI may hold a password, so it is not shown.
        if not isinstance(word, str) or not re.match("(?:%s)\\Z" % pattern, word):
            raise ValueError("%s: item %d is refused: it is not of the form %s" % (what, at, pattern))
    return " ".join(given)


def _yes(value):
    if value not in (None, True, False):
        raise TypeError("enabled and trusted are True, False or None, not %r" % (value,))
    return None if value is None else "yes" if value else "no"


def _signer(signed_by, check):
    import re

    if not signed_by or re.match("(?:%s)\\Z" % FINGERPRINT, signed_by):
        return signed_by
    if "/" in signed_by:
        paths = [check_name("signed_by", signed_by, "/" + WORD)]
    else:
        name = _key_name(signed_by)
        paths = [os.path.join(KEYS, name + ending) for ending in (".asc", ".gpg")]
    for path in paths:
        if os.path.isfile(path):
            return path
    if not check:
        raise FileNotFoundError("signed_by: there is no key %s" % " or ".join(paths))
    # With check, the key may be one that would be made.
    return paths[0]


def _ask_gpg(data):
    """Has gpg read a key, where there is one that can."""
    import shutil
    import tempfile

    if not find("gpg"):
        return
    home = tempfile.mkdtemp()
    try:
        options = "--batch", "--no-options", "--no-autostart", "--homedir", home, "--with-colons"
        done = run("gpg", *options, "--show-keys", input=data, ok=None)
    finally:
        shutil.rmtree(home, ignore_errors=True)
    # Before 2.2.8 gpg did not know this option.
    if b"invalid option" not in done.stderr and (done.code != 0 or b"pub:" not in done.stdout):
        raise ValueError("gpg reads no key in it: " + tail(done.stderr))


def _write(path, data, check, secret=False):
    """Makes a file hold this, and returns the diff."""
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        if check:
            return unified(path, b"", data, secret)
        # Debian before 12 has none for keys.
        os.mkdir(folder)
        os.chmod(folder, 0o755)
    return change(path, lambda old: data, mode=0o644, check=check, secret=secret).diff


def _remove(path, check, secret=False):
    try:
        with open(path, "rb") as file:
            diff = unified(path, file.read(), b"", secret)
    except FileNotFoundError:
        if not os.path.islink(path):
            return ""
        diff = ""
    if not check:
        os.unlink(path)
    return diff or "- %s\n" % path


def _named_elsewhere(key, source):
    """Whether a source in another file names a key."""
    paths = ["/etc/apt/sources.list"]
    if os.path.isdir(SOURCES):
        paths += [os.path.join(SOURCES, name) for name in os.listdir(SOURCES)]
    for path in paths:
        if path != source and os.path.isfile(path):
            with open(path, "rb") as file:
                if key.encode() in file.read().replace(b",", b" ").replace(b"]", b" ").replace(b"=", b" ").split():
                    return True
    return False


def _result(name, path, diff):
    changed = bool(diff)
    return Record("RepositoryResult", name=name, changed=changed, path=path, diff=diff, update_needed=changed or outdated())
