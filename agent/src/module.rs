//! Python modules that are sent to a host when something there asks for them.

/// A Python module, packed.
#[derive(Debug)]
#[non_exhaustive]
pub struct Module {
    /// Its dotted name.
    pub name: &'static str,
    /// The file name that tracebacks show.
    pub file: &'static str,
    /// Its source as a zlib stream.
    pub packed: &'static [u8],
    /// The modules that it imports and that are not part of the agent's core.
    pub requires: &'static [&'static Self],
}

impl Module {
    /// Describes a module whose source was packed with [`pack`](crate::pack) when the program was built.
    pub const fn new(
        name: &'static str,
        file: &'static str,
        packed: &'static [u8],
        requires: &'static [&'static Self],
    ) -> Self {
        Self {
            name,
            file,
            packed,
            requires,
        }
    }
}

macro_rules! packed {
    ($name:literal) => {
        include_bytes!(concat!(env!("OUT_DIR"), "/", $name))
    };
}

static ARGUMENTS: Module = Module::new(
    "rmote.arguments",
    "rmote/arguments.py",
    packed!("arguments"),
    &[],
);
static CHILDREN: Module = Module::new(
    "rmote.children",
    "rmote/children.py",
    packed!("children"),
    &[&FURTHER],
);
static COMPRESSION: Module = Module::new(
    "rmote.compression",
    "rmote/compression.py",
    packed!("compression"),
    &[&STREAMS],
);
static COROUTINES: Module = Module::new(
    "rmote.coroutines",
    "rmote/coroutines.py",
    packed!("coroutines"),
    // Python's `asyncio` imports `logging` and `subprocess`.
    &[&CHILDREN, &RECORDS],
);
static COLUMNS: Module = Module::new("rmote.columns", "rmote/columns.py", packed!("columns"), &[]);
static DESCRIBE: Module = Module::new(
    "rmote.describe",
    "rmote/describe.py",
    packed!("describe"),
    &[],
);
static ENDING: Module = Module::new(
    "rmote.ending",
    "rmote/ending.py",
    packed!("ending"),
    &[&CHILDREN],
);
/// Describes exceptions, and has the one that says what a host lacks.
pub static FAILURE: &Module = &RAISED;
static RAISED: Module = Module::new("rmote.failure", "rmote/failure.py", packed!("failure"), &[]);
static FURTHER: Module = Module::new("rmote.further", "rmote/further.py", packed!("further"), &[]);
static INTERRUPT: Module = Module::new(
    "rmote.interrupt",
    "rmote/interrupt.py",
    packed!("interrupt"),
    &[],
);
/// Sends records to the controller.
pub static LOGS: &Module = &RECORDS;
static RECORDS: Module = Module::new("rmote.logs", "rmote/logs.py", packed!("logs"), &[&FURTHER]);
/// `rmote.process`, which runs commands: what tools require that start programs.
pub static PROCESS: &Module = &RUN;
static RUN: Module = Module::new(
    "rmote.process",
    "rmote/process.py",
    packed!("process"),
    &[&CHILDREN],
);
static OUTPUT: Module = Module::new(
    "rmote.output",
    "rmote/output.py",
    packed!("output"),
    &[&FURTHER],
);
static PROTOCOL: Module = Module::new(
    "rmote.protocol",
    "rmote/protocol.py",
    packed!("protocol"),
    &[&RUN, &TEXT],
);
static STEPS: Module = Module::new("rmote.steps", "rmote/steps.py", packed!("steps"), &[]);
static STREAMS: Module = Module::new("rmote.streams", "rmote/streams.py", packed!("streams"), &[]);
/// `rmote.template`, the templates of the Python rmote 0.3.
pub static TEMPLATE: &Module = &TEXT;
static TEXT: Module = Module::new(
    "rmote.template",
    "rmote/template.py",
    packed!("template"),
    &[&STEPS],
);
static WATCHER: Module = Module::new("rmote.watcher", "rmote/watcher.py", packed!("watcher"), &[]);

/// What the agent's own package offers beyond its core.
pub static MODULES: [&Module; 18] = [
    &ARGUMENTS,
    &CHILDREN,
    &COLUMNS,
    &COMPRESSION,
    &COROUTINES,
    &DESCRIBE,
    &ENDING,
    &RAISED,
    &FURTHER,
    &INTERRUPT,
    &RECORDS,
    &OUTPUT,
    &RUN,
    &PROTOCOL,
    &STEPS,
    &STREAMS,
    &TEXT,
    &WATCHER,
];
