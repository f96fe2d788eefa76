"""Rules of sudo, one file each in its include directory."""
import os

from rmote.tools import edit, program

SUDOERS, FOLDER = "/etc/sudoers", "/etc/sudoers.d"
# As file names too: sudo skips those with a dot or a final "~".
NAME = "%?[0-9]*[A-Za-z_][A-Za-z0-9_-]*"
# Upper case alone is an alias, such as ALL, and these begin other things than rules.
WORDS = "Defaults", "User_Alias", "Runas_Alias", "Host_Alias", "Cmnd_Alias", "Cmd_Alias"
WORD = r"[A-Za-z0-9_./@%+~,:=#-]+"


def check_name(what, name):
    """Refuses a name that sudo would read as something else, or skip as a file's name."""
    program.check_name(what, name, NAME)
    if name == name.upper() or name in WORDS:
        raise ValueError("%s %r is refused: sudo reads it as an alias or a word of its own" % (what, name))
    return name


def check_runas(runas):
    """A user, `user:group` or `:group`; ALL is any."""
    if not isinstance(runas, str):
        raise TypeError("runas is a text, not %r" % (runas,))
    names = runas.split(":")
    if len(names) > 2 or not names[-1]:
        raise ValueError("runas %r is refused: it is not of the form user, user:group or :group" % runas)
    for name in names:
        if name not in ("", "ALL") and check_name("runas", name)[0] == "%":
            raise ValueError("runas %r is refused: it is for users and groups, not for members of groups" % runas)
    return runas


def escaped(command):
    """A command as sudoers has it. Its words mean themselves: there are no wildcards and no quotes."""
    if not isinstance(command, str):
        raise TypeError("a command is a text, not %r" % (command,))
    words = command.split(" ")
    bare = words[1:] == ['""']
    for word in words[:1] if bare else words:
        program.check_name("in command %r the word" % command, word, WORD)
    if words[0][0] != "/" or words[0][-1] == "/" or ".." in words[0].split("/"):
        raise ValueError("command %r is refused: it is no absolute path of a program" % command)
    return "".join("\\" + c if c in ",:=#" else c for c in command)


def line(name, nopasswd, commands, runas):
    """The rule as a line."""
    if isinstance(commands, (str, bytes)):
        raise TypeError("commands are a list, not a text")
    if commands is not None and not commands:
        raise ValueError("commands are empty: leave them out for all, or make the rule absent")
    rule = ", ".join(map(escaped, commands)) if commands else "ALL"
    return "%s ALL=(%s) %s%s\n" % (name, "ALL" if runas is None else check_runas(runas), "NOPASSWD: " if nopasswd else "", rule)


def change(name, nopasswd, commands, runas, absent, check):
    """Writes the rule, or removes it, and gives a `Change`."""
    path = os.path.join(FOLDER, check_name("user", name))
    rule = line(name, nopasswd, commands, runas).encode()
    if absent:
        return _remove(path, check)
    visudo = program.need("visudo", "rules of sudo are checked with it")
    _need_include()
    return edit.change(
        path,
        lambda old: rule,
        mode=0o440,
        owner=0,
        group=0,
        validate=[visudo, "-c", "-f", "{}"],
        # Beside the folder, where sudo does not read it before it is checked.
        folder=os.path.dirname(FOLDER),
        check=check,
    )


def _remove(path, check):
    try:
        with open(path, "rb") as file:
            old = file.read()
    except FileNotFoundError:
        return edit.record("")
    if not check:
        os.unlink(path)
    return edit.record(edit.unified(path, old, b"") or "- %s\n" % path)


def _need_include():
    """Refuses a host whose sudo would never read the rule."""
    import re

    with open(SUDOERS, "rb") as file:
        text = file.read().decode("utf-8", "replace")
    if not re.search("(?m)^[#@]includedir[ \t]+\"?%s/?\"?[ \t]*$" % re.escape(FOLDER), text):
        raise program.Unsupported("includedir of %s in %s" % (FOLDER, SUDOERS), "sudo would not read the rule")
