//! What a capture device offers, without streaming from it.

use std::path::Path;

use super::{device::Device, mode, reason};
use crate::source::{SourceError, Wishes};

/// A video node as it describes itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// How many modes of formats that can be shown; none is a node that encodes, decodes or carries metadata.
    pub modes: usize,
    /// All of them, such as `MJPEG 1920x1080@30/25; YUYV 640x480@30`.
    pub offers: String,
    /// The mode that would be taken, such as `MJPEG 1920x1080@30`, or why none can be.
    pub chosen: Result<String, String>,
}

/// Asks the node, which may be streaming for somebody else meanwhile. Nothing is set.
///
/// # Errors
/// Why it cannot be asked, and what to do.
pub fn describe(path: &Path, wishes: Wishes) -> Result<Description, SourceError> {
    let failed = |doing: &'static str| {
        move |error: std::io::Error| SourceError::Lost(reason(path, doing, &error))
    };
    let device = Device::open(path).map_err(failed("opened"))?;
    let modes = if device.is_capture().map_err(failed("used"))? {
        device.modes(wishes).map_err(failed("used"))?
    } else {
        Vec::new()
    };
    Ok(Description {
        modes: modes.len(),
        offers: mode::list(&modes),
        chosen: mode::choose(&modes, wishes).map(|mode| mode::list(&[mode])),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_video_device_is_not_described() {
        let error = describe(Path::new("/dev/null"), Wishes::default()).unwrap_err();
        assert!(
            error.to_string().contains("is not a video device"),
            "{error}"
        );
    }
}
