"""What package managers are asked for and what they answer, the same for all of them."""
from rmote.values import Record

STATES = "present", "absent", "latest", "held"


class Wanted:
    """One package as it is wanted: `state` is one of STATES, `version` a pin or ""."""

    def __init__(self, name, state, version):
        self.name, self.state, self.version = name, state, version


def wanted(items, state="present"):
    """The packages that are meant by what a caller gave: texts `name` or `name=version`, or maps with `name`, `state`, `version`.

    `state` holds for those that name none. Two that contradict each other are refused.
    """
    found = {}
    for item in items:
        if isinstance(item, str):
            name, _, version = item.partition("=")
            one = Wanted(name, state, version)
        else:
            fields = dict(item if isinstance(item, dict) else vars(item))
            one = Wanted(fields.pop("name"), fields.pop("state", None) or state, fields.pop("version", None) or "")
            if fields:
                raise TypeError("a package has no %s" % ", ".join(sorted(fields)))
        if not isinstance(one.name, str) or not isinstance(one.version, str):
            raise TypeError("name and version of a package are texts, not %r" % (item,))
        if one.state not in STATES:
            raise ValueError("a package is %s, not %r" % (" or ".join(STATES), one.state))
        if one.version and one.state in ("absent", "latest"):
            raise ValueError("package %s: a version with state %s makes no sense" % (one.name, one.state))
        known = found.setdefault(one.name, one)
        if (known.state, known.version) != (one.state, one.version):
            raise ValueError("package %s is wanted in two ways" % one.name)
    return list(found.values())


def result(name, changed, before, after, held=False):
    """A `PackageResult`: the versions before and after, "" for none; with `check` what they would be, as far as can be told."""
    return Record("PackageResult", name=name, changed=changed, before=before, version=after, held=held)
