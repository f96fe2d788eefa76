//! Which paths a copy leaves alone.

use globset::{GlobBuilder, GlobSet, GlobSetBuilder};

/// Patterns of paths that are neither copied nor deleted.
#[derive(Debug, Clone, Default)]
pub(crate) struct Excludes {
    every: GlobSet,
    directories: GlobSet,
    /// The same as regular expressions, and whether each is for directories only.
    expressions: Vec<(String, bool)>,
}

impl Excludes {
    /// Reads patterns. One without a slash is for names at any depth, any other for paths from the root on; one with a
    /// slash at its end is for directories only.
    ///
    /// # Errors
    ///
    /// A pattern that is none.
    pub(crate) fn new(patterns: &[String]) -> Result<Self, globset::Error> {
        let (mut every, mut directories) = (GlobSetBuilder::new(), GlobSetBuilder::new());
        let mut expressions = Vec::new();
        for pattern in patterns {
            let (text, only) = match pattern.strip_suffix('/') {
                Some(text) => (text, true),
                None => (pattern.as_str(), false),
            };
            let text = if text.contains('/') {
                text.trim_start_matches('/').to_owned()
            } else {
                format!("**/{text}")
            };
            let glob = GlobBuilder::new(&text)
                .literal_separator(true)
                .backslash_escape(true)
                .build()?;
            let expression = glob.regex();
            // Python matches bytes without being told to.
            let expression = expression.strip_prefix("(?-u)").unwrap_or(expression);
            expressions.push((expression.to_owned(), only));
            directories.add(glob.clone());
            if !only {
                every.add(glob);
            }
        }
        Ok(Self {
            every: every.build()?,
            directories: directories.build()?,
            expressions,
        })
    }

    /// Whether a path itself is excluded. What is below an excluded directory is too, which who walks has to see to.
    pub(crate) fn matches(&self, path: &[u8], is_directory: bool) -> bool {
        use std::os::unix::ffi::OsStrExt as _;

        let path = std::ffi::OsStr::from_bytes(path);
        if is_directory {
            self.directories.is_match(path)
        } else {
            self.every.is_match(path)
        }
    }

    /// Whether a path or any directory above it is excluded.
    pub(crate) fn covers(&self, path: &[u8], is_directory: bool) -> bool {
        let above = path
            .iter()
            .enumerate()
            .filter(|(_, byte)| **byte == b'/')
            .any(|(at, _)| self.matches(&path[..at], true));
        above || self.matches(path, is_directory)
    }

    /// The patterns as the host takes them.
    pub(crate) fn expressions(&self) -> Vec<(bytes::Bytes, bool)> {
        let expression = |(text, only): &(String, bool)| (bytes::Bytes::from(text.clone()), *only);
        self.expressions.iter().map(expression).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn patterns_are_for_names_paths_or_directories() {
        let patterns = ["*.o", "/build", "doc/*.txt", "cache/", "a/**/z"].map(str::to_owned);
        let excludes = Excludes::new(&patterns).unwrap();
        for path in ["x.o", "a/b/x.o", "build", "doc/x.txt", "a/z", "a/b/c/z"] {
            assert!(excludes.matches(path.as_bytes(), false), "{path}");
        }
        for path in [
            "x.oo",
            "sub/build",
            "doc/sub/x.txt",
            "sub/doc/x.txt",
            "cache",
        ] {
            assert!(!excludes.matches(path.as_bytes(), false), "{path}");
        }
        assert!(excludes.matches(b"sub/cache", true));
        assert!(excludes.matches(b"\xff.o", false));
        assert!(
            excludes.covers(b"sub/cache/deep/f", false) && !excludes.covers(b"sub/cach", false)
        );
        assert!(!Excludes::default().matches(b"x", false));
        assert!(Excludes::new(&["[".to_owned()]).is_err());
    }
}
