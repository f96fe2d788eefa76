//! Templates that go wrong: without an end, with a mistake, with values that are none, or with a secret.

use std::collections::BTreeMap;
use std::error::Error as _;
use std::time::Duration;

use rmote_tools::{
    CallErrorKind, LocalTemplate, RenderOptions, Secret, TemplateError, TemplateWriteOptions,
    Values, WriteOptions,
};

use super::host;

#[tokio::test]
async fn endless_templates_end_with_an_error_on_both_sides() {
    let (host, remote, _) = host().await;
    for text in [
        "% while True:\n% end\n",
        "${9 ** 9 ** 9}",
        "${'x' * 9 ** 9}",
        "${sum(range(9 ** 99))}",
    ] {
        let error = remote.render(text, &()).await.unwrap_err();
        let raised = error.raised().unwrap();
        assert!(
            raised.is("TemplateError") && raised.is("ValueError"),
            "{error}"
        );
        assert!(raised.message.starts_with("line 1, column 1: "), "{error}");
    }
    let few = RenderOptions::new().steps(5_u64);
    let loop_ = "% for i in range(n):\n% end\n";
    for (n, fits) in [(5, true), (6, false)] {
        let values = Values::new().set("n", &n);
        let done = remote.render_with(loop_, values, few.clone()).await;
        assert_eq!(done.is_ok(), fits);
    }
    let short = RenderOptions::new().size(4_u64);
    let compiled = remote.compile("12345").await.unwrap();
    let long = remote.render_compiled_with(compiled, &(), short).await;
    assert!(
        long.unwrap_err()
            .to_string()
            .contains("more than 4 characters")
    );

    for text in [
        "{% for a in range(9999) %}{% for b in range(9999) %}{% endfor %}{% endfor %}",
        "{{ 9**9**9 }}",
        "{{ 'x' * 9**9 }}",
        "{% macro f() %}{{ f() }}{% endmacro %}{{ f() }}",
    ] {
        let error = LocalTemplate::new(text).unwrap().render(&()).unwrap_err();
        assert!(
            matches!(error, TemplateError::Template { line: 1, .. }),
            "{error}"
        );
    }
    let long = LocalTemplate::new("{% for i in range(9999) %}{{ 'x' * 9999 }}{% endfor %}");
    let error = long.unwrap().render(&()).unwrap_err();
    assert!(
        matches!(
            error,
            TemplateError::TooLong {
                size: 0x0100_0000,
                ..
            }
        ),
        "{error}"
    );
    let template = LocalTemplate::new("{% for i in range(n) %}{% endfor %}").unwrap();
    let few = template.clone().steps(100);
    assert_eq!(few.render(Values::new().set("n", &5)).unwrap(), "");
    let error = few.render(Values::new().set("n", &500)).unwrap_err();
    assert!(error.to_string().contains("too many steps"), "{error}");
    let short = LocalTemplate::new("\n12{{ 345 }}").unwrap().size(5);
    assert_eq!(
        short.render(&()).unwrap_err().to_string(),
        "template: more than 5 bytes of text"
    );
    assert_eq!(short.size(6).render(&()).unwrap(), "\n12345");
    host.close().await.unwrap();
}

#[tokio::test]
async fn a_deadline_ends_what_steps_do_not() {
    let (host, remote, _) = host().await;
    let many = RenderOptions::new().steps(1_u64 << 62);
    let late = remote
        .deadline(Duration::from_millis(300))
        .render_with("% while True:\n% end\n", &(), many)
        .await;
    assert!(matches!(
        late.unwrap_err().kind,
        CallErrorKind::Deadline { .. }
    ));
    assert_eq!(remote.render("${1}", &()).await.unwrap(), "1");
    host.close().await.unwrap();
}

#[test]
fn mistakes_have_a_line_and_a_column() {
    for (text, shown) in [
        ("a\n  {{ x.y }}", "line 2, column 6: undefined value: x.y"),
        ("é {{ y }}", "line 1, column 6: undefined value: y"),
        (
            "a\r\n {% nope %}",
            "line 2, column 5: syntax error: unknown statement nope",
        ),
        (
            "{{ x | nope }}",
            "line 1, column 8: unknown filter: filter nope is unknown",
        ),
        (
            "{% include 'x' %}",
            "line 1, column 4: syntax error: unknown statement include",
        ),
        ("\n{{ x + 1 }}", "line 2, column 4: invalid operation: "),
    ] {
        let values = Values::new().set("x", &"text");
        let error = LocalTemplate::new(text)
            .and_then(|template| template.render(values))
            .unwrap_err();
        assert!(
            error.to_string().starts_with(&format!("template: {shown}")),
            "{text}: {error}"
        );
    }
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("a\u{1b}[0m");
    std::fs::write(&path, "{{").unwrap();
    let error = LocalTemplate::read(&path).unwrap_err().to_string();
    assert!(
        error.contains(": line 1, column 1: syntax error") && !error.contains('\u{1b}'),
        "{error}"
    );
    std::fs::write(&path, b"\xff").unwrap();
    let error = LocalTemplate::read(&path).unwrap_err();
    assert!(
        matches!(&error, TemplateError::Read { source, .. } if source.kind() == std::io::ErrorKind::InvalidData)
    );
    let missing = LocalTemplate::read(dir.path().join("missing")).unwrap_err();
    assert!(missing.source().is_some() && missing.to_string().contains("missing"));
}

#[tokio::test]
async fn values_that_are_none_are_refused() {
    let (host, remote, _) = host().await;
    let local = LocalTemplate::new("a").unwrap();
    let deep = || (0..200).fold(rmote_tools::Value::None, |value, _| vec![value].into());
    for (values, part) in [
        (Values::from(&1), "not integer"),
        (Values::from("text"), "not text"),
        (
            Values::from(&BTreeMap::from([(1, 2)])),
            "a name is text, not integer",
        ),
        (
            Values::new().set("a", &1).set("b", &deep()).set("c", &1),
            "b: ",
        ),
    ] {
        let error = local.render(values.clone()).unwrap_err().to_string();
        assert!(
            error.starts_with("values: ") && error.contains(part),
            "{error}"
        );
        let error = remote.render("a", values).await.unwrap_err();
        assert!(error.raised().is_none(), "{error}");
        let text = format!("{error:?}");
        assert!(text.contains(part), "{text}");
    }
    let bytes = Values::new().set("b", &bytes::Bytes::from_static(b"x"));
    let error = local.render(bytes.clone()).unwrap_err().to_string();
    assert_eq!(error, "values: b: bytes cannot stand in a text");
    assert_eq!(remote.render("${b.decode()}", bytes).await.unwrap(), "x");
    host.close().await.unwrap();
}

#[tokio::test]
async fn secrets_are_shown_nowhere() {
    let (host, remote, fs) = host().await;
    let values = Values::new().set("password", &Secret::from("hunter2"));
    assert_eq!(format!("{values:?}"), r#"Values(["password"])"#);
    let hidden = |text: String| {
        assert!(!text.contains("hunter2"), "{text}");
    };
    let dir = tempfile::tempdir().unwrap();
    let path = dir.path().join("f");
    let path = path.as_path();
    let good = LocalTemplate::new("{{ password }}").unwrap();
    hidden(format!("{good:?}"));
    let options = WriteOptions::new().secret(true);
    let change = fs
        .template_with(&good, path, values.clone(), options.clone())
        .await
        .unwrap();
    assert_eq!(std::fs::read_to_string(path).unwrap(), "hunter2");
    assert!(change.changed);
    hidden(change.diff);

    // An error that quotes a value does so only where nothing is secret.
    let bad = LocalTemplate::new(
        "{{ {'a': 1} | map(attribute=password) | list }}{{ 1 / password }}{{ password ** 2 }}",
    )
    .unwrap();
    let error = fs
        .template_with(&bad, path, values.clone(), options)
        .await
        .unwrap_err();
    assert!(
        error.to_string().contains("(the rest is hidden)"),
        "{error}"
    );
    hidden(format!("{error}{error:?}"));
    let error = good.clone().secret(true).render(&()).unwrap_err();
    assert!(
        error.to_string().ends_with("undefined value: password"),
        "{error}"
    );

    let source = dir.path().join("source");
    std::fs::write(&source, "${int(password)}").unwrap();
    let plain = remote
        .render("${int(password)}", values.clone())
        .await
        .unwrap_err();
    assert!(
        plain.to_string().contains("hunter2"),
        "it is what the next ones hide"
    );
    let secret = RenderOptions::new().secret(true);
    let write = TemplateWriteOptions::new().secret(true);
    let compiled = remote.compile("${int(password)}").await.unwrap();
    let source = source.as_path();
    for error in [
        remote
            .render_with("${int(password)}", values.clone(), secret.clone())
            .await
            .unwrap_err(),
        remote
            .render_file_with(source, values.clone(), secret.clone())
            .await
            .unwrap_err(),
        remote
            .render_compiled_with(compiled, values.clone(), secret)
            .await
            .unwrap_err(),
        remote
            .write_with(path, "${int(password)}", values.clone(), write.clone())
            .await
            .unwrap_err(),
        remote
            .write_file_with(path, source, values.clone(), write.clone())
            .await
            .unwrap_err(),
    ] {
        assert!(error.raised().unwrap().is("TemplateError"), "{error}");
        hidden(format!(
            "{error}{error:?}{}",
            error.raised().unwrap().traceback()
        ));
    }
    std::fs::remove_file(path).unwrap();
    let change = remote
        .write_with(path, "${password}", values, write)
        .await
        .unwrap();
    assert!(change.changed);
    hidden(change.diff);
    host.close().await.unwrap();
}
