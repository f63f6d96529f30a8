//! The target's keyboard layout, which can become another while clients are connected: firmware has the US layout,
//! whatever the system has that it starts.

use std::sync::Arc;

use tokio::sync::watch;

use super::keymap::{Layout, LayoutError};

/// What firmware and boot loaders have.
const FIRMWARE: &str = "us";
/// Layouts that many people have, by their XKB names.
const COMMON: [&str; 20] = [
    "gb", "de", "ch", "fr", "be", "es", "latam", "it", "pt", "br", "nl", "dk", "no", "se", "fi",
    "pl", "cz", "hu", "tr", "jp",
];

/// The layout by which characters become keys. Clones are the same one.
#[derive(Clone, Debug)]
pub struct TargetLayout {
    /// The one that was configured.
    own: Arc<str>,
    now: Arc<watch::Sender<Named>>,
}

/// A layout and its XKB name, with its variant in parentheses.
#[derive(Clone, Debug)]
pub struct Named {
    pub name: Arc<str>,
    pub layout: Arc<Layout>,
}

impl TargetLayout {
    pub fn new(name: &str, layout: impl Into<Arc<Layout>>) -> Self {
        let own: Arc<str> = name.into();
        let named = Named {
            name: Arc::clone(&own),
            layout: layout.into(),
        };
        Self {
            own,
            now: Arc::new(watch::Sender::new(named)),
        }
    }

    /// What it is now.
    pub fn now(&self) -> Named {
        self.now.borrow().clone()
    }

    /// What it becomes from now on.
    pub fn subscribe(&self) -> watch::Receiver<Named> {
        self.now.subscribe()
    }

    /// What people choose from: the configured one, the firmware's, and those that many have.
    pub fn choices(&self) -> Vec<Arc<str>> {
        let others = [FIRMWARE].into_iter().chain(COMMON);
        let others = others.filter(|name| **name != *self.own).map(Arc::from);
        std::iter::once(Arc::clone(&self.own))
            .chain(others)
            .collect()
    }

    /// Makes it the layout of this name. What is held on the target is let go of before the next key. Reads files.
    pub fn choose(&self, name: &str) -> Result<(), LayoutError> {
        let layout = Arc::new(Layout::xkb(name, "")?);
        tracing::info!(layout = name, "the target's keyboard layout is another one");
        let name = Arc::from(name);
        self.now.send_replace(Named { name, layout });
        Ok(())
    }
}

/// The US layout.
impl Default for TargetLayout {
    fn default() -> Self {
        Self::new(FIRMWARE, Layout::us())
    }
}
