import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401

from rmote.template import SIZE, Template, TemplateError, render_template as render


class Text(unittest.TestCase):
    def test_text_stays_byte_for_byte(self):
        for text in ("", "a", "a\n", "a\n\n", "\n", "a\r\nb\r\n", "a\x0cb\u2028c\x0b\x1c\x85\n", "$ {} $$ \\ }{ 100%\n", "a # b\n"):
            self.assertEqual(render(text), text)

    def test_escapes(self):
        self.assertEqual(render("\\${x} \\\\${x}\n"), "${x} \\${x}\n")
        self.assertEqual(render("%% ${x}\n  %%%\n", x=1), "% 1\n  %%\n")

    def test_comments(self):
        self.assertEqual(render("## one\na\n  ## two\nb ## c\n"), "a\nb ## c\n")


class Expressions(unittest.TestCase):
    def test_values(self):
        self.assertEqual(render("Hello, ${name}!${1 + 1}${None}\n", name="you"), "Hello, you!2None\n")
        self.assertEqual(render("${}a"), "a")

    def test_braces(self):
        self.assertEqual(render("${{'k': 1}['k']}${ {} }${{1: {2: 3}}[1][2]}"), "1{}3")
        self.assertEqual(render("""${"}"}${'{'}${"a}b{" + '}'}${"\\"}"}"""), "}{a}b{}\"}")
        self.assertEqual(render("${x}}", x=1), "1}")
        self.assertEqual(render("{${x}}", x=1), "{1}")

    def test_a_comment_and_a_tuple_are_python_s(self):
        self.assertEqual(render("${1 # one}${2, 3}"), "1(2, 3)")

    def test_any_name_may_be_a_value(self):
        self.assertEqual(Template("${self}${path}${str}${template}").render(self=1, path=2, str=3, template=4), "1234")
        self.assertEqual(Template("${a}${b}").render({"a": 1}, b=2), "12")
        names = "_put_ _str_ parts work names steps size secret range pow".split()
        text = "".join("${%s}" % name for name in names)
        self.assertEqual(Template(text).render(dict.fromkeys(names, 1)), "1" * len(names))

    def test_template_is_reusable(self):
        template = Template("${x}")
        self.assertEqual([template.render(x=x) for x in range(3)], ["0", "1", "2"])


class Statements(unittest.TestCase):
    def test_blocks(self):
        text = "% for i in range(3):\n  % if i == 1\none\n%elif i == 2:\ntwo\n% else\n${i}\n% endif\n% endfor\nend\n"
        self.assertEqual(render(text), "0\none\ntwo\nend\n")
        self.assertEqual(render("% if True\na\n% end\n% while False:\n%\nb"), "a\nb")

    def test_crlf(self):
        self.assertEqual(render("% if x:\r\na\r\n% endif\r\nb\r\n", x=1), "a\r\nb\r\n")

    def test_other_blocks_and_statements(self):
        text = (
            "% import os\n% x = x + 1\n% try:\n% raise KeyError(x)\n% except KeyError as e:\n${e}\n% finally\nf\n% endtry\n"
            "% def twice(y):\n${y}${y}\n% enddef\n% twice(x)\n% for i in 1, 2, 3:\n% if i == 2:\n% break\n% endif\n${i}\n"
            "% else\nno\n% endfor\n% with open(os.devnull) as file:\n${file.name}\n% endwith\n")
        self.assertEqual(render(text, x=1), "2\nf\n22\n1\n/dev/null\n")

    def test_names_are_seen_in_functions_and_comprehensions(self):
        self.assertEqual(render("% n = 2\n${[i * n * m for i in range(3)]}${(lambda: n)()}", m=1), "[0, 2, 4]2")

    def test_empty_blocks(self):
        self.assertEqual(render("% if True:\n## nothing\n% else:\n% endif\na"), "a")

    def test_names_that_begin_like_keywords(self):
        self.assertEqual(render("% iffy = 1\n% ending = 2\n% while_ = 3\n${iffy}${ending}${while_}"), "123")


class Errors(unittest.TestCase):
    def fails(self, text, line, column, words, **values):
        with self.assertRaises(TemplateError) as caught:
            render(text, **values)
        error = caught.exception
        self.assertEqual((error.line, error.column), (line, column), error)
        self.assertIn(words, str(error))
        self.assertTrue(str(error).startswith("line %d, column %d: " % (line, column)))
        return error

    def test_mistakes_in_expressions(self):
        self.fails("a\n\nb ${x y}\n", 3, 3, "")
        self.fails("${a", 1, 1, "has no end")
        self.fails("${'}", 1, 1, "")
        self.fails("## c\n${(}\n", 2, 1, "")

    def test_mistakes_in_statements(self):
        self.fails("a\n  % for x y\n% end\n", 2, 3, "")
        self.fails("a\n% x = = 1\n", 2, 1, "")

    def test_an_expression_is_one_expression(self):
        # Each half would close what the other opens.
        self.fails("${1) + (2}", 1, 1, "")
        self.fails("${x = 1}", 1, 1, "")
        self.fails("${*x}", 1, 1, "", x=[])

    def test_a_statement_has_one_line(self):
        self.fails("a\n% x = (1,\nb\n% 2)\n", 3, 1, "invalid syntax")
        self.fails("% x = \'\'\'\na\n% \'\'\'\n", 2, 1, "inside of a statement that has no end")
        self.fails("% x = 1\ry = 2\n", 1, 1, "carriage return")

    def test_a_line_of_braces_ends_with_an_error(self):
        self.fails("${(" + "}" * 100000, 1, 1, "")

    def test_nesting_too_deep_for_python(self):
        try:
            # PyPy can.
            self.assertEqual(render("% if 1:\n" * 200 + "a\n" + "% end\n" * 200), "a\n")
        except TemplateError as error:
            self.assertIn(error.line, (100, 101))
        self.fails("\n${" + "(" * 10000 + "1" + ")" * 10000 + "}", 2, 1, "")

    def test_what_is_too_long_for_old_pythons(self):
        self.fails("\n${" + "not " * 100000 + "1}", 2, 1, "an expression of more than 20000 characters")
        self.fails("\n% x = " + "-" * 100000 + "1\n", 2, 1, "a statement of more than 20000 characters")

    def test_what_is_no_text(self):
        for bad in None, b"a", 1, ["a"]:
            with self.assertRaisesRegex(TypeError, "a template is text, not"):
                Template(bad)

    def test_secrets_stay_out_of_errors(self):
        template = Template("\n${int(password)}${missing}")
        with self.assertRaises(TemplateError) as caught:
            template.fill({"password": "hunter2"})
        self.assertIn("hunter2", str(caught.exception))
        with self.assertRaises(TemplateError) as caught:
            template.fill({"password": "hunter2"}, secret=True)
        self.assertEqual(str(caught.exception), "line 2, column 1: ValueError (the rest is hidden)")
        self.assertIsNone(caught.exception.__cause__)
        self.assertIsNone(caught.exception.__context__)
        with self.assertRaisesRegex(TemplateError, "name \'missing\' is not defined") as caught:
            template.fill({"password": "1"}, secret=True)
        self.assertIsNone(caught.exception.__cause__)

    def test_blocks_that_do_not_match(self):
        self.fails("a\n% if x:\nb\n", 2, 1, "if has no end")
        self.fails("a\n% endif\n", 2, 1, "endif without a block")
        self.fails("% else\n", 1, 1, "else without a block")
        self.fails("% if x:\n% endfor\n", 2, 1, "endfor ends the if of line 1")

    def test_errors_while_rendering(self):
        error = self.fails("a\n% for i in range(2)\n${i} ${1 // (1 - i)}\n% endfor\n", 3, 6, "ZeroDivisionError")
        self.assertIsInstance(error.__cause__, ZeroDivisionError)
        self.fails("a\n% x = missing\n", 2, 1, "NameError: name 'missing' is not defined")
        self.fails("% def f()\n${missing}\n% end\n\n${f()}", 2, 1, "NameError")
        self.fails("\n ${f()}", 2, 2, "KeyError", f={}.popitem)
        self.fails("\n\n${t.render()}", 3, 1, "TemplateError: line 2, column 1: NameError", t=Template("\n${missing}"))

class Limits(unittest.TestCase):
    def stops(self, text, line, words, steps=1000, size=SIZE, **values):
        with self.assertRaises(TemplateError) as caught:
            Template(text).fill(values, steps, size)
        self.assertEqual(caught.exception.line, line, caught.exception)
        self.assertIn(words, str(caught.exception))
        self.assertIsNone(caught.exception.__cause__)

    def test_loops_without_an_end(self):
        self.stops("a\n% while True:\n% end\n", 2, "stopped after 1000 steps")
        self.stops("% import itertools\n% for i in itertools.count():\n% end\n", 2, "stopped after 1000 steps")
        self.stops("% import itertools\n\n${[i for i in itertools.count()]}", 3, "stopped after 1000 steps")
        self.stops("% import itertools\n${any(i < 0 for i in itertools.count())}", 2, "stopped after 1000 steps")
        self.stops("% import itertools\n${list(iter(lambda: 1, 2))}", 2, "stopped after 1000 steps")
        self.stops("% def f()\n% return 1\n% end\n\n${list(iter(f, 2))}", 1, "stopped after 1000 steps")

    def test_a_template_cannot_catch_its_end(self):
        endless = "% while True:\n% pass\n% end\n"
        for clause in "except Exception", "except", "except BaseException":
            self.stops("% try\n" + endless + "% " + clause + "\ncaught\n% end\n", 2, "stopped after 1000 steps")
        self.stops("% try\n" + endless + "% except\n${1 // 0}\n% end\n", 2, "stopped after 1000 steps")
        self.stops("% try\n" + endless + "% finally\n" + endless + "% end\n", 6, "stopped after 1000 steps")

    def test_steps_are_those_of_one_rendering(self):
        template = Template("% for i in range(10):\n% end\n")
        for _ in range(3):
            self.assertEqual(template.fill({}, steps=10), "")
        with self.assertRaises(TemplateError):
            template.fill({}, steps=9)

    def test_ranges(self):
        self.assertEqual(render("${list(range(1, 7, 2))}${range(3)}"), "[1, 3, 5]range(0, 3)")
        # One that is too long to be gone through has a beginning all the same.
        self.assertEqual(render("% for i in range(10 ** 18):\n% if i == 2\n% break\n% end\n${i}\n% end\n"), "0\n1\n")
        for text in "${sum(range(10 ** 12))}", "${list(range(10 ** 18))}", "${max(range(1 << 1000))}":
            self.stops(text, 1, "stopped after 1000 steps")

    def test_numbers(self):
        for text in (
            "${9 ** 9 ** 9}", "${pow(9, 9 ** 9)}", "${1 << 10 ** 12}",
            "% x = 9\n% for i in range(100):\n% x = x * x\n% end\n${x}",
            "% x = 9\n% for i in range(100):\n% x *= x\n% end\n${x}",
            "% x = {1: 9}\n% for i in range(100):\n% x[1] **= 9\n% end\n${x}",
            "% x = 1\n% for i in range(100):\n% x <<= 1000\n% end\n${x}",
        ):
            self.stops(text, 1 if text[0] == "$" else 3, "a number of more than 65536 bits")
        self.assertEqual(render("${2 ** 100}${(-1) ** 10 ** 9}${0 << 10 ** 9}${2 ** -1}${pow(2, 10 ** 9, 7)}"), "%d100.52" % 2 ** 100)

    def test_repetition_and_growth(self):
        for text in (
            "${'x' * 10 ** 10}", "${10 ** 10 * 'x'}", "${[0] * 10 ** 10}", "${len((0,) * 10 ** 10)}",
            "% x = 'x'\n% for i in range(100):\n% x = x + x\n% end\n",
            "% x = 'x'\n% for i in range(100):\n% x += x\n% end\n",
            "% x = ['x']\n% for i in range(100):\n% x *= 2\n% end\n",
            "% class X\n% y = b'x'\n% end\n% for i in range(100):\n% X.y += X.y\n% end\n",
        ):
            line = 1 if text[0] == "$" else 5 if "class" in text else 3
            self.stops(text, line, "a value of more than 16777216 items")

    def test_operators_do_what_python_s_do(self):
        text = "% x = y = [1]\n% x += (2,)\n% x *= 2\n${x is y}${x}${1 + 1.5}${2 * 1.5}${'a' + 'b'}${{1} - {2}}${2.0 ** 3}"
        self.assertEqual(render(text), "True[1, 2, 1, 2]2.53.0ab{1}8.0")
        self.assertEqual(render("% n = iter('ab')\n% x = dict(a=1)\n% x[next(n)] += 1\n${x}"), "{'a': 2}")
        self.assertEqual(render("% f = lambda a, *b, c=1: (a, b, c)\n${f(1, 2)}${[a + b for a in 'xy' for b in '12' if b > '1']}"), "(1, (2,), 1)['x2', 'y2']")
        with self.assertRaisesRegex(TemplateError, "TypeError: unsupported operand|TypeError: must be str|can only concatenate"):
            render("${'a' + 1}")

    def test_the_size_of_the_text(self):
        self.stops("% for i in range(100):\n12345\n% end\n", 2, "more than 60 characters of text", size=60)
        self.assertEqual(Template("12345\n${'x' * 4}").fill({}, size=10), "12345\nxxxx")
        self.stops("12345\n${x}", 2, "more than 9 characters of text", size=9, x="xxxx")


if __name__ == "__main__":
    unittest.main()
