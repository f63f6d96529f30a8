//! A picture to draw on: fills, outlines and text. The slates and the demo target draw on it.
//!
//! Everything that lies outside is cut off, so no coordinate can do harm.

use std::convert::Infallible;

use embedded_graphics::{
    Drawable,
    draw_target::DrawTarget,
    geometry::{OriginDimensions, Point as DrawPoint, Size as DrawSize},
    mono_font::{MonoFont, MonoTextStyle, iso_8859_1},
    pixelcolor::{Rgb888, RgbColor},
    primitives::Rectangle,
    text::{Baseline, Text},
};
use rfb::{
    frame::{Frame, FrameSeq, Pixel},
    geom::{Rect, Size},
};

/// `0x00RRGGBB`.
pub type Colour = Pixel;

/// What rfbridge's own pictures are made of.
pub mod colours {
    use super::Colour;

    pub const BACKGROUND: Colour = 0x14_1a24;
    pub const CARD: Colour = 0x1f_2836;
    pub const ACCENT: Colour = 0xf2_a33c;
    pub const TITLE: Colour = 0xff_ffff;
    pub const TEXT: Colour = 0xc9_d2de;
    pub const FAINT: Colour = 0x8a_97a8;
}

/// A fixed-width Latin-1 font, enlarged by a whole factor.
#[derive(Clone, Copy)]
pub struct Font {
    mono: &'static MonoFont<'static>,
    scale: u16,
}

impl Font {
    pub const SMALL: Font = Font::of(&iso_8859_1::FONT_7X13);
    pub const BOLD: Font = Font::of(&iso_8859_1::FONT_9X18_BOLD);
    pub const NORMAL: Font = Font::of(&iso_8859_1::FONT_10X20);

    const fn of(mono: &'static MonoFont<'static>) -> Self {
        Self { mono, scale: 1 }
    }

    /// The same font with every dot drawn as a square of `scale` pixels.
    pub const fn scaled(self, scale: u16) -> Self {
        Self { scale, ..self }
    }

    /// Width of one character in pixels.
    pub const fn width(self) -> u16 {
        (self.mono.character_size.width + self.mono.character_spacing) as u16 * self.scale
    }

    /// Height of one line in pixels.
    pub const fn height(self) -> u16 {
        self.mono.character_size.height as u16 * self.scale
    }

    /// Width of `text` in pixels.
    pub fn text_width(self, text: &str) -> u16 {
        let characters = u16::try_from(text.chars().count()).unwrap_or(u16::MAX);
        characters.saturating_mul(self.width())
    }
}

/// A picture in the byte order blue, green, red, 0; rows top to bottom without padding.
#[derive(Clone, PartialEq, Eq)]
pub struct Canvas {
    size: Size,
    bytes: Vec<u8>,
}

impl Canvas {
    /// A black picture.
    pub fn new(size: Size) -> Self {
        Self {
            size,
            bytes: vec![0; size.area() * 4],
        }
    }

    pub fn size(&self) -> Size {
        self.size
    }

    /// Bytes from one row to the next.
    pub fn stride(&self) -> usize {
        usize::from(self.size.width) * 4
    }

    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// This picture as a frame.
    ///
    /// # Panics
    /// If the canvas is empty.
    pub fn to_frame(&self, seq: FrameSeq, previous: Option<&Frame>) -> Frame {
        Frame::from_bgrx(seq, self.size, &self.bytes, self.stride(), previous)
    }

    pub fn clear(&mut self, colour: Colour) {
        self.bytes.as_chunks_mut::<4>().0.fill(bgrx(colour));
    }

    /// Sets one pixel; outside the picture nothing happens.
    pub fn set(&mut self, x: i32, y: i32, colour: Colour) {
        let (Ok(x), Ok(y)) = (u16::try_from(x), u16::try_from(y)) else {
            return;
        };
        if x < self.size.width
            && let Some(pixel) = self.row_mut(y).get_mut(usize::from(x))
        {
            *pixel = bgrx(colour);
        }
    }

    pub fn fill(&mut self, rect: Rect, colour: Colour) {
        let rect = rect.intersection(self.size.rect());
        let columns = usize::from(rect.x)..usize::from(rect.x) + usize::from(rect.width);
        for y in rect.y..rect.y + rect.height {
            if let Some(pixels) = self.row_mut(y).get_mut(columns.clone()) {
                pixels.fill(bgrx(colour));
            }
        }
    }

    /// The pixels of row `y` from left to right; none below the picture.
    pub fn row_mut(&mut self, y: u16) -> &mut [[u8; 4]] {
        let start = usize::from(y) * self.stride();
        let end = start + self.stride();
        let row = self.bytes.get_mut(start..end).unwrap_or_default();
        row.as_chunks_mut::<4>().0
    }

    /// A frame of `thickness` pixels just inside `rect`.
    pub fn outline(&mut self, rect: Rect, thickness: u16, colour: Colour) {
        let (left, top) = (u32::from(rect.x), u32::from(rect.y));
        let (right, bottom) = (rect.right(), rect.bottom());
        let thickness = u32::from(thickness);
        let far_left = right.saturating_sub(thickness).max(left);
        let far_top = bottom.saturating_sub(thickness).max(top);
        for side in [
            (left, top, right, (top + thickness).min(bottom)),
            (left, far_top, right, bottom),
            (left, top, (left + thickness).min(right), bottom),
            (far_left, top, right, bottom),
        ] {
            self.fill(Rect::from_edges(side.0, side.1, side.2, side.3), colour);
        }
    }

    /// Writes one line with its top left corner at (`x`, `y`). Characters that are not Latin-1
    /// appear as `?`.
    pub fn text(&mut self, x: u16, y: u16, font: Font, colour: Colour, text: &str) {
        let shown: String = text.chars().map(latin1).collect();
        let style = MonoTextStyle::new(font.mono, rgb(colour));
        let text = Text::with_baseline(&shown, DrawPoint::zero(), style, Baseline::Top);
        let mut pen = Pen {
            canvas: self,
            left: i32::from(x),
            top: i32::from(y),
            scale: font.scale,
        };
        let Ok(_) = text.draw(&mut pen);
    }

    /// Writes one line into `rect`, centred; what does not fit is left out at the end.
    pub fn text_centred(&mut self, rect: Rect, font: Font, colour: Colour, text: &str) {
        let shown = fitting(text, usize::from(rect.width / font.width().max(1)));
        let x = rect.x + (rect.width - font.text_width(shown).min(rect.width)) / 2;
        let y = rect.y + rect.height.saturating_sub(font.height()) / 2;
        self.text(x, y, font, colour, shown);
    }
}

/// The first `columns` characters of `text`.
pub fn fitting(text: &str, columns: usize) -> &str {
    let end = text.char_indices().nth(columns).map(|(at, _)| at);
    text.get(..end.unwrap_or(text.len())).unwrap_or(text)
}

/// Breaks `text` at spaces, and words that are too long anywhere, into lines of at most `columns`
/// characters. Line breaks in the text stay.
pub fn wrap(text: &str, columns: usize) -> Vec<String> {
    let columns = columns.max(1);
    let mut lines = Vec::new();
    for paragraph in text.lines() {
        let mut line = String::new();
        let mut used = 0;
        for word in paragraph.split_whitespace() {
            let length = word.chars().count();
            if used > 0 && used + 1 + length > columns {
                lines.push(std::mem::take(&mut line));
                used = 0;
            }
            if used > 0 {
                line.push(' ');
                used += 1;
            }
            for character in word.chars() {
                if used == columns {
                    lines.push(std::mem::take(&mut line));
                    used = 0;
                }
                line.push(character);
                used += 1;
            }
        }
        lines.push(line);
    }
    lines
}

fn bgrx(colour: Colour) -> [u8; 4] {
    (colour & rfb::frame::RGB).to_le_bytes()
}

fn rgb(colour: Colour) -> Rgb888 {
    let [blue, green, red, _] = colour.to_le_bytes();
    Rgb888::new(red, green, blue)
}

fn from_rgb(colour: Rgb888) -> Colour {
    u32::from(colour.r()) << 16 | u32::from(colour.g()) << 8 | u32::from(colour.b())
}

fn latin1(character: char) -> char {
    match character {
        ' '..='~' | '\u{a0}'..='\u{ff}' => character,
        _ => '?',
    }
}

/// Draws at an offset, each dot as a square.
struct Pen<'a> {
    canvas: &'a mut Canvas,
    left: i32,
    top: i32,
    scale: u16,
}

impl OriginDimensions for Pen<'_> {
    fn size(&self) -> DrawSize {
        OriginDimensions::size(self.canvas)
    }
}

impl DrawTarget for Pen<'_> {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = embedded_graphics::Pixel<Rgb888>>,
    {
        let scale = i32::from(self.scale);
        for embedded_graphics::Pixel(at, colour) in pixels {
            let (x, y) = (self.left + at.x * scale, self.top + at.y * scale);
            let colour = from_rgb(colour);
            for row in y..y + scale {
                for column in x..x + scale {
                    self.canvas.set(column, row, colour);
                }
            }
        }
        Ok(())
    }
}

impl OriginDimensions for Canvas {
    fn size(&self) -> DrawSize {
        DrawSize::new(u32::from(self.size.width), u32::from(self.size.height))
    }
}

/// So that the shapes of embedded-graphics can be drawn as well.
impl DrawTarget for Canvas {
    type Color = Rgb888;
    type Error = Infallible;

    fn draw_iter<I>(&mut self, pixels: I) -> Result<(), Infallible>
    where
        I: IntoIterator<Item = embedded_graphics::Pixel<Rgb888>>,
    {
        for embedded_graphics::Pixel(at, colour) in pixels {
            self.set(at.x, at.y, from_rgb(colour));
        }
        Ok(())
    }

    fn fill_solid(&mut self, area: &Rectangle, colour: Rgb888) -> Result<(), Infallible> {
        let edge = |origin: i32, length: u32| {
            let far = i64::from(origin) + i64::from(length);
            u32::try_from(far.max(0)).unwrap_or(u32::MAX)
        };
        let rect = Rect::from_edges(
            edge(area.top_left.x, 0),
            edge(area.top_left.y, 0),
            edge(area.top_left.x, area.size.width),
            edge(area.top_left.y, area.size.height),
        );
        self.fill(rect, from_rgb(colour));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use embedded_graphics::primitives::{Circle, Primitive, PrimitiveStyle};

    use super::*;

    const SIZE: Size = Size::new(40, 30);

    /// The smallest rectangle around everything that is not black.
    fn drawn(canvas: &Canvas) -> Rect {
        let blank = Canvas::new(canvas.size()).to_frame(FrameSeq(0), None);
        let drawn = canvas.to_frame(FrameSeq(1), None);
        let mut all = Rect::EMPTY;
        blank.tiles().unwrap()[0].changes(&drawn.tiles().unwrap()[0], |rect| all = all.union(rect));
        all
    }

    #[test]
    fn fills_and_outlines_are_cut_at_the_edges() {
        let mut canvas = Canvas::new(SIZE);
        canvas.fill(Rect::new(35, 28, 65535, 65535), 0xff_1122);
        assert_eq!(drawn(&canvas), Rect::new(35, 28, 5, 2));
        assert_eq!(
            canvas.bytes()[canvas.bytes().len() - 4..],
            [0x22, 0x11, 0xff, 0]
        );

        canvas.clear(0);
        canvas.outline(Rect::new(3, 4, 10, 6), 2, 0xffffff);
        assert_eq!(drawn(&canvas), Rect::new(3, 4, 10, 6));
        canvas.fill(Rect::new(5, 6, 6, 2), 0);
        let lit = canvas.bytes().iter().filter(|b| **b == 0xff).count() / 3;
        assert_eq!(lit, 10 * 6 - 6 * 2);
    }

    #[test]
    fn shapes_and_pixels_outside_do_nothing() {
        let mut canvas = Canvas::new(SIZE);
        for (x, y) in [(-1, 0), (0, -1), (40, 0), (0, 30), (i32::MAX, i32::MIN)] {
            canvas.set(x, y, 0xffffff);
        }
        assert_eq!(drawn(&canvas), Rect::EMPTY);
        let style = PrimitiveStyle::with_fill(Rgb888::new(1, 2, 3));
        let Ok(()) = Circle::new(DrawPoint::new(-10, -10), 20)
            .into_styled(style)
            .draw(&mut canvas);
        assert_eq!(canvas.bytes()[..4], [3, 2, 1, 0]);
        assert_eq!(drawn(&canvas).x, 0);
    }

    #[test]
    fn text_is_placed_scaled_and_cut() {
        let mut canvas = Canvas::new(Size::new(60, 60));
        canvas.text(10, 5, Font::NORMAL, 0xffffff, "H");
        let once = drawn(&canvas);
        assert!(Rect::new(10, 5, 10, 20).contains(once) && once.width > 4);
        canvas.clear(0);
        canvas.text(10, 5, Font::NORMAL.scaled(2), 0xffffff, "H");
        let twice = drawn(&canvas);
        assert_eq!(
            (twice.width, twice.height),
            (once.width * 2, once.height * 2)
        );
        canvas.text(55, 55, Font::NORMAL.scaled(3), 0xffffff, "wide and low");
        canvas.text(65535, 65535, Font::NORMAL, 0xffffff, "x");
    }

    #[test]
    fn what_is_not_latin1_is_a_question_mark() {
        let picture = |text: &str| {
            let mut canvas = Canvas::new(Size::new(100, 20));
            canvas.text(0, 0, Font::NORMAL, 0xffffff, text);
            canvas
        };
        assert!(picture("a日\nж\u{7}b") == picture("a????b"));
        assert!(picture("ä") != picture("?"));
    }

    #[test]
    fn wrapping_keeps_every_character_within_the_columns() {
        assert_eq!(
            wrap("one two three", 7),
            ["one two".to_owned(), "three".to_owned()]
        );
        assert_eq!(wrap("a\n\nb", 5), ["a", "", "b"]);
        assert_eq!(wrap("abcdefghij kl", 4), ["abcd", "efgh", "ij", "kl"]);
        assert_eq!(wrap("äöü", 0), ["ä", "ö", "ü"]);
        assert_eq!(fitting("äöü", 2), "äö");
        assert_eq!(fitting("äöü", 9), "äöü");
    }
}
