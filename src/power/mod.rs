//! The target's power: a press of its buttons over GPIO lines, Wake-on-LAN, or a command; and its LED.
//!
//! One action at a time. An action that has begun is not cut short by who asked for it going away, so a button is never held for longer
//! than its time; when the program ends, the kernel lets go of the line.

mod command;
mod gpio;
mod wake;

use std::{io, sync::Arc, time::Duration};

use tokio::{
    sync::Semaphore,
    task::{JoinError, spawn_blocking},
};

pub use crate::config::PowerAction as Action;
use crate::config::{self, Role, Way};

/// Switches the target on and off. Clones are the same.
#[derive(Clone, Debug)]
pub struct Power {
    settings: Arc<config::Power>,
    turn: Arc<Semaphore>,
}

/// Why something was not done.
#[derive(Debug, thiserror::Error)]
pub enum PowerError {
    #[error("`{0}` is not set up; name in [power] how it is done")]
    NotSetUp(Action),
    #[error("another power action is going on; try again")]
    Busy,
    #[error("{line}: {error}; is the line there, free, and may this user use it (group gpio)?")]
    Line { line: String, error: String },
    #[error("cannot send the Wake-on-LAN packet to {to}: {error}")]
    Wake {
        to: std::net::SocketAddr,
        error: io::Error,
    },
    #[error("cannot run {program}: {error}")]
    Start { program: String, error: io::Error },
    #[error("{program} failed ({status}){}", said(.output))]
    Failed {
        program: String,
        status: std::process::ExitStatus,
        output: String,
    },
    #[error("{program} was not done after {} s and was killed (`timeout` of [power])", .after.as_secs())]
    TimedOut { program: String, after: Duration },
    #[error("rfbridge has a fault: {0}")]
    Fault(#[from] JoinError),
}

fn said(output: &str) -> String {
    match output {
        "" => String::new(),
        output => format!(": {output}"),
    }
}

impl Power {
    /// `None` if nothing can be done, and nothing seen.
    pub fn new(settings: config::Power) -> Option<Self> {
        let power = Self {
            settings: Arc::new(settings),
            turn: Arc::new(Semaphore::new(1)),
        };
        let is_of_use = !power.actions().is_empty() || power.settings.led.is_some();
        is_of_use.then_some(power)
    }

    /// What can be done.
    pub fn actions(&self) -> Vec<Action> {
        let set_up = |action: &Action| self.settings.way(*action).is_some();
        Action::ALL.into_iter().filter(set_up).collect()
    }

    /// The least role that may ask for it.
    pub fn role(&self) -> Role {
        self.settings.role
    }

    /// Whether the target is on, where its LED can be seen.
    pub fn is_on(&self) -> Option<bool> {
        let led = self.settings.led.as_ref()?;
        gpio::is_active(led)
            .inspect_err(|error| tracing::debug!(line = %led, %error, "the power LED is not seen"))
            .ok()
    }

    /// Does it, for `who`; goes on to its end even if this is dropped.
    pub async fn perform(&self, action: Action, who: &str) -> Result<(), PowerError> {
        let (power, asker) = (self.clone(), who.to_owned());
        let done = tokio::spawn(async move { power.perform_now(action, &asker).await });
        done.await?
    }

    async fn perform_now(&self, action: Action, who: &str) -> Result<(), PowerError> {
        let result = self.work(action).await;
        match &result {
            Ok(()) => tracing::info!(target: "audit", %action, by = who, "power"),
            Err(error) => {
                let reason = error.to_string();
                tracing::warn!(target: "audit", %action, by = who, reason, "power not done");
            }
        }
        result
    }

    async fn work(&self, action: Action) -> Result<(), PowerError> {
        let way = self.settings.way(action);
        let way = way.ok_or(PowerError::NotSetUp(action))?;
        let turn = Arc::clone(&self.turn).try_acquire_owned();
        let _turn = turn.map_err(|_| PowerError::Busy)?;
        match way {
            Way::Line(line) => {
                spawn_blocking(move || {
                    gpio::press(&line).map_err(|error| PowerError::Line {
                        line: line.to_string(),
                        error,
                    })
                })
                .await?
            }
            Way::Wake { mac, to } => {
                let sent = spawn_blocking(move || wake::send(mac, to)).await?;
                sent.map_err(|error| PowerError::Wake { to, error })
            }
            Way::Command(words) => {
                command::run(&words, action, self.settings.timeout.duration()).await
            }
        }
    }
}

#[cfg(test)]
mod tests;
