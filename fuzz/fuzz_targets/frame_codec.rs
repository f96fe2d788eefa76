//! A stream gives the same frames, or the same error, however it is cut; what is read can be written.

#![no_main]

use bytes::BytesMut;
use libfuzzer_sys::fuzz_target;
use rmote_wire::{Frame, FrameCodec};
use tokio_util::codec::{Decoder, Encoder};

fuzz_target!(|input: (u8, &[u8])| {
    let (step, stream) = input;
    let (frames, ended_well) = read(stream.chunks(usize::from(step) + 1));
    assert_eq!(read([stream]), (frames.clone(), ended_well));

    let mut written = BytesMut::new();
    for frame in frames {
        codec()
            .encode(frame, &mut written)
            .expect("a frame that was read can be written");
    }
    assert!(stream.starts_with(&written));
    assert_eq!(ended_well, written.len() == stream.len());
});

fn read<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> (Vec<Frame>, bool) {
    let mut codec = codec();
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    for part in parts {
        buffer.extend_from_slice(part);
        loop {
            match codec.decode(&mut buffer) {
                Ok(Some(frame)) => frames.push(frame),
                Ok(None) => break,
                Err(_) => return (frames, false),
            }
        }
    }
    let ended_well = matches!(codec.decode_eof(&mut buffer), Ok(None));
    (frames, ended_well)
}

fn codec() -> FrameCodec {
    FrameCodec::new(1 << 20)
}
