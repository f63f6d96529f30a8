//! `rfbridge connect`: has the running server call a viewer that listens.

use std::{
    io::{self, Write as _},
    process::ExitCode,
    time::Duration,
};

use tokio::{runtime::Builder, time::sleep};

use super::control_socket::places;
use super::ctl::{self, CtlError};
use crate::{
    cli::ConnectOptions,
    control::{Client, Reply, Request},
};

/// The server gives up a call sooner.
const CALL: Duration = Duration::from_secs(30);
/// Between two calls: after the first failure, and at most.
const PAUSES: (u64, u64) = (1, 30);

/// Runs the command until the viewer has answered.
pub(super) fn main(options: &ConnectOptions) -> ExitCode {
    ctl::exit(run(options))
}

fn run(options: &ConnectOptions) -> Result<(), CtlError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(CtlError::Broken)?;
    runtime.block_on(async {
        let request = Request::Connect {
            viewer: options.viewer.clone(),
        };
        let mut pause = PAUSES.0;
        loop {
            // Anew each time: the server may have been started again meanwhile.
            let mut client = Client::connect(&places(options.socket.as_deref())?).await?;
            let reply: Reply = ctl::ask_patiently(&mut client, &request, CALL).await?;
            match reply.error {
                None => {
                    super::write_out(&format!("connected to {}\n", options.viewer))?;
                    return Ok(());
                }
                Some(error) if options.once => return Err(CtlError::Server(error)),
                Some(error) => {
                    let _ = writeln!(io::stderr(), "rfbridge: {error} Trying again in {pause} s.");
                    sleep(Duration::from_secs(pause)).await;
                    pause = (pause * 2).min(PAUSES.1);
                }
            }
        }
    })
}
