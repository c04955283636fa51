//! The gzip codec of compressed tiles (`GZIP_1`, `GZIP_2`): deflate (RFC 1951) in the wrapping of RFC 1952.
//!
//! One [`Inflater`] serves all tiles that a thread decodes. It writes into memory of a size that the caller chose, and never
//! into more, so that a tile that claims to be small and is not is an error.

use flate2::{Crc, Decompress, FlushDecompress, Status};

/// Undoes deflate, tile after tile.
pub(crate) struct Inflater {
    /// Takes the usual tile: one gzip member that fills the tile. It is faster, and does not say how far it has read.
    whole: libdeflater::Decompressor,
    state: Decompress,
    out: Vec<u8>,
}

const DAMAGED: &str = "the gzip data are damaged";

impl Inflater {
    pub(crate) fn new() -> Inflater {
        Inflater {
            whole: libdeflater::Decompressor::new(),
            state: Decompress::new(false),
            out: Vec::new(),
        }
    }

    /// Inflates a tile to at most `most` bytes. Checksums are compared where there are any.
    pub(crate) fn inflate(&mut self, packed: &[u8], most: usize) -> Result<&[u8], &'static str> {
        if self.out.len() < most {
            self.out.resize(most, 0);
        }
        let room = &mut self.out[..most];
        if self.whole.gzip_decompress(packed, room) == Ok(most) {
            return Ok(&self.out[..most]);
        }
        let length = if packed.starts_with(&[0x1f, 0x8b]) {
            self.members(packed, most)?
        } else {
            // Some writers leave the wrapping out, or use that of RFC 1950.
            match self.run(packed, 0..most, true) {
                Ok((_, length)) => length,
                Err(_) => self.run(packed, 0..most, false)?.1,
            }
        };
        Ok(&self.out[..length])
    }

    /// Inflates all members of a gzip stream, and returns the bytes written.
    fn members(&mut self, packed: &[u8], most: usize) -> Result<usize, &'static str> {
        let mut rest = packed;
        let mut length = 0;
        loop {
            let body = rest
                .get(header_length(rest).ok_or(DAMAGED)?..)
                .ok_or(DAMAGED)?;
            let (read, written) = self.run(body, length..most, false)?;
            let member = &self.out[length..length + written];
            let mut sum = Crc::new();
            sum.update(member);
            let trailer = body
                .get(read..)
                .and_then(|rest| rest.split_first_chunk::<8>());
            let (trailer, after) = trailer.ok_or(DAMAGED)?;
            let expected = [sum.sum().to_le_bytes(), (written as u32).to_le_bytes()].concat();
            if trailer[..] != expected[..] {
                return Err("the gzip checksum does not fit");
            }
            length += written;
            if after.iter().all(|&byte| byte == 0) {
                return Ok(length);
            }
            rest = after;
        }
    }

    /// Inflates one deflate stream into a part of the output, and returns the bytes read and written.
    fn run(
        &mut self,
        packed: &[u8],
        room: std::ops::Range<usize>,
        wrapped: bool,
    ) -> Result<(usize, usize), &'static str> {
        self.state.reset(wrapped);
        let room = &mut self.out[room];
        let status = self.state.decompress(packed, room, FlushDecompress::Finish);
        match status {
            // Both counts are at most the lengths of the slices.
            Ok(Status::StreamEnd) => Ok((
                self.state.total_in() as usize,
                self.state.total_out() as usize,
            )),
            _ => Err(DAMAGED),
        }
    }
}

/// Returns the length of a member's header (RFC 1952, section 2.3).
fn header_length(member: &[u8]) -> Option<usize> {
    let &[0x1f, 0x8b, 8, flags, ..] = member else {
        return None;
    };
    let mut at = 10;
    if flags & 4 != 0 {
        let extra = member.get(at..)?.first_chunk::<2>()?;
        at += 2 + usize::from(u16::from_le_bytes(*extra));
    }
    for flag in [8, 16] {
        if flags & flag != 0 {
            at += member.get(at..)?.iter().position(|&byte| byte == 0)? + 1;
        }
    }
    Some(if flags & 2 != 0 { at + 2 } else { at })
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn every_wrapping_is_undone_and_damage_is_seen() {
        let content: Vec<u8> = (0..5000_u32).map(|n| ((n * n) >> 5) as u8).collect();
        let level = flate2::Compression::fast();
        let mut gzip = flate2::GzBuilder::new()
            .filename("tile")
            .comment("of an image")
            .extra(vec![1, 2, 3])
            .write(Vec::new(), level);
        gzip.write_all(&content).unwrap();
        let gzip = gzip.finish().unwrap();
        let mut zlib = flate2::write::ZlibEncoder::new(Vec::new(), level);
        zlib.write_all(&content).unwrap();
        let zlib = zlib.finish().unwrap();
        let mut raw = flate2::write::DeflateEncoder::new(Vec::new(), level);
        raw.write_all(&content).unwrap();
        let raw = raw.finish().unwrap();
        let mut inflater = Inflater::new();
        for packed in [&gzip, &zlib, &raw] {
            assert_eq!(inflater.inflate(packed, 5000).unwrap(), content);
            assert_eq!(inflater.inflate(packed, 9000).unwrap(), content);
            assert!(inflater.inflate(packed, 4999).is_err());
            assert!(inflater.inflate(&packed[..packed.len() / 2], 5000).is_err());
        }
        let twice = [&gzip[..], &gzip, &[0; 7]].concat();
        assert_eq!(inflater.inflate(&twice, 10_000).unwrap(), content.repeat(2));
        let mut damaged = gzip.clone();
        let last = damaged.len() - 5;
        damaged[last] ^= 1;
        assert!(inflater.inflate(&damaged, 5000).is_err());
    }
}
