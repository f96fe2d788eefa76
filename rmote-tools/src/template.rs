//! Templates that the host renders.

use rmote_client::HostPath;
use serde::{Deserialize, Serialize};

use crate::change::Change;
use crate::values::Values;

crate::tool! {
    /// Renders templates on the host, in the Mako-like language of rmote 0.3: Python in the text.
    ///
    /// `${expression}` becomes the text of a Python expression, `\${` stays as `${`. A line that begins with `%` is a
    /// Python statement; `for`, `if`, `while`, `with`, `try`, `def` and `class` last until `% endfor` and the like, or
    /// `% end`. `%%` is a line that begins with `%`, `##` a comment. Such lines leave nothing behind; all else stays as
    /// it is, byte for byte: line ends, and a last line with or without one. Names that are missing are an error.
    ///
    /// # Here or there
    ///
    /// A template of this tool is for what only the host knows: it runs there and may do all that the agent may, such as
    /// `% import os`. **All values go to the host**, also those that no line uses. For files that are made of what is known
    /// here take [`LocalTemplate`](crate::LocalTemplate) and
    /// [`FileSystem::template`](crate::FileSystem::template): the values stay here, the template can do nothing
    /// but render, mistakes show before any host is asked, and the language is Jinja, which more people know. What is
    /// different:
    ///
    /// | | `Template` | `LocalTemplate` |
    /// | --- | --- | --- |
    /// | rendered | on the host, by Python | here, by MiniJinja |
    /// | expression | `${server['port'] + 1}` | `{{ server.port + 1 }}` |
    /// | loop | `% for x in xs:` to `% endfor` | `{% for x in xs %}` to `{% endfor %}` |
    /// | comment | `## text` | `{# text #}` |
    /// | functions | Python's, and its modules | filters: `{{ names \| join(', ') }}` |
    /// | a map's field | `server['port']`; of a struct also `server.port` | `server.port` or `server['port']` |
    /// | truth and nothing | `True`, `None` | `true` and `none`, shown as `True` and `None` |
    /// | bytes | `b'..'` | an error |
    ///
    /// # Limits
    ///
    /// A rendering ends with an error after a number of steps ([`RenderOptions::steps`]), before `+`, `*`, `**` or `<<`
    /// make a value beyond all measure, and when the text is too long. What Python does on its own in a single step
    /// (`max(some_endless_iterator)`, a bad regular expression, `'%9999999999d'`) has no such bound; for
    /// that there is the [`deadline`](Self::deadline) of the call, which ends what Python can interrupt.
    ///
    /// # Errors of templates
    ///
    /// They are raised as `TemplateError`, a `ValueError` whose message names the line and the column, from 1.
    ///
    /// # Examples
    ///
    /// ```
    /// # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use rmote_tools::{Local, Session, Template, Values};
    ///
    /// let host = Session::connect(Local::new()).await?;
    /// let template = Template::new(&host);
    /// let values = Values::new().set("ports", &[80, 443]);
    /// let text = "% for port in ports:\nlisten ${port};\n% endfor\n";
    /// assert_eq!(template.render(text, values).await?, "listen 80;\nlisten 443;\n");
    ///
    /// // Checked once, rendered often, also on other hosts.
    /// let greeting = template.compile("% import os\nI am ${os.getpid()}, ${name}.\n").await?;
    /// let said = template.render_compiled(greeting, Values::new().set("name", &"Ann")).await?;
    /// assert!(said.ends_with(", Ann.\n"));
    /// # Ok(()) }
    /// ```
    ///
    /// # Command line
    ///
    /// ```sh
    /// rmote-cli call web01 Template.render 'Hello, ${name}!' name=Ann
    /// rmote-cli call web01 Template.render 'listen ${site["port"]};' ':={"site": {"port": 80}}'
    /// rmote-cli call web01 Template.write /etc/motd 'Welcome to ${name}.' ':={"name": "web01"}' mode=644 check=true
    /// ```
    pub struct Template = &crate::python::TEMPLATE;

    /// Renders a text.
    fn render(template: String, values: Values) -> String, render_with(RenderOptions);

    /// Renders a file of the host, which is UTF-8 whatever the locale there.
    fn render_file(path: HostPath, values: Values) -> String, render_file_with(RenderOptions);

    /// Checks a template with the Python of the host.
    [idempotent] fn compile(template: String) -> CompiledTemplate;

    /// Renders what [`compile`](Self::compile) gave, on this host or another.
    ///
    /// A host keeps the code of the sixteen templates that it rendered last in this way.
    fn render_compiled(compiled: CompiledTemplate, values: Values) -> String, render_compiled_with(RenderOptions);

    /// Makes sure that a file holds what a text renders to.
    fn write(path: HostPath, template: String, values: Values) -> Change, write_with(TemplateWriteOptions);

    /// Makes sure that a file holds what another file of the host renders to.
    fn write_file(path: HostPath, source: HostPath, values: Values) -> Change, write_file_with(TemplateWriteOptions);
}

crate::options! {
    /// How to render on the host.
    pub struct RenderOptions {
        /// How many runs of loops and calls of its own functions the template may make; defaults to a million.
        steps: u64,
        /// How many characters the text may have; defaults to 16 Mi.
        size: u64,
        /// Whether errors withhold what may be of the values; defaults to no.
        secret: bool,
    }
}

crate::options! {
    /// How to write a file that is rendered on the host.
    pub struct TemplateWriteOptions {
        /// The mode of the file; defaults to that of the file that is there, 0o644 less the umask for a new one.
        mode: u32,
        /// The owner, a name or a number; defaults to that of the file that is there.
        owner: String,
        /// The group, a name or a number; defaults to that of the file that is there.
        group: String,
        /// Whether the old file is kept beside the new one; defaults to no.
        backup: bool,
        /// A command that must accept the new file before it takes its place, `{}` being its path.
        validate: String,
        /// Whether only to say what would change; defaults to no.
        check: bool,
        /// Whether the diff is withheld, and what errors say of the values; defaults to no.
        secret: bool,
        /// How many runs of loops and calls of its own functions the template may make; defaults to a million.
        steps: u64,
        /// How many characters the text may have; defaults to 16 Mi.
        size: u64,
    }
}

/// A template that a host's Python has checked: its text, and nothing that would run by itself.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[non_exhaustive]
pub struct CompiledTemplate {
    /// The text.
    template: String,
}
