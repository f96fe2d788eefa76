//! Templates on both sides: what they render to byte for byte, their limits, and what becomes of secrets.
#![expect(
    clippy::unwrap_used,
    reason = "a test fails by panicking, its helpers too"
)]

#[path = "../../rmote-transport/tests/docker/mod.rs"]
mod docker;
#[path = "template/faults.rs"]
mod faults;

use std::collections::{BTreeMap, HashMap};

use docker::Container;
use rmote_tools::{
    Docker, FileSystem, Local, LocalTemplate, Options, Session, Template, TemplateWriteOptions,
    Values, WriteOptions,
};
use serde::Serialize;

/// The same file in both languages.
const JINJA: &str = "\
# {{ title }}
user {{ user }};
{# not for humans #}
{% for site in sites %}
server {
    server_name {{ site.names | join(' ') }};
  {% if site.root %}
    root \"{{ site.root }}\";
  {% else %}
    return 404 \"${uri} }\";
  {% endif %}
}
{% endfor %}
";
const MAKO: &str = "\
# ${title}
user ${user};
## not for humans
% for site in sites:
server {
    server_name ${' '.join(site['names'])};
  % if site['root']:
    root \"${site['root']}\";
  % else:
    return 404 \"\\${uri} }\";
  % endif
}
% endfor
";
const RENDERED: &str = "\
# Grüße
user www-data;
server {
    server_name a.example b.example;
    root \"/srv/a\";
}
server {
    server_name c.example;
    return 404 \"${uri} }\";
}
";

#[derive(Serialize)]
struct Nginx {
    title: &'static str,
    user: &'static str,
    sites: Vec<Site>,
}

#[derive(Serialize)]
struct Site {
    names: Vec<&'static str>,
    root: Option<&'static str>,
}

fn nginx() -> Values {
    let site = |names, root| Site { names, root };
    Values::from(&Nginx {
        title: "Grüße",
        user: "www-data",
        sites: vec![
            site(vec!["a.example", "b.example"], Some("/srv/a")),
            site(vec!["c.example"], None),
        ],
    })
}

/// With LF and CRLF, with and without a last line end.
fn forms(text: &str) -> [String; 4] {
    let crlf = text.replace('\n', "\r\n");
    [
        text.to_owned(),
        format!("{text}end"),
        crlf.clone(),
        crlf + "end",
    ]
}

async fn host() -> (Session, Template, FileSystem) {
    let host = Session::connect(Local::new()).await.unwrap();
    let tools = (Template::new(&host), FileSystem::new(&host));
    (host, tools.0, tools.1)
}

#[tokio::test]
async fn both_sides_render_a_configuration_byte_for_byte() {
    let (host, remote, fs) = host().await;
    let dir = tempfile::tempdir().unwrap();
    let path = |name: &str| dir.path().join(name);
    let forms = forms(JINJA)
        .into_iter()
        .zip(forms(MAKO))
        .zip(forms(RENDERED));
    for ((jinja, mako), rendered) in forms {
        let local = LocalTemplate::new(&jinja).unwrap();
        assert_eq!(local.render(nginx()).unwrap(), rendered);
        assert_eq!(remote.render(&mako, nginx()).await.unwrap(), rendered);
        std::fs::write(path("mako"), &mako).unwrap();
        std::fs::write(path("jinja"), &jinja).unwrap();
        let file = remote.render_file(path("mako").as_path(), nginx()).await;
        assert_eq!(file.unwrap(), rendered);
        let read = LocalTemplate::read(path("jinja")).unwrap();
        assert_eq!(read.render(nginx()).unwrap(), rendered);
        let compiled = remote.compile(&mako).await.unwrap();
        let text = remote.render_compiled(compiled, nginx()).await.unwrap();
        assert_eq!(text, rendered);

        // Each way writes the file, and the next one finds nothing to do.
        let out = path("out");
        let check = WriteOptions::new().check(true);
        let told = fs
            .template_with(&local, out.as_path(), nginx(), check)
            .await
            .unwrap();
        assert!(told.changed && !out.exists());
        let change = fs.template(&local, out.as_path(), nginx()).await.unwrap();
        assert_eq!(change, told);
        assert_eq!(std::fs::read_to_string(&out).unwrap(), rendered);
        assert!(
            !fs.template(&local, out.as_path(), nginx())
                .await
                .unwrap()
                .changed
        );
        assert!(
            !remote
                .write(out.as_path(), &mako, nginx())
                .await
                .unwrap()
                .changed
        );
        let source = path("mako");
        let again = remote
            .write_file(out.as_path(), source.as_path(), nginx())
            .await;
        assert!(!again.unwrap().changed);
        std::fs::remove_file(&out).unwrap();
        let check = TemplateWriteOptions::new().check(true);
        let told = remote
            .write_file_with(out.as_path(), source.as_path(), nginx(), check)
            .await;
        let told = told.unwrap();
        assert!(told.changed && !out.exists());
        assert_eq!(
            remote.write(out.as_path(), &mako, nginx()).await.unwrap(),
            told
        );
        assert_eq!(std::fs::read_to_string(&out).unwrap(), rendered);
        std::fs::remove_file(&out).unwrap();
    }
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_fresh_container_is_changed_once() {
    let Some(container) = Container::start("rmote-test:bookworm") else {
        return;
    };
    let host = Session::connect(Docker::new(container.name()))
        .await
        .unwrap();
    let (remote, fs) = (Template::new(&host), FileSystem::new(&host));
    let local = LocalTemplate::new(JINJA).unwrap();
    let options = WriteOptions::new()
        .mode(0o640_u32)
        .group("www-data")
        .validate("grep -q server_name {}")
        .backup(true);
    let remote_options = TemplateWriteOptions::new()
        .mode(0o600_u32)
        .owner("www-data");
    let compiled = remote.compile("${name}@${host}\n").await.unwrap();
    for changed in [true, false] {
        let change = fs
            .template_with(&local, "/etc/nginx.conf", nginx(), options.clone())
            .await
            .unwrap();
        assert_eq!(change.changed, changed);
        let values = Values::new().set("key", &"k");
        let change = remote
            .write_with(
                "/etc/key",
                "% import os\n${key}${os.sep}\n",
                values,
                remote_options.clone(),
            )
            .await
            .unwrap();
        assert_eq!(change.changed, changed);
        let change = remote
            .write_file_with("/etc/copy", "/etc/key", &(), TemplateWriteOptions::new())
            .await
            .unwrap();
        assert_eq!(change.changed, changed);
        let values = Values::new().set("name", &"a").set("host", &"b");
        let text = remote
            .render_compiled(compiled.clone(), values)
            .await
            .unwrap();
        assert_eq!(text, "a@b\n");
    }
    let (_, listed) = container.exec(&["stat", "-c", "%n %a %U %G", "/etc/nginx.conf", "/etc/key"]);
    assert_eq!(
        listed,
        "/etc/nginx.conf 640 root www-data\n/etc/key 600 www-data root\n"
    );
    let (_, content) = container.exec(&["cat", "/etc/nginx.conf", "/etc/copy"]);
    assert_eq!(content, format!("{RENDERED}k/\n"));
    host.close().await.unwrap();
}

#[test]
fn the_language_is_for_configuration_files() {
    let render =
        |text: &str, values: Values| LocalTemplate::new(text).unwrap().render(values).unwrap();
    assert_eq!(
        render("{{ '<&>\"' }}{{ 1.0 }}{{ true }}{{ none }}", Values::new()),
        "<&>\"1.0TrueNone"
    );
    assert_eq!(
        render(
            "{{ x | default('d') }}{% if x is defined %}{% endif %}",
            Values::new()
        ),
        "d"
    );
    assert_eq!(
        render("a\u{c}b\u{2028}\r\r\n\n", Values::new()),
        "a\u{c}b\u{2028}\r\r\n\n"
    );
    assert_eq!(
        render(
            "{% raw %}{{ }}{% endraw %}{{ [1, 'a'] | tojson }}",
            Values::new()
        ),
        "{{ }}[1, \"a\"]"
    );
    let odd = ["template", "path", "self", "values", "text"];
    let values = odd
        .iter()
        .fold(Values::new(), |values, name| values.set(*name, name));
    let text = format!("{{{{ {} }}}}", odd.join(" }}{{ "));
    assert_eq!(render(&text, values), odd.concat());
    let big = u128::MAX;
    assert_eq!(
        render(
            "{{ x }}{{ y + 1 }}",
            Values::new().set("x", &big).set("y", &u64::MAX)
        ),
        format!("{big}{}", u128::from(u64::MAX) + 1)
    );
}

#[tokio::test]
async fn the_same_values_give_the_same_text_whatever_map_they_come_in() {
    let (host, remote, _) = host().await;
    let names: Vec<String> = (0..100).map(|i| format!("{:02}", i * 37 % 100)).collect();
    let local = LocalTemplate::new("{% for k in m %}{{ k }}{% endfor %}").unwrap();
    let mut all: Vec<_> = names.clone();
    all.sort();
    for _ in 0..3 {
        let map: HashMap<_, _> = names.iter().map(|name| (name, 1)).collect();
        let values = Values::from(&HashMap::from([("m", &map)]));
        assert_eq!(local.render(values.clone()).unwrap(), all.concat());
        let text = remote.render("${''.join(m)}", values).await.unwrap();
        assert_eq!(text, all.concat());
    }
    let numbers = BTreeMap::from([("m", HashMap::from([(10, 1), (9, 1), (-1, 1)]))]);
    assert_eq!(local.render(&numbers).unwrap(), "-1910");
    assert_eq!(
        remote
            .render("${''.join(map(str, m))}", &numbers)
            .await
            .unwrap(),
        "-1910"
    );
    host.close().await.unwrap();
}

#[tokio::test]
async fn tool_files_of_rmote_0_3_render_as_they_did() {
    const SOURCE: &str = "
from rmote.protocol import Tool, Template, render_template
from rmote.tools import Template as Remote

GREETING = Template('Hello, ${name}!\\n')

class Old(Tool):
    @staticmethod
    def greet(name):
        return [GREETING.render(name=name), render_template('${name}', name=name), Remote.render('${name}', name=name),
                Remote.render_compiled(GREETING, name=name)]
";
    let options = Options::new().library(rmote_tools::library());
    let host = Session::connect_with(Local::new(), options).await.unwrap();
    let old = host.load(SOURCE).unwrap();
    let greeted: Vec<String> = old.call("Old.greet", ("you",)).await.unwrap();
    assert_eq!(greeted, ["Hello, you!\n", "you", "you", "Hello, you!\n"]);
    host.close().await.unwrap();
}
