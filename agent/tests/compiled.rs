//! A compiled bootstrap starts an agent, also in another build of Python than the one that it was compiled for.
#![allow(clippy::unwrap_used, reason = "test code")]

use std::io::{Read as _, Write as _};
use std::process::{Command, Stdio};

use flate2::Compression;
use flate2::read::{ZlibDecoder, ZlibEncoder};
use rmote_agent::{Compiler, Mark, python_first_of};

const MARK: &str = "0123456789abcdef00112233445566ff";
const PYTHON: &str = "python3";

/// Runs a program with this on its standard input.
fn output(argv: &[String], input: &[u8]) -> Vec<u8> {
    let mut child = Command::new(&argv[0])
        .args(&argv[1..])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{:?}", output.status);
    output.stdout
}

/// Whether an agent starts with this bootstrap, and says what it runs on.
fn starts(bootstrap: Vec<u8>) -> bool {
    let mark = Mark::new(MARK).unwrap();
    let injection = python_first_of(PYTHON, &[], &mark, Some(bootstrap.leak()));
    let said = output(&injection.argv, injection.payload);
    let hello = said.strip_prefix(format!("{MARK}P").as_bytes()).unwrap();
    hello.windows(14).any(|bytes| bytes == b"implementation")
}

#[test]
fn what_was_compiled_starts_in_any_build() {
    let Compiler { argv, input, .. } = Compiler::new(PYTHON);
    let compiled = output(&argv, &input);
    let mut plain = Vec::new();
    let stream = compiled.strip_prefix(b"#rmote\n").unwrap();
    ZlibDecoder::new(stream).read_to_end(&mut plain).unwrap();
    assert!(starts(compiled));

    // As after an upgrade, and such that code of this build would end the agent.
    let mut parts = plain.splitn(4, |&byte| byte == 0);
    let [first, _, size] = [(); 3].map(|()| parts.next().unwrap().to_vec());
    let rest = parts.next().unwrap();
    let core = str::from_utf8(&size).unwrap().parse().unwrap();
    let zero: &[u8] = b"\0";
    let other = [
        &first,
        zero,
        b"another build",
        zero,
        &size,
        zero,
        &rest[..core],
        b"no code",
    ]
    .concat();
    let mut bootstrap = b"#rmote\n".to_vec();
    let mut encoder = ZlibEncoder::new(&other[..], Compression::fast());
    encoder.read_to_end(&mut bootstrap).unwrap();
    assert!(starts(bootstrap));
}
