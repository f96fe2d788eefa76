//! What the text of a Python source tells without an interpreter.

use std::hash::{DefaultHasher, Hash, Hasher};

use super::ModuleError;

/// The agent's own modules that a tool is likely to need with its first call. It has the others a moment later.
pub(super) fn along(source: &str) -> impl Iterator<Item = &'static str> {
    let annotated = |line: &str| {
        line.trim_start().starts_with("def ") && line.matches(':').count() > 1
            || line.contains("->")
    };
    let mentions = |word: &str| source.contains(word);
    [
        // What fits arguments to signatures, what sends records of `logging`, and what ends processes that a tool starts.
        ("rmote.arguments", source.lines().any(annotated)),
        ("rmote.logs", mentions("logging")),
        (
            "rmote.children",
            mentions("subprocess") || mentions("popen"),
        ),
        ("rmote.coroutines", mentions("async def")),
        ("rmote.output", mentions("print") || mentions("sys.std")),
    ]
    .into_iter()
    .filter_map(|(module, needed)| needed.then_some(module))
}

/// What a source may import, by its import statements: more than it does is harmless, since only known names are sent.
pub(super) fn imports(source: &str) -> Vec<String> {
    let mut names = Vec::new();
    let mut lines = source.lines();
    while let Some(line) = lines.next() {
        let mut words = line.trim_start().to_owned();
        let list = words
            .strip_prefix("from ")
            .and_then(|rest| rest.split_once(" import"))
            .map(|(_, list)| list.trim_start());
        if list.is_some_and(|list| list.starts_with('(')) {
            // The list may go on below.
            while !words.contains(')') {
                let Some(more) = lines.next() else { break };
                words += more.split('#').next().unwrap_or("");
            }
        }
        if let Some(list) = words.strip_prefix("import ") {
            names.extend(
                list.split(',')
                    .filter_map(|item| item.split_whitespace().next())
                    .map(str::to_owned),
            );
        } else if let Some((module, list)) = words
            .strip_prefix("from ")
            .and_then(|rest| rest.split_once(" import"))
        {
            let module = module.trim();
            names.push(module.to_owned());
            let items = list.split([',', '(', ')']);
            names.extend(
                items.filter_map(|item| {
                    Some(format!("{module}.{}", item.split_whitespace().next()?))
                }),
            );
        }
    }
    names
}

/// The function that a source defines last at its outermost level.
pub(crate) fn function_of(source: &str) -> Result<&str, ModuleError> {
    source
        .lines()
        .rev()
        .find_map(|line| {
            let rest = line
                .strip_prefix("async ")
                .unwrap_or(line)
                .strip_prefix("def ")?;
            rest.split(['(', ' ', '[']).next()
        })
        .ok_or(ModuleError::NoFunction)
}

/// A source without the indent that all of its lines share, as a function has that was cut out of a class.
pub(crate) fn dedent(source: &str) -> String {
    let lines = || source.lines().filter(|line| !line.trim().is_empty());
    let indent = lines()
        .map(|line| line.len() - line.trim_start().len())
        .min()
        .unwrap_or(0);
    source
        .lines()
        .map(|line| line.get(indent..).unwrap_or(""))
        .collect::<Vec<_>>()
        .join("\n")
        + "\n"
}

/// What tells one source from another in a module's name.
pub(crate) fn content_hash(source: &str) -> String {
    let mut hasher = DefaultHasher::new();
    source.hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

pub(super) fn is_identifier(part: &str) -> bool {
    let mut chars = part.chars();
    chars.next().is_some_and(|c| c.is_alphabetic() || c == '_')
        && chars.all(|c| c.is_alphanumeric() || c == '_')
}
#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn functions_are_found_by_their_definition() {
        assert_eq!(
            function_of(
                "import os\n\ndef first(): pass\n\nasync def f(a):\n    def inner(): pass\n"
            )
            .unwrap(),
            "f"
        );
        assert!(function_of("a = 1").is_err());
        assert_eq!(
            dedent("    def f(x):\n\n        return x\n"),
            "def f(x):\n\n    return x\n"
        );
    }
}
