//! Lines of a bounded length from a stream.

use std::io;

use tokio::io::{AsyncRead, AsyncReadExt as _};

/// Reads lines; what came of one that is not whole stays here, so waiting may be broken off.
#[derive(Debug)]
pub(super) struct Lines<R> {
    reader: R,
    buffer: Vec<u8>,
    /// How much of the buffer has no line end in it.
    searched: usize,
    limit: usize,
}

/// Why there is no next line.
#[derive(Debug, thiserror::Error)]
pub(super) enum LineError {
    #[error("a line is longer than {0} bytes")]
    TooLong(usize),
    #[error(transparent)]
    Io(#[from] io::Error),
}

impl<R: AsyncRead + Unpin> Lines<R> {
    /// Lines of at most `limit` bytes.
    pub(super) fn new(reader: R, limit: usize) -> Self {
        Self {
            reader,
            buffer: Vec::new(),
            searched: 0,
            limit,
        }
    }

    /// The next line without its end; `None` after the last. Cancel-safe.
    pub(super) async fn next(&mut self) -> Result<Option<Vec<u8>>, LineError> {
        loop {
            let new = self.buffer.get(self.searched..).unwrap_or_default();
            if let Some(at) = new.iter().position(|byte| *byte == b'\n') {
                let rest = self.buffer.split_off(self.searched + at + 1);
                let mut line = std::mem::replace(&mut self.buffer, rest);
                line.pop();
                self.searched = 0;
                return Ok(Some(line));
            }
            self.searched = self.buffer.len();
            if self.searched > self.limit {
                return Err(LineError::TooLong(self.limit));
            }
            if self.reader.read_buf(&mut self.buffer).await? == 0 {
                let last = std::mem::take(&mut self.buffer);
                self.searched = 0;
                return Ok((!last.is_empty()).then_some(last));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn lines_come_whole_however_they_arrive() {
        let mut lines = Lines::new(&b"one\n\ntwo\r\nthree"[..], 10);
        let mut all = Vec::new();
        while let Some(line) = lines.next().await.expect("lines") {
            all.push(String::from_utf8(line).expect("text"));
        }
        assert_eq!(all, ["one", "", "two\r", "three"]);
    }

    #[tokio::test]
    async fn a_line_without_an_end_is_not_held() {
        let mut lines = Lines::new(tokio::io::repeat(b'x'), 10_000);
        let error = lines.next().await.expect_err("too long");
        assert!(matches!(error, LineError::TooLong(10_000)));
        assert!(lines.buffer.capacity() < 40_000);
    }
}
