//! Who is at the other end of the control socket, as the kernel knows it.

use std::{io, mem, os::fd::AsRawFd as _};

use tokio::net::UnixStream;

/// Why a peer is not served.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error(
        "user {0} may not use the control socket; root, the user that rfbridge runs as and members of the socket's group may"
    )]
    Stranger(libc::uid_t),
    #[error("the system does not say who is connected: {0}")]
    Unknown(#[from] io::Error),
}

/// Checks the peer of a connection; `group` is that of the socket's file.
pub(super) fn may_use(stream: &UnixStream, group: libc::gid_t) -> Result<(), Refusal> {
    let peer = stream.peer_cred()?;
    // SAFETY: takes nothing and cannot fail.
    let own = unsafe { libc::geteuid() };
    let groups = || Ok([vec![peer.gid()], other_groups(stream)?].concat());
    check(peer.uid(), own, groups, group)
}

fn check(
    uid: libc::uid_t,
    own: libc::uid_t,
    groups: impl FnOnce() -> io::Result<Vec<libc::gid_t>>,
    group: libc::gid_t,
) -> Result<(), Refusal> {
    match uid == 0 || uid == own || groups()?.contains(&group) {
        true => Ok(()),
        false => Err(Refusal::Stranger(uid)),
    }
}

/// The groups of the peer beside its first one (`SO_PEERGROUPS`, unix(7)).
fn other_groups(stream: &UnixStream) -> io::Result<Vec<libc::gid_t>> {
    // NGROUPS_MAX, the most that a process can have.
    let mut groups = vec![0 as libc::gid_t; 65536];
    let mut length =
        libc::socklen_t::try_from(mem::size_of_val(groups.as_slice())).map_err(io::Error::other)?;
    // SAFETY: `groups` has room for `length` bytes, all of which stay valid whatever is written, and both live until the
    // call returns; the descriptor is that of `stream`.
    let result = unsafe {
        libc::getsockopt(
            stream.as_raw_fd(),
            libc::SOL_SOCKET,
            libc::SO_PEERGROUPS,
            groups.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    if result != 0 {
        return Err(io::Error::last_os_error());
    }
    let bytes = usize::try_from(length).map_err(io::Error::other)?;
    groups.truncate(bytes / mem::size_of::<libc::gid_t>());
    Ok(groups)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_the_own_user_and_the_sockets_group_may_and_nobody_else() {
        let check = |uid, groups: &[u32]| check(uid, 100, || Ok(groups.to_vec()), 50).is_ok();
        assert!(check(0, &[0]) && check(100, &[7]) && check(200, &[7, 50]));
        assert!(!check(200, &[7, 100]) && !check(200, &[]));
        let unknown = || Err(io::Error::other("no such option"));
        assert!(super::check(200, 100, unknown, 50).is_err());
    }

    #[tokio::test]
    async fn the_kernel_tells_who_is_connected() {
        let (ours, _theirs) = UnixStream::pair().expect("two sockets");
        assert!(may_use(&ours, libc::gid_t::MAX).is_ok(), "we ourselves");
        other_groups(&ours).expect("a list");
    }
}
