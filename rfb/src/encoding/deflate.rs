//! Deflate chunks that stand for themselves.
//!
//! A chunk is raw deflate that refers to nothing before it and ends in a sync flush, that is on
//! a byte boundary with no final block. Behind the two header bytes of zlib, any number of chunks
//! makes one valid stream, whoever produced them and at whatever level.

use std::cell::RefCell;

use flate2::{Compress, Compression, FlushCompress, Status};

/// The zlib header (RFC 1950) that precedes the first chunk of a stream: deflate with a 32 KiB
/// window, no dictionary.
pub(super) const HEADER: [u8; 2] = [0x78, 0x01];

thread_local! {
    /// One compressor a thread with its level, because making one costs some 300 kB.
    static COMPRESSOR: RefCell<Option<(u32, Compress)>> = const { RefCell::new(None) };
}

/// Appends `input` as one chunk. `level` is 0..=9, larger is taken as 9.
pub(super) fn chunk(level: u8, input: &[u8], out: &mut Vec<u8>) {
    let level = u32::from(level.min(9));
    COMPRESSOR.with_borrow_mut(|cached| {
        let compress = match cached {
            // The level of a used compressor cannot be changed, so it is made anew.
            Some((of, compress)) if *of == level => {
                compress.reset();
                compress
            }
            _ => {
                let fresh = Compress::new(Compression::new(level), false);
                &mut cached.insert((level, fresh)).1
            }
        };
        run(compress, input, out);
    });
}

fn run(compress: &mut Compress, input: &[u8], out: &mut Vec<u8>) {
    // Enough for the worst case, so that the loop below runs once as a rule.
    out.reserve(input.len() + input.len() / 7 + 64);
    loop {
        let done = usize::try_from(compress.total_in()).unwrap_or(input.len());
        let status = compress
            .compress_vec(&input[done..], out, FlushCompress::Sync)
            .expect("deflating from memory to memory with valid arguments has no way to fail");
        // Room left over means that everything, the flush included, was written.
        if out.len() < out.capacity() || status != Status::Ok {
            return;
        }
        out.reserve(input.len() / 2 + 64);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use flate2::{Decompress, FlushDecompress};

    /// Check 35: chunks of all levels, from one compressor or another, make one stream.
    #[test]
    fn chunks_make_one_stream() {
        let inputs: Vec<Vec<u8>> = (0..40u32)
            .map(|i| (0..i * 997).map(|j| ((j * j) >> (i % 9)) as u8).collect())
            .filter(|input: &Vec<u8>| !input.is_empty())
            .collect();
        let mut inflate = Decompress::new(true);
        for (i, input) in inputs.iter().enumerate() {
            let mut chunk_bytes = if i == 0 { HEADER.to_vec() } else { Vec::new() };
            chunk((i % 10) as u8, input, &mut chunk_bytes);
            let mut output = Vec::with_capacity(input.len() + 1);
            inflate
                .decompress_vec(&chunk_bytes, &mut output, FlushDecompress::Sync)
                .expect("a valid stream");
            assert_eq!(&output, input);
        }
    }

    #[test]
    fn a_chunk_stands_alone_and_ends_in_a_sync_flush() {
        for level in 0..=9 {
            let mut bytes = Vec::new();
            chunk(level, b"the same words, the same words", &mut bytes);
            assert!(bytes.ends_with(&[0, 0, 0xff, 0xff]), "level {level}");
            let mut again = Vec::new();
            chunk(level, b"the same words, the same words", &mut again);
            assert_eq!(bytes, again, "level {level}");
        }
    }
}
