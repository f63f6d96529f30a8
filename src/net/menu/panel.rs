//! What the menu looks like.

use std::sync::{Arc, OnceLock};

use rfb::{
    frame::{
        Frame, Pixel,
        overlay::{self, Patch},
    },
    geom::{Point, Rect, Size},
};

use crate::video::canvas::{Canvas, Font, colours, fitting, wrap};

/// What is written on a panel.
#[derive(Clone, Debug, Default)]
pub(super) struct Text {
    pub(super) title: String,
    /// Each with the letter that is pressed for it.
    pub(super) rows: Vec<(Option<char>, String)>,
    pub(super) foot: &'static str,
}

/// A panel in the middle of a screen.
pub(super) struct Panel {
    text: Text,
    marked: Option<usize>,
    screen: Size,
    font: Font,
    place: Rect,
    /// The first row that is shown, and how many are.
    first: usize,
    shown: usize,
    pixels: OnceLock<Vec<Pixel>>,
}

/// Columns for a row's letter and the space behind it.
const LETTER: usize = 4;

impl Panel {
    pub(super) fn new(text: Text, marked: Option<usize>, screen: Size) -> Self {
        let font = font(screen);
        let longest = |text: &str, columns: usize| text.chars().count() + columns;
        let rows = text.rows.iter().map(|(_, label)| longest(label, LETTER));
        let columns = rows
            .chain([longest(&text.title, 0), longest(text.foot, 0)])
            .max()
            .unwrap_or(0);
        let columns = u16::try_from(columns).unwrap_or(u16::MAX);
        let width = columns
            .saturating_mul(font.width())
            .saturating_add(2 * side(font));
        let width = width.min(screen.width);

        let around = around(font, &text);
        let fit = usize::from(screen.height.saturating_sub(around) / row_height(font)).max(1);
        let shown = text.rows.len().min(fit);
        let first = marked.map_or(0, |marked| (marked + 1).saturating_sub(shown));
        let rows = u16::try_from(shown).unwrap_or(u16::MAX);
        let height = rows.saturating_mul(row_height(font)).saturating_add(around);
        let height = height.min(screen.height);
        Self {
            text,
            marked,
            screen,
            font,
            place: Rect::new(
                (screen.width - width) / 2,
                (screen.height - height) / 2,
                width,
                height,
            ),
            first,
            shown,
            pixels: OnceLock::new(),
        }
    }

    /// A message without anything to choose.
    pub(super) fn note(message: &str, screen: Size) -> Self {
        let font = font(screen);
        let room = screen.width.saturating_sub(4 * side(font)) / font.width();
        let columns = usize::from(room).min(48).saturating_sub(LETTER);
        let lines = wrap(message, columns);
        let text = Text {
            title: "rfbridge".to_owned(),
            rows: lines.into_iter().map(|line| (None, line)).collect(),
            foot: "",
        };
        Self::new(text, None, screen)
    }

    pub(super) fn contains(&self, point: Point) -> bool {
        self.place.contains(Rect::new(point.x, point.y, 1, 1))
    }

    /// The row at this point of the screen.
    pub(super) fn row_at(&self, point: Point) -> Option<usize> {
        let inside = (0..self.shown).find(|index| {
            let row = self.row(*index);
            let on_screen = Rect::new(
                self.place.x + row.x,
                self.place.y + row.y,
                row.width,
                row.height,
            );
            on_screen.contains(Rect::new(point.x, point.y, 1, 1))
        });
        inside.map(|index| self.first + index)
    }

    /// Where a row that is shown lies in the panel.
    fn row(&self, index: usize) -> Rect {
        let height = row_height(self.font);
        let above = u16::try_from(index)
            .unwrap_or(u16::MAX)
            .saturating_mul(height);
        Rect::new(
            0,
            head(self.font).saturating_add(above),
            self.place.width,
            height,
        )
    }

    fn draw(&self) -> Canvas {
        let size = self.place.size();
        let mut canvas = Canvas::new(size);
        canvas.clear(colours::CARD);
        let (font, pad, side) = (self.font, pad(self.font), side(self.font));
        let line = (font.height() / 10).max(1);
        let columns = usize::from(size.width.saturating_sub(2 * side) / font.width());
        canvas.fill(
            Rect::new(0, 0, size.width, head(font) - pad / 2),
            colours::BACKGROUND,
        );
        let title = fitting(&self.text.title, columns);
        canvas.text(side, pad / 2, font, colours::TITLE, title);

        let rows = self
            .text
            .rows
            .iter()
            .enumerate()
            .skip(self.first)
            .take(self.shown);
        let has_letters = self.text.rows.iter().any(|(letter, _)| letter.is_some());
        for (place, (index, (letter, label))) in rows.enumerate() {
            let row = self.row(place);
            let (ink, key) = match Some(index) == self.marked {
                true => {
                    canvas.fill(row, colours::ACCENT);
                    (colours::BACKGROUND, colours::BACKGROUND)
                }
                false => (colours::TEXT, colours::ACCENT),
            };
            let top = row.y + (row.height - font.height()) / 2;
            let mut left = side;
            if let Some(letter) = letter {
                let cap = Rect::new(left, row.y + line, font.width() * 2, row.height - 2 * line);
                canvas.outline(cap, line, key);
                canvas.text_centred(cap, font, key, &letter.to_uppercase().to_string());
            }
            if has_letters {
                left += font.width() * 4;
            }
            let room = usize::from(size.width.saturating_sub(left + side) / font.width());
            canvas.text(left, top, font, ink, fitting(label, room));
        }
        let below = self.row(self.shown).y + pad / 2;
        canvas.text(
            side,
            below,
            font,
            colours::FAINT,
            fitting(self.text.foot, columns),
        );
        canvas.outline(size.rect(), line, colours::ACCENT);
        canvas
    }
}

/// `frame` with the panel over it that is kept in `kept`, made anew where there is none for a screen of this size.
pub(super) fn over(
    kept: &mut Option<Arc<Panel>>,
    frame: &Frame,
    make: impl FnOnce(Size) -> Panel,
) -> Frame {
    let size = frame.size();
    let known = kept.take().filter(|panel| panel.screen == size);
    let panel = known.unwrap_or_else(|| Arc::new(make(size)));
    *kept = Some(Arc::clone(&panel));
    overlay::over(frame, panel)
}

impl Patch for Panel {
    fn place(&self) -> Rect {
        self.place
    }

    fn pixels(&self) -> &[Pixel] {
        self.pixels.get_or_init(|| {
            let canvas = self.draw();
            let pixels = canvas.bytes().as_chunks::<4>().0.iter();
            pixels.map(|bytes| Pixel::from_le_bytes(*bytes)).collect()
        })
    }
}

/// Viewers shrink a large screen to fit their window, so the letters grow with the screen.
fn font(screen: Size) -> Font {
    match (screen.width / 960).min(screen.height / 540) {
        0 if screen.width < 480 || screen.height < 360 => Font::SMALL,
        0 => Font::NORMAL,
        scale => Font::NORMAL.scaled(scale),
    }
}

/// What is free at both sides.
fn side(font: Font) -> u16 {
    font.width() * 3 / 2
}

/// What is free between the rows and the rest.
fn pad(font: Font) -> u16 {
    font.height() / 2
}

fn row_height(font: Font) -> u16 {
    font.height() + font.height() / 4
}

/// What lies above the rows: the title.
fn head(font: Font) -> u16 {
    font.height() + pad(font) + pad(font) / 2
}

/// What lies above and below the rows.
fn around(font: Font, text: &Text) -> u16 {
    let foot = match text.foot {
        "" => pad(font) / 2,
        _ => font.height() + pad(font),
    };
    head(font) + foot
}
