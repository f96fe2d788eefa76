//! What `--help` tells beside the options.

pub(super) const EXIT_CODES: &str = "\
Exit codes: 0 done, 1 the function raised, 2 usage, 3 could not connect or link lost, 4 deadline, 5 the host lacks what it
needs, 130 interrupted.
Of several targets the highest counts.";

pub(super) const TARGETS: &str = "\
Targets:
  local                              a process on this machine
  web01, deploy@web01                ssh, with the user's own configuration
  ssh://deploy@web01:2222            the same, with a port
  docker://db, podman://db           docker exec, podman exec
  kubectl://namespace/pod/container  kubectl exec
  'cmd:sudo -n --'                   any command that carries bytes
  web01,web02                        several at once";

pub(super) const CALL_USAGE: &str =
    "rmote-cli call [OPTIONS] TARGET CALLABLE [ARG]... [-- TEXT...]";

pub(super) const CALL_HELP: &str = "\
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

pub(super) const EXEC_USAGE: &str = "rmote-cli exec [OPTIONS] TARGET [--] COMMAND [ARG]...";

pub(super) const EXEC_HELP: &str = "\
The command's streams are ours, byte for byte, also on a terminal. Ctrl-C interrupts the command, a second one leaves it
and ends it. Of several targets each line is shown behind the target's name, and nothing is read from standard input.

Examples:
  rmote-cli exec web01 uptime
  rmote-cli exec web01,web02 -- journalctl -fu nginx
  rmote-cli exec docker://db pg_dump shop | gzip >shop.gz
  rmote-cli exec web01 --tty top";

pub(super) const FACTS_HELP: &str = "\
What is not known is left out. What could not be told, such as the size of a mount whose server is gone, is an error in its
section and not one of the command.

Examples:
  rmote-cli facts web01
  rmote-cli facts web01,web02 system storage
  rmote-cli facts docker://db packages --raw --json";

pub(super) const SHELL_HELP: &str = "\
The terminal on the host is as large as ours, and all keys go there; what it shows is shown as it comes.
At the start of a line, ~. hangs up, and ~~ is a tilde.";

pub(super) const CODES: &str = "\
Exit codes: those of the command; 128 and the number of the signal that ended it; 126 it cannot be run, 127 there is no
such program; 255 could not connect, link lost or hung up; 2 usage; 130 interrupted. Of several targets the highest counts.";

pub(super) const PLACES: &str = "\
Places:
  path, ./path                       a path here
  web01:path, deploy@web01:/path     a path on a host; without a slash from the home directory on
  ssh://deploy@web01:2222:/path      the same, with a port
  docker://db:/path                  a path in a container; and so with podman and kubectl
  'cmd:sudo -n --:/path'             a path where any other command leads";

pub(super) const CP_USAGE: &str = "rmote-cli cp [OPTIONS] SOURCE... DESTINATION";

pub(super) const CP_HELP: &str = "\
If the destination is a directory, the sources go into it. Trees are copied as a whole; modes and times are kept. What
has the same size and time already is left alone, and a broken copy goes on where it was when it is made again.

Examples:
  rmote-cli cp app.conf web01:/etc/app/
  rmote-cli cp -v docker://db:/var/log/postgresql logs
  rmote-cli cp *.rpm deploy@web01:";

pub(super) const SYNC_HELP: &str = "\
The content of the source becomes the content of the destination.

Examples:
  rmote-cli sync --delete --exclude target --exclude '*.log' project web01:project
  rmote-cli sync -n web01:/etc etc";

pub(super) const TEMPLATE_HELP: &str = "\
The template is Jinja, rendered here: its values do not leave this machine but for what becomes of them. A name that is
missing is an error. Values of later options win, those of --var over all. The diff is printed; with --secret there is none.
For templates that the host renders, with Python in them, see `call TARGET Template.write_file`.

Examples:
  rmote-cli template web01 nginx.conf.j2 /etc/nginx/nginx.conf --var workers:=4 --check
  rmote-cli template web01,web02 app.ini.j2 /etc/app.ini --vars site.json --var user=www --mode 640 --group www
  pass show db | rmote-cli template db my.cnf.j2 /root/.my.cnf --vars - --secret --mode 600
  rmote-cli template web01 sshd.j2 /etc/ssh/sshd_config --vars ssh.json --backup --validate 'sshd -t -f {}'";
