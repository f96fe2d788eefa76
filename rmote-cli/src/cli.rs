//! The command line.

mod help;
mod host;
mod value;

use std::ffi::OsString;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser as _};
use clap::{Args, CommandFactory as _, Parser, Subcommand};
use rmote_tools::Section;

use self::help::{
    CALL_HELP, CALL_USAGE, CODES, CP_HELP, CP_USAGE, EXEC_HELP, EXEC_USAGE, EXIT_CODES, FACTS_HELP,
    PLACES, SHELL_HELP, SYNC_HELP, TARGETS, TEMPLATE_HELP,
};
pub(crate) use self::host::Host;
use self::value::{duration, mode, variable};

/// Call typed functions on hosts on which nothing is installed.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Call a function on one or more hosts and print its result.
    #[command(override_usage = CALL_USAGE, after_help = format!("{CALL_HELP}\n\n{TARGETS}\n\n{EXIT_CODES}"))]
    Call(Call),
    /// Run a command on one or more hosts with live input and output; its exit code is ours.
    #[command(override_usage = EXEC_USAGE, after_help = format!("{EXEC_HELP}\n\n{TARGETS}\n\n{CODES}"))]
    Exec(Exec),
    /// Tell what hosts are: system, processors, memory, network, storage, packages and so on.
    #[command(after_help = format!("{FACTS_HELP}\n\n{TARGETS}\n\n{EXIT_CODES}"))]
    Facts(Facts),
    /// Open the user's login shell on a host, on a terminal.
    #[command(after_help = format!("{SHELL_HELP}\n\n{TARGETS}\n\n{CODES}"))]
    Shell(Shell),
    /// Copy files and trees to a host or from it.
    #[command(
        override_usage = CP_USAGE,
        after_help = format!("{CP_HELP}\n\n{PLACES}\n\n{EXIT_CODES}")
    )]
    Cp(Cp),
    /// Make a tree on a host what one here is, or the other way round; only what differs travels.
    #[command(
        after_help = format!("{SYNC_HELP}\n\n{PLACES}\n\n{EXIT_CODES}")
    )]
    Sync(Sync),
    /// Make a file on one or more hosts what a template here renders to.
    #[command(after_help = format!("{TEMPLATE_HELP}\n\n{TARGETS}\n\n{EXIT_CODES}"))]
    Template(Template),
    /// List the tools, their methods, arguments and first doc line, as a host knows them.
    #[command(after_help = TARGETS)]
    Tools(Tools),
}

#[derive(Debug, Args)]
pub(crate) struct Call {
    /// The host, or several with commas between.
    pub(crate) target: String,
    /// What to call: Tool.method, FILE.Tool.method of --tool FILE.py, or any importable function by its dotted name.
    pub(crate) callable: String,
    /// Its arguments: TEXT, :=JSON, NAME=TEXT, NAME:=JSON.
    #[arg(allow_hyphen_values = true, value_name = "ARG")]
    pub(crate) args: Vec<OsString>,
    /// Positional arguments behind `--`, each taken as text.
    #[arg(skip)]
    pub(crate) texts: Vec<OsString>,
    /// Print one JSON object a target and line: target, ok, value or error, seconds.
    #[arg(long)]
    pub(crate) json: bool,
    /// End the call after this time, such as 5, 1.5, 500ms or 2m; exit code 4.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    /// Bring a tool file of one's own, as the module FILE; may be given several times.
    #[arg(long, value_name = "FILE.py")]
    pub(crate) tool: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) host: Host,
}

#[derive(Debug, Args)]
pub(crate) struct Exec {
    /// The host, or several with commas between.
    pub(crate) target: String,
    /// The program and its arguments, as they are: no shell reads them.
    #[arg(required = true, trailing_var_arg = true, value_name = "COMMAND")]
    pub(crate) argv: Vec<OsString>,
    /// Give it a terminal on the host, for programs that want a person: see `shell`.
    #[arg(short, long)]
    pub(crate) tty: bool,
    /// Leave standard input alone, as `</dev/null` would.
    #[arg(short, long, conflicts_with = "tty")]
    pub(crate) no_stdin: bool,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
    #[command(flatten)]
    pub(crate) host: Host,
}

#[derive(Debug, Args)]
pub(crate) struct Cp {
    /// What to copy, and where to.
    #[arg(required = true, num_args = 2.., value_name = "PLACE")]
    pub(crate) places: Vec<OsString>,
    #[command(flatten)]
    pub(crate) copying: Copying,
    #[command(flatten)]
    pub(crate) host: Host,
}

#[derive(Debug, Args)]
pub(crate) struct Facts {
    /// The host, or several with commas between.
    pub(crate) target: String,
    /// What to tell; everything without one.
    #[arg(value_name = "SECTION", value_parser = PossibleValuesParser::new(Section::ALL.map(Section::name)))]
    pub(crate) sections: Vec<String>,
    /// Print one JSON object a target and line: target, ok, value or error, seconds.
    #[arg(long)]
    pub(crate) json: bool,
    /// List all packages with their versions.
    #[arg(long)]
    pub(crate) raw: bool,
    /// End after this time, such as 5, 1.5, 500ms or 2m; exit code 4.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) host: Host,
}

#[derive(Debug, Args)]
pub(crate) struct Shell {
    /// The host.
    pub(crate) target: String,
    #[command(flatten)]
    pub(crate) surroundings: Surroundings,
    #[command(flatten)]
    pub(crate) host: Host,
}

#[derive(Debug, Args)]
pub(crate) struct Sync {
    /// The tree or file to copy.
    #[arg(value_name = "SOURCE")]
    pub(crate) from: OsString,
    /// What is to be the same.
    #[arg(value_name = "DESTINATION")]
    pub(crate) to: OsString,
    /// Delete what the source does not have, once all else is done.
    #[arg(long)]
    pub(crate) delete: bool,
    /// Compare files of the same size by their content instead of their time.
    #[arg(long, short)]
    pub(crate) checksum: bool,
    /// Copy files again that have the same size and time.
    #[arg(long)]
    pub(crate) ignore_times: bool,
    #[command(flatten)]
    pub(crate) copying: Copying,
    #[command(flatten)]
    pub(crate) host: Host,
}

/// What a command finds around it.
#[derive(Debug, Args)]
pub(crate) struct Surroundings {
    /// Set a variable; may be given several times.
    #[arg(long, value_name = "NAME=VALUE", value_parser = OsStringValueParser::new().try_map(|text| variable(&text)))]
    pub(crate) env: Vec<(String, OsString)>,
    /// The directory to run in.
    #[arg(long, value_name = "DIR")]
    pub(crate) cwd: Option<PathBuf>,
}

/// How to copy.
#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent switches"
)]
#[derive(Debug, Args)]
pub(crate) struct Copying {
    /// Leave out what a glob matches, with all below it; with a slash in it for paths from the source on, with one at its
    /// end for directories only. May be given several times.
    #[arg(long, value_name = "GLOB")]
    pub(crate) exclude: Vec<String>,
    /// Change nothing, print what would be done.
    #[arg(long, short = 'n')]
    pub(crate) dry_run: bool,
    /// Print what is done.
    #[arg(long, short)]
    pub(crate) verbose: bool,
    /// Keep owners and groups, by name, where the receiving side is root; and set-user-ID, set-group-ID and sticky bits.
    #[arg(long)]
    pub(crate) owners: bool,
    /// Do not keep modes.
    #[arg(long)]
    pub(crate) no_modes: bool,
    /// Do not keep times.
    #[arg(long)]
    pub(crate) no_times: bool,
    /// Do not wait until each file is on the disk.
    #[arg(long)]
    pub(crate) no_fsync: bool,
    /// Send changed files whole, without a look for what is the same in them.
    #[arg(long, short = 'W')]
    pub(crate) whole_file: bool,
}

#[expect(
    clippy::struct_excessive_bools,
    reason = "they are independent switches"
)]
#[derive(Debug, Args)]
pub(crate) struct Template {
    /// The host, or several with commas between.
    pub(crate) target: String,
    /// The template, a file here.
    #[arg(value_name = "TEMPLATE")]
    pub(crate) source: PathBuf,
    /// The file on the host.
    pub(crate) destination: PathBuf,
    /// Set a value, as text or as JSON; may be given several times.
    #[arg(long, value_name = "NAME=TEXT|NAME:=JSON")]
    pub(crate) var: Vec<OsString>,
    /// Set the values of a JSON object in a file, or - for standard input; may be given several times.
    #[arg(long, value_name = "FILE.json")]
    pub(crate) vars: Vec<PathBuf>,
    /// Change nothing, show what would change.
    #[arg(long)]
    pub(crate) check: bool,
    /// Keep the content out of the diff and out of errors.
    #[arg(long)]
    pub(crate) secret: bool,
    /// The mode, octal; without it that of the file that is there, else 644 less the umask.
    #[arg(long, value_name = "MODE", value_parser = mode)]
    pub(crate) mode: Option<u32>,
    /// The owner, a name or a number.
    #[arg(long, value_name = "USER")]
    pub(crate) owner: Option<String>,
    /// The group, a name or a number.
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Keep the old file beside the new one.
    #[arg(long)]
    pub(crate) backup: bool,
    /// A shell command that must accept the new file before it takes its place; {} is its path.
    #[arg(long, value_name = "COMMAND")]
    pub(crate) validate: Option<String>,
    /// Print one JSON object a target and line: target, ok, value or error, seconds.
    #[arg(long)]
    pub(crate) json: bool,
    /// End the call after this time, such as 5, 1.5, 500ms or 2m; exit code 4.
    #[arg(long, value_name = "TIME", value_parser = duration)]
    pub(crate) timeout: Option<Duration>,
    #[command(flatten)]
    pub(crate) host: Host,
}

#[derive(Debug, Args)]
pub(crate) struct Tools {
    /// The host.
    #[arg(default_value = "local")]
    pub(crate) target: String,
    /// Print JSON.
    #[arg(long)]
    pub(crate) json: bool,
    /// Bring a tool file of one's own, as the module FILE; may be given several times.
    #[arg(long, value_name = "FILE.py")]
    pub(crate) tool: Vec<PathBuf>,
    #[command(flatten)]
    pub(crate) host: Host,
}

/// Reads the command line of this process.
pub(crate) fn parse() -> Cli {
    read(std::env::args_os().collect())
}

fn read(words: Vec<OsString>) -> Cli {
    let (words, texts) = options_first(words);
    let mut cli = Cli::parse_from(words);
    if let Command::Call(call) = &mut cli.command {
        call.texts = texts;
    }
    cli
}

/// Puts the options of `call` before its positional arguments, wherever they stand before `--`.
///
/// What looks like an option but is none of ours is an argument of the function (`psql -c ...`), and clap knows only one
/// or the other behind the first positional argument. What follows `--` comes back beside it.
fn options_first(words: Vec<OsString>) -> (Vec<OsString>, Vec<OsString>) {
    if words.get(1).is_none_or(|word| word != "call") {
        return (words, Vec::new());
    }
    let command = Cli::command();
    let known: Vec<_> = command
        .find_subcommand("call")
        .into_iter()
        .flat_map(clap::Command::get_arguments)
        .collect();
    let (mut options, mut rest) = (words[..2].to_vec(), Vec::new());
    let mut words = words.into_iter().skip(2);
    while let Some(word) = words.next() {
        if word == "--" {
            break;
        }
        let text = word.to_string_lossy();
        let (name, value) = text
            .split_once('=')
            .map_or((&*text, None), |(name, value)| (name, Some(value)));
        let option = name
            .strip_prefix("--")
            .and_then(|long| known.iter().find(|arg| arg.get_long() == Some(long)));
        // Behind the callable even -h may be meant for the function.
        let help = rest.len() < 2 && matches!(name, "-h" | "--help");
        let takes_value =
            option.is_some_and(|arg| arg.get_action().takes_values()) && value.is_none();
        if option.is_some() || help {
            options.push(word);
            options.extend(takes_value.then(|| words.next()).flatten());
        } else {
            rest.push(word);
        }
    }
    options.extend(rest);
    (options, words.collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn behind_the_commands_name_nothing_is_ours() {
        let parse = |line: &str| {
            let cli = read(line.split(' ').map(OsString::from).collect());
            let Command::Exec(exec) = cli.command else {
                panic!("no exec")
            };
            exec
        };
        for line in [
            "rmote-cli exec db -t --env=A=b top -t --env x -- y",
            "rmote-cli exec -t db --env A=b -- top -t --env x -- y",
        ] {
            let exec = parse(line);
            assert!(exec.tty && exec.target == "db");
            assert_eq!(exec.argv, ["top", "-t", "--env", "x", "--", "y"]);
            assert_eq!(exec.surroundings.env, [("A".to_owned(), "b".into())]);
        }
        assert_eq!(parse("rmote-cli exec db -- -x").argv, ["-x"]);
    }

    #[test]
    fn options_may_follow_arguments_and_unknown_ones_are_arguments() {
        let line = "rmote-cli call db --timeout=3 Exec.command psql -c -h --json --python /usr/bin/python3 --no -- --json";
        let cli = read(line.split(' ').map(OsString::from).collect());
        let Command::Call(call) = cli.command else {
            panic!("not a call")
        };
        assert!(call.json);
        assert_eq!(call.timeout, Some(Duration::from_secs(3)));
        assert_eq!(call.host.python.as_deref(), Some("/usr/bin/python3"));
        assert_eq!(call.args, ["psql", "-c", "-h", "--no"]);
        assert_eq!(call.texts, ["--json"]);
    }
}
