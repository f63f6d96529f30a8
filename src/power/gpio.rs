//! GPIO lines, through the kernel's character devices.

use std::{path::Path, thread};

use gpiocdev::{Request, line::Value};

use crate::config::{Line, SHORT_PRESS};

const CONSUMER: &str = "rfbridge";

/// Makes the line active for its time. Blocks for as long.
pub(super) fn press(line: &Line) -> Result<(), String> {
    let request = builder(line).as_output(Value::Inactive).request();
    let request = request.map_err(|error| error.to_string())?;
    let set = |value| {
        let set = request.set_value(line.offset, value);
        set.map_err(|error| error.to_string())
    };
    set(Value::Active)?;
    thread::sleep(line.press.unwrap_or(SHORT_PRESS));
    set(Value::Inactive)
}

/// Whether the line is active.
pub(super) fn is_active(line: &Line) -> Result<bool, String> {
    let request = builder(line).as_input().request();
    let value = request.and_then(|request| request.value(line.offset));
    value
        .map(|value| value == Value::Active)
        .map_err(|error| error.to_string())
}

fn builder(line: &Line) -> gpiocdev::request::Builder {
    let mut builder = Request::builder();
    builder
        .on_chip(Path::new("/dev").join(&line.chip))
        .with_consumer(CONSUMER)
        .with_line(line.offset);
    if line.active_low {
        builder.as_active_low();
    }
    builder
}
