//! A host that follows a script: it stands where the agent should be, and says what no honest agent would.

use std::fmt::Write as _;

use bytes::BytesMut;
use rmote_client::{AgentHello, Command, Limits};
use rmote_wire::{Frame, Kind, Value};

use super::Marker;
use super::host::python;

/// Carries out its steps. The words after `--` are the command that would start the agent; they hold the mark's halves.
const SCRIPT: &str = r#"
import os, signal, sys, time
cut = sys.argv.index("--")
steps, command = sys.argv[1:cut], sys.argv[cut + 1:]
second, first, size = command[6:9]

def read(count):
    data = b""
    while len(data) < count:
        part = os.read(0, count - len(data))
        if not part:
            sys.exit("the input ended")
        data += part
    return data

for step in steps:
    verb, _, text = step.partition(":")
    if verb == "mark":
        os.write(1, (first + second + text).encode())
    elif verb == "bytes":
        data = bytes.fromhex(text)
        while data:
            data = data[os.write(1, data):]
    elif verb == "call":
        read(int(size))
        kind = 0
        while kind != 3:
            head = read(10)
            kind = head[4]
            read(int.from_bytes(head[:4], "little") - 6)
    elif verb == "eof":
        while os.read(0, 65536):
            pass
    elif verb == "say":
        sys.stderr.write(text + "\n")
        sys.stderr.flush()
    elif verb == "exit":
        os._exit(int(text))
    elif verb == "signal":
        os.kill(os.getpid(), int(text))
    elif verb == "close":
        os.close(1)
    elif verb == "hang":
        time.sleep(1000)
"#;

#[derive(Debug)]
pub struct Fake {
    pub marker: Marker,
    steps: Vec<String>,
}

impl Fake {
    pub fn new() -> Self {
        Self {
            marker: Marker::new(),
            steps: Vec::new(),
        }
    }

    /// Takes the bootstrap and says that it runs, as the first stage does.
    pub fn started() -> Self {
        Self::new().status('P')
    }

    /// An agent that has introduced itself, and has its first call, which has the id 1.
    pub fn serving() -> Self {
        Self::started().frame(&hello(1)).step("call")
    }

    /// The mark, and this status.
    pub fn status(self, status: char) -> Self {
        self.step(&format!("mark:{status}"))
    }

    pub fn bytes(self, bytes: &[u8]) -> Self {
        let mut step = "bytes:".to_owned();
        for byte in bytes {
            _ = write!(step, "{byte:02x}");
        }
        self.step(&step)
    }

    pub fn frame(self, frame: &Frame) -> Self {
        self.bytes(&bytes_of(frame))
    }

    /// One of the script's verbs, with what it is about.
    pub fn step(mut self, step: &str) -> Self {
        self.steps.push(step.to_owned());
        self
    }

    pub fn transport(&self) -> Command {
        self.marker
            .local()
            .args([python(), "-c", SCRIPT])
            .args(self.steps.iter().cloned())
            .arg("--")
    }
}

pub fn bytes_of(frame: &Frame) -> BytesMut {
    let mut bytes = BytesMut::from(&frame.header()[..]);
    bytes.extend_from_slice(&frame.payload);
    bytes
}

/// The hello of an agent that speaks this version.
pub fn hello(version: u32) -> Frame {
    let hello = AgentHello {
        version,
        frame_limit: 1 << 20,
        python: (3, 6, 0),
        implementation: "fake".to_owned(),
        executable: String::new(),
        platform: String::new(),
        hostname: String::new(),
        pid: 1,
    };
    hello.encode(&Limits::default()).unwrap()
}

/// The answer to a call.
pub fn returned(id: u32, value: &Value) -> Frame {
    Frame::new(Kind::Return, id, value.encode(&Limits::default()).unwrap())
}
