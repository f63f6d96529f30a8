//! Reading and writing the wire's integers, big-endian as RFB has them.
//!
//! Reading never consumes a part of a message: a [`Reader`] works on a borrowed slice and says
//! [`Short`] when the message is not whole yet, and only a message that was read to its end is taken
//! off the input.

/// The message is not whole yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Short;

/// Result of reading from input that may end in the middle of a message.
pub type Read<T> = Result<T, Short>;

/// A cursor over bytes received so far.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    consumed: usize,
}

impl<'a> Reader<'a> {
    pub fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, consumed: 0 }
    }

    /// How many bytes were read so far.
    pub fn consumed(&self) -> usize {
        self.consumed
    }

    /// What was received and not read yet.
    pub fn rest(&self) -> &'a [u8] {
        self.bytes
    }

    /// The next `n` bytes.
    pub fn take(&mut self, n: usize) -> Read<&'a [u8]> {
        let (head, tail) = self.bytes.split_at_checked(n).ok_or(Short)?;
        self.bytes = tail;
        self.consumed += n;
        Ok(head)
    }

    /// The next `N` bytes.
    pub fn array<const N: usize>(&mut self) -> Read<[u8; N]> {
        let (head, tail) = self.bytes.split_first_chunk::<N>().ok_or(Short)?;
        self.bytes = tail;
        self.consumed += N;
        Ok(*head)
    }

    /// Passes over padding.
    pub fn skip(&mut self, n: usize) -> Read<()> {
        self.take(n).map(|_| ())
    }

    pub fn u8(&mut self) -> Read<u8> {
        self.array::<1>().map(|[b]| b)
    }

    pub fn u16(&mut self) -> Read<u16> {
        self.array().map(u16::from_be_bytes)
    }

    pub fn u32(&mut self) -> Read<u32> {
        self.array().map(u32::from_be_bytes)
    }

    pub fn i32(&mut self) -> Read<i32> {
        self.array().map(i32::from_be_bytes)
    }
}

/// Writing the wire's integers to the end of a buffer.
pub trait Put {
    fn put(&mut self, bytes: &[u8]);

    fn put_u8(&mut self, v: u8) {
        self.put(&[v]);
    }
    fn put_u16(&mut self, v: u16) {
        self.put(&v.to_be_bytes());
    }
    fn put_u32(&mut self, v: u32) {
        self.put(&v.to_be_bytes());
    }
    fn put_i32(&mut self, v: i32) {
        self.put(&v.to_be_bytes());
    }
}

impl Put for Vec<u8> {
    fn put(&mut self, bytes: &[u8]) {
        self.extend_from_slice(bytes);
    }
}

/// Writes `body` behind its own length as U32. Every encoding bounds its rectangles far below the
/// 4 GiB that the length can say.
pub fn put_u32_prefixed(out: &mut Vec<u8>, body: impl FnOnce(&mut Vec<u8>)) {
    let at = out.len();
    out.put_u32(0);
    body(out);
    let length = u32::try_from(out.len() - at - 4).unwrap_or(u32::MAX);
    if let Some(prefix) = out.get_mut(at..at + 4) {
        prefix.copy_from_slice(&length.to_be_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_read_consumes_nothing() {
        let mut reader = Reader::new(&[1, 2, 3]);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u32(), Err(Short));
        assert_eq!(reader.consumed(), 1);
        assert_eq!(reader.u16(), Ok(0x0203));
        assert_eq!(reader.u8(), Err(Short));
    }

    #[test]
    fn length_is_written_back() {
        let mut out = vec![9];
        put_u32_prefixed(&mut out, |out| out.put(b"abc"));
        assert_eq!(out, [9, 0, 0, 0, 3, b'a', b'b', b'c']);
    }
}
