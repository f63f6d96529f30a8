//! What the client's clipboard holds, as far as it tells. Nothing is taken from it that nobody asked for.

use crate::error::Error;
use crate::msg::clipboard::{self, Clipboard, Extended};

/// The Extended Clipboard on the server's side.
#[derive(Debug)]
pub(super) struct ClientClipboard {
    /// Whether the client was told that extended messages are understood.
    offered: bool,
    /// Whether the client has text that it may be asked for.
    has_text: bool,
    gives_text: bool,
}

impl Default for ClientClipboard {
    fn default() -> Self {
        Self {
            offered: false,
            has_text: false,
            // Until the client says otherwise.
            gives_text: true,
        }
    }
}

impl ClientClipboard {
    /// Tells what is understood; to be done after each SetEncodings that lists the extension (check 57).
    pub(super) fn offer(&mut self, out: &mut Vec<u8>) {
        self.offered = true;
        clipboard::caps(out);
    }

    /// Takes the text of a plain CutText.
    pub(super) fn plain(&mut self, clipboard: Clipboard) -> Clipboard {
        self.has_text = false;
        clipboard
    }

    /// Takes an extended message; gives what the clipboard holds now if that is news. Where the extension was not
    /// offered it is passed over.
    pub(super) fn extended(
        &mut self,
        message: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Clipboard>, Error> {
        if !self.offered {
            return Ok(None);
        }
        Ok(match Extended::read(message)? {
            Extended::Caps { gives_text } => {
                self.gives_text = gives_text;
                None
            }
            Extended::Asks => {
                clipboard::notify_nothing(out);
                None
            }
            Extended::Has(clipboard) => {
                match &clipboard {
                    Clipboard::Announced => self.has_text = true,
                    Clipboard::Empty => self.has_text = false,
                    // May be asked for again.
                    Clipboard::Text(_) | Clipboard::TooLong => {}
                }
                Some(clipboard)
            }
            Extended::Other => None,
        })
    }

    /// Asks for text that was announced; false if there is none.
    pub(super) fn request(&mut self, out: &mut Vec<u8>) -> bool {
        let asks = self.has_text && self.gives_text;
        if asks {
            clipboard::request(out);
        }
        asks
    }
}
