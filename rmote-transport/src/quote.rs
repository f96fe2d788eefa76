//! One command line that sh, bash, dash, zsh, fish, csh and tcsh all read alike.

use crate::clean::clean_line;

/// Why a command cannot be written as one line for an unknown login shell.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum QuoteError {
    /// A word holds a character that no quoting protects in all of the shells.
    #[error("{character:?} in the word \"{word}\" cannot be quoted for every login shell")]
    Character {
        /// The character: `'`, `\`, `!` or a control character.
        character: char,
        /// The word, cleaned and cut.
        word: String,
    },
    /// There is no program to run.
    #[error("the command is empty")]
    Empty,
    /// The program would be read as an option.
    #[error("the program \"{program}\" begins with \"-\"")]
    LeadingDash {
        /// The program, cleaned and cut.
        program: String,
    },
}

/// Joins the words to one command line.
///
/// `ssh` hands its words to the user's login shell, which may be any of them. Inside single quotes they agree on
/// everything but `'` itself, `\` (fish), `!` and line ends (csh). Those are refused: what cannot be said safely
/// is not said at all.
pub(crate) fn command_line(argv: &[String]) -> Result<String, QuoteError> {
    let program = argv
        .first()
        .filter(|word| !word.is_empty())
        .ok_or(QuoteError::Empty)?;
    if program.starts_with('-') {
        return Err(QuoteError::LeadingDash {
            program: clean_line(program),
        });
    }
    let mut line = String::new();
    for word in argv {
        if let Some(character) = word
            .chars()
            .find(|&c| matches!(c, '\'' | '\\' | '!') || c.is_control())
        {
            return Err(QuoteError::Character {
                character,
                word: clean_line(word),
            });
        }
        if !line.is_empty() {
            line.push(' ');
        }
        if !word.is_empty() && word.chars().all(is_plain) {
            line.push_str(word);
        } else {
            line.push('\'');
            line.push_str(word);
            line.push('\'');
        }
    }
    Ok(line)
}

/// No shell gives these a meaning, wherever in a word they stand. Not in the list on purpose: `=` (zsh, assignments),
/// `%` (jobs), `@` (csh), `~`, `^` and the braces.
fn is_plain(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | ':' | ',' | '+')
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::Command;

    fn words(list: &[&str]) -> Vec<String> {
        list.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn plain_words_stay_bare() {
        assert_eq!(
            command_line(&words(&["/usr/bin/python3", "-I", "-c"])).unwrap(),
            "/usr/bin/python3 -I -c"
        );
    }

    #[test]
    fn other_words_are_quoted() {
        assert_eq!(
            command_line(&words(&["echo", "", "a b", "$HOME"])).unwrap(),
            "echo '' 'a b' '$HOME'"
        );
    }

    #[test]
    fn unsafe_words_are_refused() {
        for word in [
            "it's", "a\\b", "wow!", "a\nb", "a\rb", "\0", "\x1b", "\u{85}",
        ] {
            let error = command_line(&words(&["echo", word])).unwrap_err();
            assert!(
                matches!(error, QuoteError::Character { .. }),
                "{word:?}: {error}"
            );
        }
        assert_eq!(command_line(&[]), Err(QuoteError::Empty));
        assert_eq!(command_line(&words(&["", "a"])), Err(QuoteError::Empty));
        assert!(matches!(
            command_line(&words(&["-c", "a"])),
            Err(QuoteError::LeadingDash { .. })
        ));
    }

    /// Every printable character, alone and amid others, through the shells that this machine has.
    #[test]
    fn real_shells_agree() {
        let mut given = words(&[
            "", "a b", "$HOME", "`id`", "$(id)", "~", "~root", "=ls", "%1", "{a,b}", "*", "a=b",
        ]);
        given.extend(
            (' '..='~')
                .filter(|c| !matches!(c, '\'' | '\\' | '!'))
                .flat_map(|c| {
                    [
                        c.to_string(),
                        format!("{c}{c}"),
                        format!("x{c}y"),
                        format!("{c}1"),
                        format!("a{c}"),
                    ]
                }),
        );
        given.extend(words(&["größe", "日本", "\u{202e}", "-", "--", "-n"]));
        let mut argv = words(&["/usr/bin/printf", "%s\u{1}"]);
        // printf's own separator must survive quoting too, so use a printable one.
        argv[1] = "%s|@|".into();
        argv.extend(given.iter().cloned());
        let line = command_line(&argv).unwrap();
        let expected: String = given
            .iter()
            .flat_map(|word| [word.as_str(), "|@|"])
            .collect();
        for shell in ["sh", "bash", "dash", "zsh", "fish", "csh", "tcsh", "ksh"] {
            let Ok(output) = Command::new(shell)
                .args(["-c", &line])
                .env("LC_ALL", "C.UTF-8")
                .output()
            else {
                eprintln!("SKIPPED: {shell} is not installed");
                continue;
            };
            assert_eq!(String::from_utf8_lossy(&output.stdout), expected, "{shell}");
        }
    }
}
