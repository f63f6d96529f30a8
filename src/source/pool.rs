//! Buffers that are used again once nobody looks at what was in them.

use std::{
    mem,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;

/// Where the buffers of pictures that nobody holds any more wait for the next ones. In the long run
/// no picture costs an allocation or fresh pages.
#[derive(Debug, Default)]
pub(super) struct Pool(Arc<Idle>);

type Idle = Mutex<Vec<Vec<u8>>>;

/// Most buffers that wait. In use are at most about as many: one is being filled, one is the last
/// picture, one waits to be converted, one is being converted.
const MOST: usize = 4;

impl Pool {
    /// A buffer that still holds what was in it last, or an empty one. The one that came back last is taken first: the
    /// processor's cache may still have it.
    pub(super) fn buffer(&self) -> Vec<u8> {
        idle(&self.0).pop().unwrap_or_default()
    }

    /// Makes a buffer readable to many; it comes back when the last of them lets it go.
    pub(super) fn share(&self, buffer: Vec<u8>) -> Bytes {
        Bytes::from_owner(Shared {
            buffer,
            home: Arc::clone(&self.0),
        })
    }
}

struct Shared {
    buffer: Vec<u8>,
    home: Arc<Idle>,
}

impl AsRef<[u8]> for Shared {
    fn as_ref(&self) -> &[u8] {
        &self.buffer
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        let mut idle = idle(&self.home);
        if idle.len() < MOST {
            idle.push(mem::take(&mut self.buffer));
        }
    }
}

fn idle(idle: &Idle) -> std::sync::MutexGuard<'_, Vec<Vec<u8>>> {
    idle.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buffer_comes_back_when_its_last_holder_is_gone() {
        let pool = Pool::default();
        let shared = pool.share(vec![1, 2, 3]);
        let (address, part) = (shared.as_ptr(), shared.slice(1..2));
        drop(shared);
        assert!(pool.buffer().is_empty());
        assert_eq!(part, [2].as_slice());
        drop(part);
        let again = pool.buffer();
        assert_eq!(
            (again.as_ptr(), again.as_slice()),
            (address, [1, 2, 3].as_slice())
        );
    }

    #[test]
    fn no_more_than_a_few_buffers_wait() {
        let pool = Pool::default();
        let many: Vec<_> = (0..20).map(|_| pool.share(vec![0])).collect();
        drop(many);
        let waiting = std::iter::from_fn(|| Some(pool.buffer()).filter(|b| !b.is_empty()));
        assert_eq!(waiting.count(), MOST);
    }
}
