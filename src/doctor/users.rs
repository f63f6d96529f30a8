//! The users file: whether the server can use it.

use std::path::Path;

use super::{Examination, finding::Verdict};
use crate::access::{UsersError, edit};

/// How many users there are, or what keeps them out.
pub(super) fn count(examination: &Examination<'_>, path: &Path) -> Result<usize, Verdict> {
    let machine = examination.machine;
    let name = path.display();
    match edit::list(&machine.path(path)) {
        Ok(users) => match machine.metadata(path) {
            Some(metadata) if !examination.user.may(&metadata, 0o4) => {
                let user = &examination.user.name;
                Err(Verdict::error(
                    format!("rfbridge does not start: {user} may not read the users file {name}"),
                    format!("sudo chgrp {user} {name} && sudo chmod 640 {name}"),
                ))
            }
            _ => Ok(users.len()),
        },
        // It is there, but for others than who asks.
        Err(UsersError::Read { error, .. })
            if error.kind() == std::io::ErrorKind::PermissionDenied =>
        {
            Err(Verdict::ok(format!(
                "the users are in {name}, which not everybody may read"
            )))
        }
        Err(error) => {
            let text = error.to_string();
            let (what, fix) = text.rsplit_once("; ").unwrap_or((&text, "mend it"));
            Err(Verdict::error(
                format!("rfbridge does not start: {what}"),
                fix,
            ))
        }
    }
}
