"""Fits arguments to a function's signature: records to dataclasses, names to enums, text to paths."""
import sys

from rmote.wire import Member, Record


def convert(function, args, kwargs):
    target = getattr(function.run, "__func__", function.run)
    names = getattr(target, "__globals__", {})
    try:
        kinds = getattr(target, "__annotations__", {})
    except NameError:
        kinds = {}
    code = getattr(target, "__code__", None)
    order = list(code.co_varnames[:code.co_argcount]) if code else []
    if target is not function.run:
        del order[:1]
    rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount] if code and code.co_flags & 4 else None
    order += [rest] * (len(args) - len(order))
    return ([fit(value, kinds.get(name), names) for value, name in zip(args, order)],
            {name: fit(value, kinds.get(name), names) for name, value in kwargs.items()})


def fit(value, kind, names):
    if isinstance(kind, str):
        # An annotation of the tool's own source, as text.
        try:
            kind = eval(kind, names)
        except Exception:
            kind = None
    parts = getattr(kind, "__args__", ()) or ()
    if isinstance(kind, type) and not parts:
        return fit_class(value, kind, names)
    if getattr(kind, "__origin__", None) in (list, tuple, set, frozenset) and parts:
        return fit_items(value, parts[0], names)
    for part in parts:
        fitted = fit(value, part, names)
        if fitted is not value:
            return fitted
    return fit_class(value, None, names)


def fit_class(value, kind, names):
    enum = sys.modules.get("enum")
    if isinstance(value, Member):
        kind = class_of(kind, value.type_name, names)
        return kind[value.name] if enum and kind and issubclass(kind, enum.Enum) else value
    if isinstance(value, dict):
        if isinstance(value, Record):
            kind = class_of(kind, value.name, names)
        fields = getattr(kind, "__dataclass_fields__", None)
        if fields is not None:
            return kind(**{key: fit(item, getattr(fields.get(key), "type", None), names) for key, item in value.items()})
        if hasattr(kind, "_fields"):
            return kind(**value)
        for key in value:
            value[key] = fit(value[key], None, names)
        return value
    if isinstance(value, (list, tuple, set, frozenset)):
        return fit_items(value, None, names)
    if enum and isinstance(kind, type) and issubclass(kind, enum.Enum):
        return kind[value] if isinstance(value, str) and value in kind.__members__ else kind(value)
    if isinstance(value, str) and hasattr(kind, "__fspath__"):
        return kind(value)
    return value


def fit_items(value, kind, names):
    if not isinstance(value, (list, tuple, set, frozenset)):
        return value
    fitted = [fit(item, kind, names) for item in value]
    return fitted if isinstance(value, list) else type(value)(fitted)


def class_of(kind, name, names):
    """The class that a record or member of another process is, in the function's module."""
    return kind if getattr(kind, "__name__", None) == name else names.get(name, kind)
