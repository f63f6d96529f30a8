//! How much memory the allocator keeps for later.

/// As many threads may allocate at the same time; the others take turns, which takes them no measurable time.
#[cfg(target_env = "gnu")]
const HEAPS: libc::c_int = 2;

/// Keeps glibc from giving each thread a heap of its own, up to eight to a core.
///
/// Each keeps what it has freed, so they grow to the most that any update ever took, times the threads of the encoders' pool:
/// with 31 clients that come and go, 110 MiB, nine tenths of it free, where two heaps come to 58. Has to be called before there
/// is a second thread. `MALLOC_ARENA_MAX` in the environment wins.
#[cfg(target_env = "gnu")]
pub(super) fn limit() {
    if std::env::var_os("MALLOC_ARENA_MAX").is_some() {
        return;
    }
    // SAFETY: it sets a number in the allocator, and no other thread is there yet that could read it.
    let is_set = unsafe { libc::mallopt(libc::M_ARENA_MAX, HEAPS) } == 1;
    debug_assert!(is_set, "glibc knows this option");
}

#[cfg(not(target_env = "gnu"))]
pub(super) fn limit() {}
