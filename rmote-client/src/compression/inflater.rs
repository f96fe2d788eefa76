//! What was compressed, as it was before.

use std::io::Read as _;

use bytes::Bytes;
use flate2::bufread::ZlibDecoder;
use flate2::{Decompress, FlushDecompress, Status};
use rmote_wire::FLAG_CONTINUED;

use super::FLUSHED;
use crate::error::ResultError;

/// Inflates the frames of a stream, one after another.
#[derive(Debug, Default)]
pub(crate) struct Inflater(Option<Decompress>);

impl Inflater {
    /// What a deflated payload stands for, within a limit.
    pub(crate) fn inflate(
        &mut self,
        flags: u8,
        payload: &[u8],
        limit: usize,
    ) -> Result<Bytes, ResultError> {
        let known = self.0.take();
        let mut stream = if flags & FLAG_CONTINUED == 0 {
            Decompress::new(true)
        } else {
            known.ok_or(ResultError::Deflated)?
        };
        let begin = stream.total_in();
        let mut inflated = Vec::new();
        let (left, status) = loop {
            // One more than the limit shows that there is more.
            let most = limit.saturating_add(1);
            let room = (4 * payload.len()).min(most - inflated.len());
            inflated.reserve_exact(room.max(1));
            let taken = usize::try_from(stream.total_in() - begin).unwrap_or(usize::MAX);
            let left = payload.get(taken..).unwrap_or_default();
            let status = stream
                .decompress_vec(left, &mut inflated, FlushDecompress::None)
                .map_err(|_| ResultError::Deflated)?;
            if inflated.len() > limit {
                return Err(ResultError::InflatesTooLarge(limit));
            }
            if status == Status::StreamEnd || inflated.len() < inflated.capacity() {
                let taken = usize::try_from(stream.total_in() - begin).unwrap_or(usize::MAX);
                break (payload.len().saturating_sub(taken), status);
            }
        };
        if status != Status::StreamEnd && payload.ends_with(&FLUSHED) {
            self.0 = Some(stream);
        } else if status != Status::StreamEnd {
            return Err(ResultError::Deflated);
        }
        if left > 0 {
            return Err(ResultError::Deflated);
        }
        Ok(inflated.into())
    }
}

/// What a payload is a zlib stream of, within a limit.
pub(crate) fn inflate(payload: &[u8], limit: usize) -> Result<Bytes, ResultError> {
    let mut decoder = ZlibDecoder::new(payload);
    let mut inflated = Vec::new();
    // One more shows that there is more.
    let most = u64::try_from(limit).unwrap_or(u64::MAX).saturating_add(1);
    decoder
        .by_ref()
        .take(most)
        .read_to_end(&mut inflated)
        .map_err(|_| ResultError::Deflated)?;
    if inflated.len() > limit {
        return Err(ResultError::InflatesTooLarge(limit));
    }
    // Bytes behind its end are damage, too.
    if !decoder.into_inner().is_empty() {
        return Err(ResultError::Deflated);
    }
    Ok(inflated.into())
}

#[cfg(test)]
mod tests {
    use flate2::{Compress, FlushCompress};

    use super::super::packer::State;
    use super::*;

    #[test]
    fn what_was_deflated_inflates_again_within_its_limit() {
        let text = b"twelve bytes".repeat(10_000);
        let mut whole = Compress::new(flate2::Compression::new(6), true);
        let mut complete = Vec::with_capacity(text.len());
        let finish = FlushCompress::Finish;
        let status = whole.compress_vec(&text, &mut complete, finish).unwrap();
        assert_eq!(status, Status::StreamEnd);
        let (_, part) = State::default().pack(6, &text).expect("it shrinks");
        assert!(part.len() < text.len() / 50);
        for packed in [&complete, &part] {
            let of =
                |flags: u8, packed: &[u8], limit| Inflater::default().inflate(flags, packed, limit);
            assert_eq!(of(0, packed, text.len()).unwrap(), text);
            let error = of(0, packed, text.len() - 1).unwrap_err();
            assert!(matches!(error, ResultError::InflatesTooLarge(119_999)));
            for (flags, damaged) in [
                (0, &packed[..packed.len() - 1]),
                (0, &[&packed[..], b"x"].concat()),
                (0, b"no zlib"),
                (0, b""),
                (FLAG_CONTINUED, packed),
            ] {
                let error = of(flags, damaged, 1 << 20).unwrap_err();
                assert!(matches!(error, ResultError::Deflated));
            }
        }
        // A result is a whole stream.
        assert_eq!(inflate(&complete, text.len()).unwrap(), text);
        let error = inflate(&complete, text.len() - 1).unwrap_err();
        assert!(matches!(error, ResultError::InflatesTooLarge(119_999)));
        for damaged in [
            &complete[..complete.len() - 1],
            &[&complete[..], b"x"].concat(),
            &part,
            b"no zlib",
            b"",
        ] {
            let error = inflate(damaged, 1 << 20).unwrap_err();
            assert!(matches!(error, ResultError::Deflated));
        }
    }
}
