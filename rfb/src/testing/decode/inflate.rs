//! A zlib stream that goes on from rectangle to rectangle.

use flate2::{Decompress, FlushDecompress, Status};

use super::{Fault, bad};

pub(super) struct Inflater(Decompress);

impl Inflater {
    pub(super) fn new() -> Self {
        Self(Decompress::new(true))
    }

    /// Inflates a whole chunk that must make exactly `size` bytes.
    pub(super) fn exactly(&mut self, chunk: &[u8], size: usize) -> Result<Vec<u8>, Fault> {
        let data = self.all(chunk, size)?;
        if data.len() != size {
            return bad(format!(
                "inflates to {} bytes instead of {size}",
                data.len()
            ));
        }
        Ok(data)
    }

    /// Inflates a whole chunk that must not make more than `most` bytes.
    pub(super) fn all(&mut self, chunk: &[u8], most: usize) -> Result<Vec<u8>, Fault> {
        let start = self.0.total_in();
        let mut data = Vec::with_capacity(most + 1);
        loop {
            let done = (self.0.total_in() - start) as usize;
            let before = data.len();
            match self
                .0
                .decompress_vec(&chunk[done..], &mut data, FlushDecompress::Sync)
            {
                Ok(Status::StreamEnd) => return bad("the zlib stream ends"),
                Ok(Status::Ok | Status::BufError) => {}
                Err(error) => return bad(format!("not a zlib stream: {error}")),
            }
            if data.len() > most {
                return bad(format!("inflates to more than {most} bytes"));
            }
            let taken = (self.0.total_in() - start) as usize;
            if taken == chunk.len() && data.len() == before {
                return Ok(data);
            }
            if taken == done && data.len() == before {
                return bad(format!(
                    "{} compressed bytes left over",
                    chunk.len() - taken
                ));
            }
        }
    }
}
