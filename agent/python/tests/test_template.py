import os
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import bootstrap  # noqa: F401

from rmote.template import Template, TemplateError, render_template as render


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

    def test_any_name_may_be_a_value(self):
        self.assertEqual(Template("${self}${path}${str}${template}").render(self=1, path=2, str=3, template=4), "1234")
        self.assertEqual(Template("${a}${b}").render({"a": 1}, b=2), "12")

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


if __name__ == "__main__":
    unittest.main()
