//! What is injected into a host and how it is started.

/// The name of the interpreters that are tried, in this order, when none is given.
///
/// The plain name first: it is what the host's administrator means by Python. `platform-python` is where Red Hat keeps
/// the one of its own tools.
pub const INTERPRETERS: &[&str] = &[
    "python3",
    "python3.14",
    "python3.13",
    "python3.12",
    "python3.11",
    "python3.10",
    "python3.9",
    "python3.8",
    "python3.7",
    "python3.6",
    "pypy3",
    "python",
    "/usr/local/bin/python3",
    "/usr/bin/python3",
    "/usr/libexec/platform-python",
    // Too old, but then the error can say what was found.
    "python2",
];

const FIRST_STAGE: &str = include_str!(concat!(env!("OUT_DIR"), "/first_stage"));
pub(crate) const BOOTSTRAP: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/bootstrap"));
pub(crate) const REST: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/rest"));

/// The `-c` text: newlines of the first stage travel as tildes, since csh takes no newline inside a word.
const RUN: &str = "import sys;exec(sys.argv[1].replace(chr(126),chr(10)))";

/// Finds the interpreters that exist and replaces itself with the first; that one goes on to the next if it is too old.
///
/// `$1` is the `-c` text, `$2` the first stage, `$3` and `$4` the halves of the mark, swapped, `$5` the bootstrap's size.
const FIND: &str = "x=$1 s=$2 a=$3 b=$4 n=$5;shift 5;\
    for p;do shift;command -v \"$p\">/dev/null 2>&1&&set -- \"$@\" \"$p\";done;\
    [ $# = 0 ]&&{ echo \"$b${a}N\";exit 97; };\
    p=$1;shift;exec \"$p\" -ESsc \"$x\" \"$s\" \"$a$b\" \"$n\" \"\" \"$x\" \"$@\"";

/// What tells the agent's first byte from whatever a login shell prints before it: 32 characters, new for each session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark(String);

impl Mark {
    /// The mark's length in bytes.
    pub const LEN: usize = 32;

    /// Makes a mark of 32 lower-case hexadecimal digits; any other text gives `None`.
    ///
    /// The digits should be random: a host's noise must not hold them by chance.
    pub fn new(text: &str) -> Option<Self> {
        let fits =
            text.len() == Self::LEN && text.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        fits.then(|| Self(text.to_owned()))
    }

    /// The bytes that the host writes.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

/// What starts an agent: the command to run on the host, and the bytes to write to it first.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Injection {
    /// The command's words.
    pub argv: Vec<String>,
    /// What goes to its standard input before the first frame.
    pub payload: &'static [u8],
    /// The rest of the agent: the payload of a `load` frame with [`FLAG_REST`], which follows its first answer, or goes when it
    /// asks for that.
    ///
    /// [`FLAG_REST`]: https://docs.rs/rmote-wire/latest/rmote_wire/constant.FLAG_REST.html
    pub rest: &'static [u8],
}

/// How to start the Python agent.
///
/// With an `interpreter` (a path, or a name on the host's PATH) exactly that one is started, without a shell. Otherwise a
/// line of `sh` on the host looks for the [`INTERPRETERS`] and takes the first that is new enough.
pub fn python(interpreter: Option<&str>, mark: &Mark) -> Injection {
    // The mark is no word of the command line, so that a host that repeats its command line does not forge it.
    if let Some(interpreter) = interpreter {
        return python_first_of(interpreter, &[], mark, None);
    }
    let (first, second) = mark.0.split_at(Mark::LEN / 2);
    let size = BOOTSTRAP.len().to_string();
    let find = [
        "sh",
        "-c",
        FIND,
        "sh",
        RUN,
        FIRST_STAGE,
        second,
        first,
        &size,
    ];
    Injection {
        argv: find
            .iter()
            .chain(INTERPRETERS)
            .map(|&word| word.to_owned())
            .collect(),
        payload: BOOTSTRAP,
        rest: REST,
    }
}

/// How to start the Python agent with an interpreter that is known to be there, and without a shell.
///
/// If it is too old it goes on to the `others`, as the line of `sh` would have it. `compiled` is what a
/// [`Compiler`](crate::Compiler) has made for it.
pub fn python_first_of(
    interpreter: &str,
    others: &[String],
    mark: &Mark,
    compiled: Option<&'static [u8]>,
) -> Injection {
    let payload = compiled.unwrap_or(BOOTSTRAP);
    let (first, second) = mark.0.split_at(Mark::LEN / 2);
    let size = payload.len().to_string();
    let words = [
        interpreter,
        "-ESsc",
        RUN,
        FIRST_STAGE,
        &[second, first].concat(),
        &size,
        "",
        RUN,
    ];
    let words = words.into_iter().map(str::to_owned);
    Injection {
        argv: words.chain(others.iter().cloned()).collect(),
        payload,
        rest: REST,
    }
}
