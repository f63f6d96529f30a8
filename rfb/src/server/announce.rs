//! What a client is told once: that an extension works here, and what changed beside the picture.

use super::pointer::{Pointer, PointerMode};
use super::wants::Wants;
use crate::geom::Rect;
use crate::msg::server::LedState;
use crate::msg::{pseudo, server};

/// Pseudo-rectangles that ride at the end of an update.
#[derive(Debug, Default)]
pub(super) struct PseudoRects {
    pub(super) count: u16,
    pub(super) bytes: Vec<u8>,
}

impl PseudoRects {
    pub(super) fn is_empty(&self) -> bool {
        self.count == 0
    }

    fn add(&mut self, write: impl FnOnce(&mut Vec<u8>)) {
        self.count += 1;
        write(&mut self.bytes);
    }
}

/// What this client has been told. A repeated announcement makes some clients ask for the whole
/// picture again, for ever (gtk-vnc, UltraVNC), so each is made once per connection or change.
#[derive(Debug, Default)]
pub(super) struct Told {
    pub(super) extended_keys: bool,
    pub(super) extended_buttons: bool,
    pub(super) pointer: Pointer,
    pub(super) desktop: bool,
    /// Whether there were pixels already.
    pub(super) pixels: bool,
    pub(super) xvp: bool,
    pub(super) fence: bool,
    pub(super) continuous_updates: bool,
    leds: Option<LedState>,
}

/// What there is to tell.
#[derive(Debug, Default)]
pub(super) struct News {
    pub(super) leds: Option<LedState>,
    /// A desktop name that this client has not seen.
    pub(super) name: Option<String>,
}

impl Told {
    pub(super) fn new(pointer: PointerMode) -> Self {
        Self {
            pointer: Pointer::new(pointer),
            ..Self::default()
        }
    }

    /// What this client wants to know and was not told, marked as told. [`PseudoRects`] left over from an
    /// update that was not sent come first.
    pub(super) fn announce(
        &mut self,
        wants: &Wants,
        news: &mut News,
        left_over: PseudoRects,
    ) -> PseudoRects {
        let mut rects = left_over;
        if once(wants.extended_keys, &mut self.extended_keys) {
            rects.add(|out| server::rectangle(out, Rect::EMPTY, pseudo::EXTENDED_KEY_EVENT));
        }
        if once(wants.extended_buttons, &mut self.extended_buttons) {
            rects.add(|out| server::rectangle(out, Rect::EMPTY, pseudo::EXTENDED_MOUSE_BUTTONS));
        }
        if wants.pointer_motion
            && let Some(change) = self.pointer.announce()
        {
            rects.add(change);
        }
        if let Some(leds) = news.leds.filter(|leds| self.leds != Some(*leds)) {
            if wants.led_state {
                rects.add(|out| server::led_state(out, leds));
                self.leds = Some(leds);
            } else if wants.vmware_led_state {
                rects.add(|out| server::vmware_led_state(out, leds));
                self.leds = Some(leds);
            }
        }
        if wants.desktop_name
            && let Some(name) = news.name.take()
        {
            rects.add(|out| server::desktop_name(out, &name));
        }
        rects
    }
}

/// Whether something that is wanted has to be told now; it counts as told from then on.
fn once(wanted: bool, told: &mut bool) -> bool {
    let now = wanted && !*told;
    *told |= wanted;
    now
}
