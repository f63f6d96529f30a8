//! Programs that switch the target: a PDU's, IPMI's, a script of one's own.

use std::{process::Stdio, time::Duration};

use tokio::{
    io::AsyncReadExt as _,
    process::{Child, Command},
    time::timeout,
};

use super::{Action, PowerError};

/// Bytes of what a program that failed said.
const OUTPUT: u64 = 400;
/// Time to say it, after its end: what it left running may hold its output open.
const LAST_WORDS: Duration = Duration::from_millis(200);

/// Runs it to its end, with `RFBRIDGE_POWER_ACTION` in its environment; kills it, and all that it started, when its time is over.
pub(super) async fn run(
    words: &[String],
    action: Action,
    limit: Duration,
) -> Result<(), PowerError> {
    let Some((program, arguments)) = words.split_first() else {
        return Err(PowerError::NotSetUp(action));
    };
    let mut child = Command::new(program)
        .args(arguments)
        .env("RFBRIDGE_POWER_ACTION", action.name())
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .process_group(0)
        .spawn()
        .map_err(|error| PowerError::Start {
            program: program.clone(),
            error,
        })?;
    let status = match timeout(limit, child.wait()).await {
        Ok(status) => status.map_err(|error| PowerError::Start {
            program: program.clone(),
            error,
        })?,
        Err(_) => {
            kill(&mut child).await;
            return Err(PowerError::TimedOut {
                program: program.clone(),
                after: limit,
            });
        }
    };
    if status.success() {
        return Ok(());
    }
    Err(PowerError::Failed {
        program: program.clone(),
        status,
        output: last_words(child).await,
    })
}

async fn kill(child: &mut Child) {
    if let Some(group) = child.id().and_then(|id| i32::try_from(id).ok()) {
        // SAFETY: a signal to the group of a child of ours that was not waited for yet.
        unsafe { libc::kill(-group, libc::SIGKILL) };
    }
    let _ = child.wait().await;
}

/// What it said at the end, in one line.
async fn last_words(child: Child) -> String {
    let mut output = Vec::new();
    if let Some(errors) = child.stderr {
        let _ = timeout(LAST_WORDS, errors.take(OUTPUT).read_to_end(&mut output)).await;
    }
    let text = String::from_utf8_lossy(&output);
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
