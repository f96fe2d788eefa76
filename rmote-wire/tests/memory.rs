//! Input that claims to be large must not cost memory. Alone in its process, so that the peak is its own.

#![expect(
    clippy::unwrap_used,
    reason = "a test's helper may panic like the test"
)]
#![cfg(target_os = "linux")]

use bytes::{BufMut, Bytes, BytesMut};
use rmote_wire::{FrameCodec, Kind, Limits, Value};
use tokio_util::codec::Decoder;

#[test]
fn claims_cost_no_memory() {
    let limits = Limits::default()
        .with_frame(usize::MAX)
        .with_text(usize::MAX);
    let before = peak_kib();
    // A count that is honest at first sight: as many bytes follow, but the first of them is no value.
    let mut liar = BytesMut::zeroed(4 << 20);
    for tag in 3..=14 {
        liar[..6].copy_from_slice(&[tag, 0xf0, 0xff, 0xff, 0x01, 0xff]);
        assert!(Value::decode(Bytes::copy_from_slice(&liar), &limits).is_err());
        let mut huge =
            BytesMut::from(&[tag, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10][..]);
        assert!(Value::decode(huge.clone().freeze(), &limits).is_err());
        huge.put_bytes(0, 1000);
        assert!(Value::decode(huge.freeze(), &limits).is_err());
    }
    // The same for the kinds of columns: a count that is honest, and lengths, names or columns that are not.
    for kind in 0..=17 {
        let claims: [&[u8]; 3] = [
            &[0xf0, 0xff, 0xff, 0x01],
            &[4, 0xff, 0xff, 0x3f, 0, 0xff],
            &[1, b'R', 0xf0, 0xff, 0xff, 0x01, 0xff],
        ];
        for claim in claims {
            let head = [&[14, 8, 0x80, 0x80, 0x40, kind][..], claim].concat();
            liar[..head.len()].copy_from_slice(&head);
            liar[head.len()..][..16].fill(0xff);
            assert!(Value::decode(Bytes::copy_from_slice(&liar), &limits).is_err());
        }
    }
    let mut codec = FrameCodec::new(usize::MAX);
    let mut stream = BytesMut::new();
    stream.put_u32_le(u32::MAX);
    stream.put_slice(&[Kind::Return as u8, 0, 0, 0, 0, 0, 0, 0]);
    assert!(codec.decode(&mut stream).unwrap().is_none());
    let grown = peak_kib() - before;
    assert!(grown < 64 << 10, "{grown} KiB");
}

/// The most address space that the process ever had, which counts what was reserved and never touched.
fn peak_kib() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmPeak:"));
    let line = line.expect("Linux reports a peak");
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
