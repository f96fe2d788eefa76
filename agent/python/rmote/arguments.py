"""Fits arguments to a function's signature: records to dataclasses, names to enums, text to paths."""
from rmote.values import Member, Record


def convert(function, args, kwargs):
    if function.kinds is None:
        learn(function)
    names = getattr(function.inner, "__globals__", {})
    kinds = function.kinds
    code = function.code
    order, rest = [], None
    if code:
        order = list(code.co_varnames[hasattr(function.run, "__self__"):code.co_argcount])
        if code.co_flags & 4:
            rest = code.co_varnames[code.co_argcount + code.co_kwonlyargcount]
    order += [rest] * (len(args) - len(order))
    return ([fit(value, kinds.get(name), names) for value, name in zip(args, order)],
            {name: fit(value, kinds.get(name), names) for name, value in kwargs.items()})


def learn(function):
    """Finds the kinds of a function's arguments, and whether they can differ from what arrives."""
    kinds = {}
    try:
        kinds = dict(function.inner.__annotations__)
    except Exception:
        pass
    kinds.pop("return", 0)
    function.convert = any(type(kind) is not type or kind.__module__ != "builtins" for kind in kinds.values())
    function.kinds = kinds


def fit(value, kind, names):
    kind = getattr(kind, "__forward_arg__", kind)
    parts = ()
    for _ in range(2):
        if isinstance(kind, str):
            # An annotation of the tool's own source, as text, or as text of a text.
            try:
                kind = eval(kind, names)
            except Exception:
                # Older Pythons cannot evaluate `Path | None`.
                parts = kind.split("|") if "|" in kind else ()
                kind = None
    origin = getattr(kind, "__origin__", None)
    parts = parts or getattr(kind, "__args__", None) or ()
    if isinstance(origin, type) and origin.__name__ != "Union":
        if isinstance(value, (list, tuple, set, frozenset)):
            if issubclass(origin, tuple) and parts[1:] != (...,):
                return type(value)(fit(item, part, names) for item, part in zip(value, parts)) if len(value) == len(parts) else value
            return fit_items(value, parts and parts[0], names)
        if type(value) is dict and len(parts) == 2:
            return {fit(key, parts[0], names): fit(item, parts[1], names) for key, item in value.items()}
        kind = origin
    elif type(value) in parts:
        return value
    else:
        for part in parts:
            fitted = fit(value, part, names)
            if fitted is not value:
                return fitted
    return fit_class(value, kind, names)


def fit_class(value, kind, names):
    kind = kind if isinstance(kind, type) else None
    if isinstance(value, Member):
        kind = class_of(kind, value.type_name, names)
        return kind[value.name] if hasattr(kind, "__members__") else value
    if isinstance(value, dict):
        if isinstance(value, Record):
            kind = class_of(kind, value.type_name, names)
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
    if hasattr(kind, "__members__"):
        return kind[value] if isinstance(value, str) and value in kind.__members__ else kind(value)
    if isinstance(value, str) and hasattr(kind, "__fspath__"):
        return kind(value)
    return value


def fit_items(value, kind, names):
    return type(value)([fit(item, kind, names) for item in value])


def class_of(kind, name, names):
    """The class that a record or member of another process is, in the function's module."""
    return kind if getattr(kind, "__name__", None) == name else names.get(name, kind)
