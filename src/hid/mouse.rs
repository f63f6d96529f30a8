//! Pointer events become absolute pointer reports.
//!
//! RFB says "the pointer is here and these buttons are down", wheel steps being buttons that are pressed and
//! released. HID has its own button order and relative wheel steps, so: a button is down while any client holds it,
//! a wheel step goes out when its bit appears, and where position and buttons change in one event the move
//! goes first, since a target may handle the buttons of a report before its position.

use std::collections::BTreeMap;

use rfb::geom::{Point, Size};

use super::{ClientId, Report, descriptor::ABSOLUTE_MAX};

/// The pointer of all clients together.
#[derive(Debug, Default)]
pub(super) struct Mouse {
    clients: BTreeMap<ClientId, Buttons>,
    /// Where the pointer was put last, in the descriptor's units.
    at: Option<(u16, u16)>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Buttons {
    /// The client's last mask as it came.
    raw: u16,
    /// The part of it that counts as down, in HID order.
    held: u8,
}

impl Mouse {
    /// A pointer event; `buttons` as in [`Input::Pointer`](super::Input::Pointer). Adds the reports that follow from it to `out`.
    pub(super) fn pointer(
        &mut self,
        client: ClientId,
        position: Point,
        size: Size,
        buttons: u16,
        out: &mut Vec<Report>,
    ) {
        let to = (
            scale(position.x, size.width),
            scale(position.y, size.height),
        );
        let before = self.buttons();
        let of_client = self.clients.entry(client).or_default();
        let appeared = buttons & !of_client.raw;
        of_client.raw = buttons;
        // Only an edge presses: a button held through an outage stays up until it is pressed again.
        of_client.held = (of_client.held | hid_buttons(appeared)) & hid_buttons(buttons);
        let after = self.buttons();
        let step = |positive: u16, negative: u16| {
            i8::from(appeared & positive != 0) - i8::from(appeared & negative != 0)
        };
        let (wheel, pan) = (step(1 << 3, 1 << 4), step(1 << 6, 1 << 5));
        if self.at != Some(to) {
            self.at = Some(to);
            out.push(Report::absolute(before, to.0, to.1, 0, 0));
        }
        if (after, wheel, pan) != (before, 0, 0) {
            out.push(Report::absolute(after, to.0, to.1, wheel, pan));
        }
    }

    /// A client is gone.
    pub(super) fn leave(&mut self, client: ClientId, out: &mut Vec<Report>) {
        let before = self.buttons();
        self.clients.remove(&client);
        if self.buttons() != before {
            out.extend(self.report());
        }
    }

    /// Forgets which buttons are held and where the pointer is, without a report: the target did not get it.
    pub(super) fn forget(&mut self) {
        for buttons in self.clients.values_mut() {
            buttons.held = 0;
        }
        self.at = None;
    }

    /// The report of this moment, without steps; `None` while the pointer's place is unknown.
    pub(super) fn report(&self) -> Option<Report> {
        let (x, y) = self.at?;
        Some(Report::absolute(self.buttons(), x, y, 0, 0))
    }

    fn buttons(&self) -> u8 {
        self.clients
            .values()
            .fold(0, |all, client| all | client.held)
    }
}

/// A pixel column or row as 0..=32767, clamped to the framebuffer: the first one is 0, the last one 32767.
///
/// Rounded up, so that a target that rounds down on its way back to pixels ends on the same pixel.
fn scale(pixel: u16, pixels: u16) -> u16 {
    let last = u32::from(pixels.saturating_sub(1));
    if last == 0 {
        return 0;
    }
    let pixel = u32::from(pixel).min(last);
    (pixel * u32::from(ABSOLUTE_MAX)).div_ceil(last) as u16
}

/// RFB's left, middle, right, then wheel, then back, forward, as HID's left, right, middle, back, forward.
fn hid_buttons(rfb: u16) -> u8 {
    let button = |from: u16, to: u8| if rfb & 1 << from != 0 { 1 << to } else { 0 };
    button(0, 0) | button(2, 1) | button(1, 2) | button(7, 3) | button(8, 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    const ONE: ClientId = ClientId(1);
    const TWO: ClientId = ClientId(2);
    const SCREEN: Size = Size::new(1920, 1080);

    fn pointer(mouse: &mut Mouse, client: ClientId, x: u16, y: u16, buttons: u16) -> Vec<Report> {
        let mut out = Vec::new();
        mouse.pointer(client, Point::new(x, y), SCREEN, buttons, &mut out);
        out
    }

    #[test]
    fn check_65_positions_are_clamped_and_wheel_steps_are_edges() {
        let mut mouse = Mouse::default();
        assert_eq!(
            pointer(&mut mouse, ONE, 0xffff, 0xffff, 0),
            [Report::absolute(0, 32767, 32767, 0, 0)]
        );
        let steps = |wheel, pan| [Report::absolute(0, 32767, 32767, wheel, pan)];
        for (bit, wheel, pan) in [(3, 1, 0), (4, -1, 0), (5, 0, -1), (6, 0, 1)] {
            assert_eq!(
                pointer(&mut mouse, ONE, 1919, 1079, 1 << bit),
                steps(wheel, pan)
            );
            assert_eq!(pointer(&mut mouse, ONE, 1919, 1079, 1 << bit), [], "held");
            assert_eq!(pointer(&mut mouse, ONE, 1919, 1079, 0), [], "released");
        }
    }

    #[test]
    fn the_move_goes_before_the_click() {
        let mut mouse = Mouse::default();
        assert_eq!(
            pointer(&mut mouse, ONE, 0, 1079, 1),
            [
                Report::absolute(0, 0, 32767, 0, 0),
                Report::absolute(1, 0, 32767, 0, 0)
            ]
        );
        assert_eq!(
            pointer(&mut mouse, ONE, 1919, 0, 0),
            [
                Report::absolute(1, 32767, 0, 0, 0),
                Report::absolute(0, 32767, 0, 0, 0)
            ]
        );
    }

    #[test]
    fn buttons_are_in_hid_order() {
        for (rfb, hid) in [(0, 1), (2, 2), (1, 4), (7, 8), (8, 16)] {
            let mut mouse = Mouse::default();
            let out = pointer(&mut mouse, ONE, 0, 0, 1 << rfb);
            assert_eq!(out.last(), Some(&Report::absolute(hid, 0, 0, 0, 0)));
        }
    }

    #[test]
    fn a_button_is_down_while_any_client_holds_it() {
        let mut mouse = Mouse::default();
        pointer(&mut mouse, ONE, 0, 0, 1);
        assert_eq!(pointer(&mut mouse, TWO, 0, 0, 1), []);
        let mut out = Vec::new();
        mouse.leave(ONE, &mut out);
        assert_eq!(out, []);
        assert_eq!(
            pointer(&mut mouse, TWO, 0, 0, 0),
            [Report::absolute(0, 0, 0, 0, 0)]
        );
    }

    #[test]
    fn a_forgotten_button_stays_up_until_pressed_again() {
        let mut mouse = Mouse::default();
        pointer(&mut mouse, ONE, 0, 0, 1);
        mouse.forget();
        assert_eq!(
            pointer(&mut mouse, ONE, 0, 0, 1),
            [Report::absolute(0, 0, 0, 0, 0)]
        );
        pointer(&mut mouse, ONE, 0, 0, 0);
        assert_eq!(
            pointer(&mut mouse, ONE, 0, 0, 1),
            [Report::absolute(1, 0, 0, 0, 0)]
        );
    }

    #[test]
    fn every_pixel_survives_the_way_to_the_target_and_back() {
        for pixels in [1_u16, 2, 640, 1024, 1366, 1920, 2560, 3840] {
            for pixel in 0..pixels {
                let x = u32::from(scale(pixel, pixels));
                let wide = u32::from(pixels);
                assert_eq!(x * (wide - 1) / 32767, u32::from(pixel), "of {pixels}");
                assert_eq!(x * wide / 32768, u32::from(pixel), "of {pixels}");
            }
        }
        assert_eq!(scale(5, 0), 0);
    }
}
