//! The run loop of a server's owner, for tests that talk to the core.

use rfb::server::Connection;

/// Everything that the server has to say now, updates included.
pub fn answer(connection: &mut Connection) -> Vec<u8> {
    let mut out = connection.take_output().to_vec();
    while let Some(job) = connection.plan_update() {
        out.extend_from_slice(&connection.take_output());
        let sent = connection.finish_update(job.encode()).concat();
        if sent.is_empty() {
            break;
        }
        out.extend_from_slice(&sent);
    }
    out.extend_from_slice(&connection.take_output());
    out
}
