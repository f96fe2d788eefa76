"""Templates of the older rmote: `${expression}` in the text, `% statement` on lines of their own."""

OPEN = frozenset(("for", "if", "while", "with", "try", "def", "class"))
MORE = frozenset(("else", "elif", "except", "finally"))
FILE = "<template>"


class TemplateError(ValueError):
    """A template that cannot be compiled or rendered, with the line and column of the culprit, from 1."""

    def __init__(self, message, line, column):
        ValueError.__init__(self, message, line, column)
        self.message, self.line, self.column = message, line, column

    def __str__(self):
        return "line %d, column %d: %s" % (self.line, self.column, self.message)


class Template:
    r"""A template, compiled once and rendered with any number of values.

    `${expr}` becomes the text of the Python expression and `\${` stays as `${`. A line that begins with `%` is
    a Python statement; `for`, `if`, `while`, `with`, `try`, `def` and `class` last until `% end`, `% endfor` and
    the like, or a bare `%`. `%%` is a line that begins with `%`, `##` a comment. Line ends stay as they are.
    """

    def __init__(self, template):
        self.template = template
        self._code, self._places = _translate(template)

    def render(*args, **values):
        """Renders the text with the values given as a mapping, by keyword, or both."""
        # `self` may be the name of a value too.
        self = args[0]
        parts = []
        names = dict(*args[1:], **values)
        names.update(_put_=parts.append, _str_=str)
        try:
            exec(self._code, names)
        except Exception as error:
            place = (1, 1)
            trace = error.__traceback__
            while trace:
                if trace.tb_frame.f_code.co_filename == FILE and trace.tb_frame.f_globals is names:
                    place = self._places[trace.tb_lineno - 1]
                trace = trace.tb_next
            raise TemplateError("%s: %s" % (type(error).__name__, error), *place) from error
        return "".join(parts)

    def __repr__(self):
        return "Template(%r)" % self.template[:40]


def render_template(template, **values):
    """Compiles and renders a template in one step."""
    return Template(template).render(values)


def _translate(text):
    """The code of a template, and the line and column behind each line of that code."""
    source, places, blocks = [], [], []

    def emit(code, column):
        source.append(" " * len(blocks) + code)
        places.append((number, column))

    def close(word, column):
        if not blocks:
            raise TemplateError("%s without a block" % word, number, column)
        name, line, _ = blocks.pop()
        if word not in ("%", "end", "end" + name):
            raise TemplateError("%s ends the %s of line %d" % (word, name, line), number, column)

    # Not splitlines: form feeds and the like are text.
    lines = text.split("\n")
    for number, line in enumerate(lines, 1):
        stripped = line.strip()
        column = len(line) - len(line.lstrip()) + 1
        if stripped.startswith("##"):
            continue
        if stripped.startswith("%") and not stripped.startswith("%%"):
            code = stripped[1:].strip()
            word = _word(code)
            if not code or word.startswith("end") and (word == "end" or word[3:] in OPEN):
                close(word or "%", column)
            elif word in OPEN or word in MORE:
                if word in MORE:
                    if not blocks:
                        raise TemplateError("%s without a block" % word, number, column)
                    block = blocks.pop()
                else:
                    block = (word, number, column)
                emit(code if code.endswith(":") else code + ":", column)
                blocks.append(block)
                # A block may hold nothing but comments.
                emit("pass", column)
            else:
                emit(code, column)
            continue
        if stripped.startswith("%%"):
            line = line.replace("%%", "%", 1)
        if number < len(lines):
            line += "\n"
        for is_code, part, at in _pieces(line, number):
            emit("_put_(_str_(%s))" % part if is_code else "_put_(%r)" % part, at + 1)
    if blocks:
        name, line, column = blocks[-1]
        raise TemplateError("%s has no end" % name, line, column)
    try:
        return compile("\n".join(source) + "\n", FILE, "exec"), places
    except (SyntaxError, ValueError) as error:
        line = min(getattr(error, "lineno", None) or 1, len(places))
        raise TemplateError(getattr(error, "msg", None) or str(error), *places[line - 1]) from None


def _word(code):
    end = 0
    while end < len(code) and (code[end].isalnum() or code[end] == "_"):
        end += 1
    return code[:end]


def _pieces(line, number):
    """Cuts a line into text and expressions: whether code, the part, and where it begins."""
    at = 0
    while at < len(line):
        start = line.find("${", at)
        if start < 0:
            yield False, line[at:], at
            return
        if start > at and line[start - 1] == "\\":
            yield False, line[at : start - 1] + "${", at
            at = start + 2
            continue
        if start > at:
            yield False, line[at:start], at
        failed = None
        end = start + 1
        while True:
            # Braces inside strings and dicts: the expression ends at the first brace that makes it a whole.
            end = line.find("}", end + 1)
            if end < 0:
                raise TemplateError(failed or "${ has no end", number, start + 1)
            try:
                compile("_str_(%s)" % line[start + 2 : end], FILE, "eval")
                break
            except (SyntaxError, ValueError) as error:
                failed = failed or getattr(error, "msg", None) or str(error)
        yield True, line[start + 2 : end], start
        at = end + 1
