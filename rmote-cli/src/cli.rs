//! The command line.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt as _;
use std::path::PathBuf;
use std::time::Duration;

use clap::builder::{OsStringValueParser, PossibleValuesParser, TypedValueParser as _};
use clap::{Args, CommandFactory as _, Parser, Subcommand, ValueEnum};
use rmote_tools::{KnownHosts, Section};

/// Call typed functions on hosts on which nothing is installed.
#[derive(Debug, Parser)]
#[command(version, after_help = EXIT_CODES)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,
}

const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 the function raised, 2 usage, 3 could not connect or link lost, 4 deadline, 5 the host lacks what it
needs, 130 interrupted.
Of several targets the highest counts.";

const TARGETS: &str = "\
Targets:
  local                              a process on this machine
  web01, deploy@web01                ssh, with the user's own configuration
  ssh://deploy@web01:2222            the same, with a port
  docker://db, podman://db           docker exec, podman exec
  kubectl://namespace/pod/container  kubectl exec
  'cmd:sudo -n --'                   any command that carries bytes
  web01,web02                        several at once";

const CALL_USAGE: &str = "rmote-cli call [OPTIONS] TARGET CALLABLE [ARG]... [-- TEXT...]";

const CALL_HELP: &str = "\
Arguments:
  TEXT         a positional argument, as text
  :=JSON       a positional argument, as JSON
  NAME=TEXT    an argument by name, as text
  NAME:=JSON   an argument by name, as JSON
  -- TEXT...   positional text, whatever it looks like
For the tools that come with rmote TEXT may be a number (a mode is octal), true or false, or a list with commas.

Examples:
  rmote-cli call local FileSystem.read_str /etc/hostname
  rmote-cli call web01,web02 FileSystem.stat /etc/hosts --json
  rmote-cli call web01 FileSystem.write /etc/motd Welcome mode=644 check=true
  rmote-cli call docker://db Exec.command -- psql -c 'select 1'
  rmote-cli call web01 platform.node
  rmote-cli call web01 --tool audit.py Audit.run / depth:=2";

const EXEC_USAGE: &str = "rmote-cli exec [OPTIONS] TARGET [--] COMMAND [ARG]...";

const EXEC_HELP: &str = "\
The command's streams are ours, byte for byte, also on a terminal. Ctrl-C interrupts the command, a second one leaves it
and ends it. Of several targets each line is shown behind the target's name, and nothing is read from standard input.

Examples:
  rmote-cli exec web01 uptime
  rmote-cli exec web01,web02 -- journalctl -fu nginx
  rmote-cli exec docker://db pg_dump shop | gzip >shop.gz
  rmote-cli exec web01 --tty top";

const FACTS_HELP: &str = "\
What is not known is left out. What could not be told, such as the size of a mount whose server is gone, is an error in its
section and not one of the command.

Examples:
  rmote-cli facts web01
  rmote-cli facts web01,web02 system storage
  rmote-cli facts docker://db packages --raw --json";

const SHELL_HELP: &str = "\
The terminal on the host is as large as ours, and all keys go there; what it shows is shown as it comes.
At the start of a line, ~. hangs up, and ~~ is a tilde.";

const CODES: &str = "\
Exit codes: those of the command; 128 and the number of the signal that ended it; 126 it cannot be run, 127 there is no
such program; 255 could not connect, link lost or hung up; 2 usage; 130 interrupted. Of several targets the highest counts.";

const PLACES: &str = "\
Places:
  path, ./path                       a path here
  web01:path, deploy@web01:/path     a path on a host; without a slash from the home directory on
  ssh://deploy@web01:2222:/path      the same, with a port
  docker://db:/path                  a path in a container; and so with podman and kubectl
  'cmd:sudo -n --:/path'             a path where any other command leads";

const CP_USAGE: &str = "rmote-cli cp [OPTIONS] SOURCE... DESTINATION";

const CP_HELP: &str = "\
If the destination is a directory, the sources go into it. Trees are copied as a whole; modes and times are kept. What
has the same size and time already is left alone, and a broken copy goes on where it was when it is made again.

Examples:
  rmote-cli cp app.conf web01:/etc/app/
  rmote-cli cp -v docker://db:/var/log/postgresql logs
  rmote-cli cp *.rpm deploy@web01:";

const SYNC_HELP: &str = "\
The content of the source becomes the content of the destination.

Examples:
  rmote-cli sync --delete --exclude target --exclude '*.log' project web01:project
  rmote-cli sync -n web01:/etc etc";

const TEMPLATE_HELP: &str = "\
The template is Jinja, rendered here: its values do not leave this machine but for what becomes of them. A name that is
missing is an error. Values of later options win, those of --var over all. The diff is printed; with --secret there is none.
For templates that the host renders, with Python in them, see `call TARGET Template.write_file`.

Examples:
  rmote-cli template web01 nginx.conf.j2 /etc/nginx/nginx.conf --var workers:=4 --check
  rmote-cli template web01,web02 app.ini.j2 /etc/app.ini --vars site.json --var user=www --mode 640 --group www
  pass show db | rmote-cli template db my.cnf.j2 /root/.my.cnf --vars - --secret --mode 600
  rmote-cli template web01 sshd.j2 /etc/ssh/sshd_config --vars ssh.json --backup --validate 'sshd -t -f {}'";

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

/// How to reach a host.
#[derive(Clone, Debug, Args)]
pub(crate) struct Host {
    /// The interpreter on the host; without it the first one that fits.
    #[arg(long, value_name = "PATH")]
    pub(crate) python: Option<String>,
    /// Give up on a host that does not answer within this time.
    #[arg(long, value_name = "TIME", value_parser = duration, default_value = "30")]
    pub(crate) connect_timeout: Duration,
    /// The lowest level of the host's log records to show.
    #[arg(long, value_name = "LEVEL", default_value = "warning")]
    pub(crate) log_level: LogLevel,
    /// ssh: the configuration file instead of the user's own.
    #[arg(long, value_name = "FILE", help_heading = "ssh")]
    pub(crate) ssh_config: Option<PathBuf>,
    /// ssh: the key to use, beside those of the configuration.
    #[arg(long, value_name = "FILE", help_heading = "ssh")]
    pub(crate) identity: Option<PathBuf>,
    /// ssh: a host to jump through; may be given several times.
    #[arg(long, value_name = "HOST", help_heading = "ssh")]
    pub(crate) jump: Vec<String>,
    /// ssh: what to do with a host key that is not known.
    #[arg(
        long,
        value_name = "POLICY",
        default_value = "config",
        help_heading = "ssh"
    )]
    pub(crate) known_hosts: HostKeys,
}

/// The levels of Python's `logging`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum LogLevel {
    Debug = 10,
    Info = 20,
    Warning = 30,
    Error = 40,
    Critical = 50,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum HostKeys {
    /// As the ssh configuration says.
    Config,
    /// Refuse it.
    Strict,
    /// Take a new one, refuse a changed one.
    AcceptNew,
    /// Take any: open to impostors.
    AcceptAny,
}

impl From<HostKeys> for KnownHosts {
    fn from(policy: HostKeys) -> Self {
        match policy {
            HostKeys::Config => Self::Config,
            HostKeys::Strict => Self::Strict,
            HostKeys::AcceptNew => Self::AcceptNew,
            HostKeys::AcceptAny => Self::AcceptAny,
        }
    }
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

/// Reads `NAME=VALUE`.
fn variable(text: &OsStr) -> Result<(String, OsString), &'static str> {
    let bytes = text.as_bytes();
    let split = bytes.iter().position(|&byte| byte == b'=');
    let (name, value) = bytes.split_at(split.filter(|&at| at > 0).ok_or("NAME=VALUE is needed")?);
    let name = str::from_utf8(name).map_err(|_| "the name is no text")?;
    Ok((name.to_owned(), OsStr::from_bytes(&value[1..]).to_owned()))
}

/// Reads a mode as chmod has it.
fn mode(text: &str) -> Result<u32, &'static str> {
    let digits = text.strip_prefix("0o").unwrap_or(text);
    let mode = u32::from_str_radix(digits, 8).ok();
    mode.filter(|mode| *mode <= 0o7777)
        .ok_or("an octal number up to 7777 is needed")
}

/// Reads `5`, `1.5`, `5s`, `500ms`, `2m` or `1h`.
fn duration(text: &str) -> Result<Duration, String> {
    let number = text.trim_end_matches(|c: char| c.is_ascii_alphabetic());
    let unit = match &text[number.len()..] {
        "" | "s" => 1.0,
        "ms" => 0.001,
        "m" => 60.0,
        "h" => 3600.0,
        unit => return Err(format!("{unit} is no unit; use ms, s, m or h")),
    };
    let number: f64 = number
        .parse()
        .map_err(|_| "a number, with or without a unit, is needed".to_owned())?;
    let time = Duration::try_from_secs_f64(number * unit).map_err(|error| error.to_string())?;
    if time.is_zero() {
        Err("it must be longer than nothing".to_owned())
    } else {
        Ok(time)
    }
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
        for (text, value) in [("A=", ""), ("A=b=c", "b=c")] {
            let variable = variable(OsStr::new(text));
            assert_eq!(variable, Ok(("A".to_owned(), value.into())));
        }
        for bad in ["A", "=b", ""] {
            assert!(variable(OsStr::new(bad)).is_err(), "{bad}");
        }
    }

    #[test]
    fn times_have_units() {
        assert_eq!(duration("1.5"), Ok(Duration::from_millis(1500)));
        assert_eq!(duration("500ms"), Ok(Duration::from_millis(500)));
        assert_eq!(duration("2m"), Ok(Duration::from_secs(120)));
        for bad in ["", "x", "-1", "0", "1d", "nan", "1e99"] {
            assert!(duration(bad).is_err(), "{bad}");
        }
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
