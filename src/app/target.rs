//! What is controlled: the simulated target, or the one at the capture device and the gadget.

use std::path::Path;

use tokio::sync::watch;

use super::StartError;
use crate::{
    config::{self, Config},
    demo::{self, DemoOptions, Descriptors},
    hid::{
        Leds, TargetLayout,
        keymap::Layout as KeyboardLayout,
        sink::{Function, GadgetNodes, GadgetSink, NullSink, Place, Sink, udc},
    },
    source::{self, Opener, Wishes},
    video::Layout,
};

/// What is controlled: where its screen comes from and where reports go.
pub(super) struct Target {
    pub(super) opener: Box<dyn Opener>,
    pub(super) sink: Box<dyn Sink>,
    pub(super) leds: watch::Receiver<Option<Leds>>,
    pub(super) layout: TargetLayout,
    /// Where the USB device controllers are, if one leads to it.
    pub(super) controllers: Option<&'static Path>,
}

pub(super) fn demo_target(config: &Config) -> Result<Target, StartError> {
    let mut options = DemoOptions::default();
    if let Some(size) = config.size {
        options.size = size.0;
    }
    if let Some(fps) = config.fps {
        options.fps = fps.per_second().into();
    }
    let descriptors = Descriptors {
        keyboard: Function::Keyboard.descriptor().report,
        absolute: Function::Absolute.descriptor().report,
        relative: Function::Relative.descriptor().report,
        consumer: Function::Consumer.descriptor().report,
    };
    let (sender, leds) = watch::channel(None);
    let (opener, sink) = demo::start(options, &descriptors, sender)?;
    Ok(Target {
        opener: Box::new(opener),
        sink: Box::new(sink),
        leds,
        layout: TargetLayout::default(),
        controllers: None,
    })
}

pub(super) fn keyboard_layout(config: &Config) -> Result<TargetLayout, StartError> {
    let config::Keyboard {
        layout, variant, ..
    } = &config.keyboard;
    let name = match &**variant {
        "" => layout.clone(),
        variant => format!("{layout}({variant})"),
    };
    Ok(TargetLayout::new(
        &name,
        KeyboardLayout::xkb(layout, variant)?,
    ))
}

pub(super) fn real_target(config: &Config) -> Result<Target, StartError> {
    let layout = keyboard_layout(config)?;
    let wishes = Wishes {
        format: config.format.map(Layout::from),
        size: config.size.map(|size| size.0),
        fps: config.fps.map(|fps| fps.per_second().into()),
    };
    if wishes.format.is_some() && matches!(config.source, config::Source::Replay(_)) {
        tracing::warn!(source = %config.source, "`format` says nothing to this source, only to v4l and pipe");
    }
    let opener = source::opener(&config.source, wishes);
    let (sender, leds) = watch::channel(None);
    let sink: Box<dyn Sink> = match config.sink {
        config::Sink::Null => Box::new(NullSink),
        config::Sink::Gadget => {
            let functions = config.gadget.functions().map(|(_, function)| function);
            let nodes = Function::ALL.into_iter().zip(functions);
            let nodes = nodes.filter_map(|(function, set)| {
                let place = match set {
                    config::Function::Auto => Place::Auto,
                    config::Function::None => return None,
                    config::Function::Device(path) => Place::Path(path.clone()),
                };
                Some((function, place))
            });
            Box::new(GadgetSink::new(GadgetNodes::new(nodes), sender))
        }
    };
    tracing::info!(source = %config.source, sink = %config.sink, "serving");
    Ok(Target {
        opener,
        sink,
        leds,
        layout,
        controllers: (config.sink == config::Sink::Gadget).then(|| Path::new(udc::CONTROLLERS)),
    })
}
