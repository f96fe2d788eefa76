import os
import stat
import subprocess
import sys
import unittest

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
from bootstrap import TOOLS, load
from test_fs import Case

template = load("template")
Template = template.Template
from rmote.protocol import Template as Language, render_template  # noqa: E402
from rmote.template import TemplateError  # noqa: E402
from rmote.values import Record  # noqa: E402

NGINX = """\
# ${title}
user ${user};
%% for humans: 100%% of it
% for site in sites:
server {
    server_name ${' '.join(site['names'])};
  % if site.get('root'):
    root "${site['root']}";
  % else:
    return 404 "\\${uri} }";
  % endif
}
% endfor
## not for humans
"""
VALUES = {
    "title": "Gr\u00fc\u00dfe",
    "user": "www-data",
    "sites": [{"names": ["a.example", "b.example"], "root": "/srv/a"}, {"names": ["c.example"]}],
}
RENDERED = """\
# Gr\u00fc\u00dfe
user www-data;
% for humans: 100%% of it
server {
    server_name a.example b.example;
    root "/srv/a";
}
server {
    server_name c.example;
    return 404 "${uri} }";
}
"""


class Render(Case):
    def test_a_configuration_byte_for_byte(self):
        self.assertEqual(Template.render(NGINX, VALUES), RENDERED)
        crlf = NGINX.replace("\n", "\r\n")
        self.assertEqual(Template.render(crlf, VALUES), RENDERED.replace("\n", "\r\n"))
        last = "end"
        self.assertEqual(Template.render(NGINX + last, VALUES), RENDERED + last)
        self.assertEqual(Template.render(crlf + last, VALUES), RENDERED.replace("\n", "\r\n") + last)

    def test_a_brace_in_a_string_is_no_end(self):
        self.assertEqual(Template.render("${'}'}${\"{\" + '}'}${{1: '}'}[1]}"), "}{}}")

    def test_values_in_one_mapping_may_have_any_name(self):
        names = "template path values steps size secret self names source mode compiled".split()
        text = "".join("${%s}," % name for name in names)
        values = {name: name for name in names}
        want = ",".join(names) + ","
        path = self.put(text.encode())
        self.assertEqual(Template.render(text, values), want)
        self.assertEqual(Template.render_file(path, values), want)
        self.assertEqual(Template.render_compiled(Template.compile(text), values), want)
        Template.write(self.path("a"), text, values)
        Template.write_file(self.path("b"), path, values)
        self.assertEqual((self.get("a"), self.get("b")), (want.encode(), want.encode()))

    def test_values_by_name_as_rmote_0_3_has_them(self):
        path = self.put(b"${a}${b}")
        self.assertEqual(Template.render("${a}${b}", a=1, b=2), "12")
        self.assertEqual(Template.render("${a}${b}", {"a": 1, "b": 1}, b=2), "12")
        self.assertEqual(Template.render_file(path, a=1, b=2), "12")
        self.assertEqual(Template.render_compiled(Language("${a}${b}"), a=1, b=2), "12")
        self.assertEqual(render_template("${a}${b}", a=1, b=2), "12")

    def test_values_are_a_mapping(self):
        for bad in [("a", 1)], "a", 1, {1: 2}:
            with self.assertRaisesRegex(TypeError, "values is a mapping from names"):
                Template.render("a", bad)
        self.assertEqual(Template.render("${server.port}${server['port']}", Record("Values", server=Record("Server", port=1))), "11")

    def test_a_missing_value_is_an_error_with_its_place(self):
        with self.assertRaises(TemplateError) as caught:
            Template.render("a\n  ${b}\n")
        self.assertEqual(str(caught.exception), "line 2, column 3: NameError: name 'b' is not defined")
        with self.assertRaises(TypeError):
            Template.render(b"a")

    def test_a_template_has_an_end(self):
        for text in "% while True:\n% end\n", "${9 ** 9 ** 9}", "${sum(range(9 ** 99))}", "${'x' * 9 ** 9}":
            with self.assertRaisesRegex(TemplateError, "^line 1, column 1: (stopped after|a number of|a value of) .*[0-9]"):
                Template.render(text)
        with self.assertRaisesRegex(TemplateError, "stopped after 5 steps"):
            Template.render("% for i in range(10):\n% end\n", steps=5)
        with self.assertRaisesRegex(TemplateError, "more than 9 characters of text"):
            Template.render("1234567890", size=9)


class Files(Case):
    def test_a_file_is_utf8_whatever_the_locale(self):
        path = self.put("\u00e9${x}\r\n".encode())
        code = "import sys; sys.path.insert(0, %r)\nfrom bootstrap import load\nprint(ascii(load('template').Template.render_file(%r, dict(x=chr(0x20ac)))))"
        env = dict(os.environ, LC_ALL="C", PYTHONUTF8="0", PYTHONCOERCECLOCALE="0", PYTHONDONTWRITEBYTECODE="1")
        out = subprocess.check_output([sys.executable, "-c", code % (os.path.join(TOOLS, "tests"), path)], env=env)
        self.assertEqual(out, b"'\\xe9\\u20ac\\r\\n'\n")

    def test_errors_name_the_file(self):
        path = self.put(b"a\n${")
        with self.assertRaisesRegex(TemplateError, "^%s: line 2, column 1: \\$\\{ has no end$" % path):
            Template.render_file(path)
        with self.assertRaisesRegex(ValueError, "%s: not utf-8: .* at byte 1" % path):
            Template.render_file(self.put(b"a\xff"))
        with self.assertRaises(FileNotFoundError):
            Template.render_file(self.path("missing"))


class Compiled(Case):
    def test_what_travels_is_plain_data(self):
        compiled = Template.compile(NGINX)
        self.assertEqual((compiled.type_name, dict(compiled)), ("CompiledTemplate", {"template": NGINX}))
        self.assertEqual(Template.render_compiled(compiled, VALUES), RENDERED)
        # As it comes back from a controller.
        self.assertEqual(Template.render_compiled(Record("CompiledTemplate", template="${x}"), {"x": 1}), "1")

    def test_mistakes_are_found_when_it_is_compiled(self):
        for text in "${", "${x y}", "% if x:\n", "% x = = 1\n":
            with self.assertRaisesRegex(TemplateError, "^line 1, column 1: "):
                Template.compile(text)

    def test_text_and_other_things_are_not_compiled_templates(self):
        for bad in "text", b"x", None, 1, {"template": "x"}:
            with self.assertRaisesRegex(TypeError, "compile\\(\\) makes what is rendered here"):
                Template.render_compiled(bad)
        with self.assertRaises(TypeError):
            Template.render_compiled(Record("CompiledTemplate", template=1))

    def test_the_host_keeps_a_few_and_no_more(self):
        first = Template.compile("${0}")
        kept = template._kept["${0}"]
        for i in range(1000):
            Template.render_compiled(Template.compile("%d" % i))
            Template.render_compiled(first)
        self.assertEqual(len(template._kept), template.KEPT)
        self.assertIs(template._kept["${0}"], kept)
        before = dict(template._kept)
        Template.compile("x" * (template.LENGTH + 1))
        for i in range(100):
            Template.render("${%d}" % i)
        self.assertEqual(template._kept, before)


class Write(Case):
    def twice(self, write):
        checked = write(check=True)
        self.assertFalse(os.path.exists(self.path("out")))
        first = write()
        self.assertTrue(first.changed)
        self.assertEqual((first.changed, first.diff), (checked.changed, checked.diff))
        second = write()
        self.assertEqual((second.changed, second.diff), (False, ""))

    def test_twice_in_a_row(self):
        text = NGINX.replace("\n", "\r\n") + "end"
        source = self.put(text.encode())
        self.twice(lambda **options: Template.write(self.path("out"), text, VALUES, **options))
        want = (RENDERED.replace("\n", "\r\n") + "end").encode()
        self.assertEqual(self.get("out"), want)
        os.unlink(self.path("out"))
        self.twice(lambda **options: Template.write_file(self.path("out"), source, VALUES, mode=0o600, **options))
        self.assertEqual(self.get("out"), want)
        self.assertEqual(stat.S_IMODE(os.stat(self.path("out")).st_mode), 0o600)

    def test_the_options_of_a_write(self):
        path = self.put(b"a = 1\n", "out")
        done = Template.write(path, "a = ${a}\n", {"a": 2}, backup=True, validate="grep -q 2 {}")
        self.assertIn("-a = 1\n+a = 2\n", done.diff)
        with open(done.backup, "rb") as file:
            self.assertEqual(file.read(), b"a = 1\n")
        with self.assertRaises(ValueError):
            Template.write(path, "a = ${a}\n", {"a": 3}, validate="grep -q 2 {}")
        self.assertEqual(self.get("out"), b"a = 2\n")

    def test_a_mistake_leaves_the_file(self):
        path = self.put(b"old", "out")
        for text in "${missing}", "${", "new${1 // 0}":
            with self.assertRaises(TemplateError):
                Template.write(path, text, backup=True)
        self.assertEqual(self.get("out"), b"old")
        self.assert_names("out")

    def test_secrets_are_in_no_diff_and_no_error(self):
        values = {"password": "hunter2"}
        done = Template.write(self.path("out"), "${password}", values, secret=True)
        self.assertTrue(done.changed)
        self.assertNotIn("hunter2", done.diff)
        source = self.put(b"${int(password)}")
        for call in (
            lambda: Template.render("${int(password)}", values, secret=True),
            lambda: Template.render_file(source, values, secret=True),
            lambda: Template.render_compiled(Template.compile("${int(password)}"), values, secret=True),
            lambda: Template.write(self.path("out"), "${int(password)}", values, secret=True),
            lambda: Template.write_file(self.path("out"), source, values, secret=True),
        ):
            with self.assertRaises(TemplateError) as caught:
                call()
            error = caught.exception
            self.assertNotIn("hunter2", str(error))
            self.assertIn("ValueError", str(error))
            self.assertIsNone(error.__cause__)
            self.assertIsNone(error.__context__)


if __name__ == "__main__":
    unittest.main()
