//! Where everything on the target's screen is, for drawing and for clicks alike.

use rfb::geom::{Point, Rect, Size};

use super::menu::{Menu, Page};
use crate::video::canvas::Font;

pub(super) const ROW: u16 = 26;
const TITLE: u16 = 32;
const TABS: u16 = 30;
const STATUS: u16 = 34;
const FOOTER: u16 = 28;
const MARGIN: u16 = 10;
/// Between a panel's edge and what is in it.
const PADDING: u16 = 14;
const FIELD: u16 = 32;
/// Where values start, from the left edge of the items.
pub(super) const VALUE_COLUMN: u16 = 190;
pub(super) const LOG_LINE: u16 = 15;

/// What can be clicked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Hit {
    Tab(Page),
    Item(usize),
    /// An entry of the open list.
    Entry(usize),
    /// Anything else while a list is open.
    BesideList,
}

pub(super) struct Layout {
    pub(super) title: Rect,
    pub(super) tabs: Rect,
    pub(super) tab: [Rect; Page::ALL.len()],
    /// Between the tabs and the status line.
    pub(super) body: Rect,
    /// The page itself.
    pub(super) page: Rect,
    /// Help, at the right; empty on pages without.
    pub(super) help: Rect,
    pub(super) status: Rect,
    pub(super) footer: Rect,
    /// One for each of the menu's items.
    pub(super) items: Vec<Rect>,
    /// Below the items.
    pub(super) rest: Rect,
    pub(super) popup: Option<PopupLayout>,
}

pub(super) struct PopupLayout {
    pub(super) frame: Rect,
    pub(super) entries: Vec<Rect>,
}

impl Layout {
    pub(super) fn new(size: Size, menu: &Menu) -> Self {
        let width = size.width;
        let title = Rect::new(0, 0, width, TITLE);
        let tabs = Rect::new(0, TITLE, width, TABS);
        let footer = Rect::new(0, size.height.saturating_sub(FOOTER), width, FOOTER);
        let status = Rect::new(0, footer.y.saturating_sub(STATUS), width, STATUS);
        let top = TITLE + TABS;
        let body = Rect::new(0, top, width, status.y.saturating_sub(top));

        let mut x = MARGIN;
        let tab = Page::ALL.map(|page| {
            let wide = Font::NORMAL.text_width(page.title()) + 32;
            let rect = Rect::new(x, TITLE, wide, TABS);
            x += wide;
            rect
        });

        let has_help = matches!(menu.page(), Page::Main | Page::Boot);
        let inner = inset(body, MARGIN);
        let help_width = if has_help {
            (width * 3 / 10).max(200)
        } else {
            0
        };
        let help = Rect {
            x: inner.x + inner.width - help_width,
            width: help_width,
            ..inner
        };
        let gap = if has_help { MARGIN } else { 0 };
        let page = Rect {
            width: inner.width - help_width - gap,
            ..inner
        };

        let mut y = page.y + PADDING;
        let column = |y: u16, height: u16| Rect {
            x: page.x + PADDING,
            y,
            width: page.width.saturating_sub(2 * PADDING),
            height,
        };
        let items = (0..menu.item_count()).map(|item| {
            let is_field = item == 0 && matches!(menu.page(), Page::Main | Page::Text);
            let rect = column(y, if is_field { FIELD } else { ROW });
            y += rect.height + if is_field { 8 } else { 0 };
            rect
        });
        let items: Vec<Rect> = items.collect();
        y += MARGIN;
        let bottom = (page.y + page.height).saturating_sub(PADDING);
        let rest = column(y, bottom.saturating_sub(y));

        let popup = menu.popup().and_then(|popup| {
            let choice = menu.choice(popup.item)?;
            let longest = choice.values.iter().map(|v| v.len()).max().unwrap_or(0);
            let wide = Font::NORMAL.width() * longest.max(choice.label.len()) as u16 + 64;
            let high = ROW * choice.values.len() as u16 + 32 + 16;
            let frame = Rect::new(
                page.x + page.width.saturating_sub(wide) / 2,
                body.y + body.height.saturating_sub(high) / 2,
                wide,
                high,
            );
            let entries = (0..choice.values.len() as u16).map(|entry| Rect {
                x: frame.x + 8,
                y: frame.y + 32 + 8 + entry * ROW,
                width: wide - 16,
                height: ROW,
            });
            let entries = entries.collect();
            Some(PopupLayout { frame, entries })
        });
        Self {
            title,
            tabs,
            tab,
            body,
            page,
            help,
            status,
            footer,
            items,
            rest,
            popup,
        }
    }

    /// How many lines the log page shows.
    pub(super) fn log_rows(&self) -> usize {
        usize::from(self.rest.height.saturating_sub(8) / LOG_LINE).max(1)
    }

    /// What is at a point.
    pub(super) fn hit(&self, at: Point) -> Option<Hit> {
        let at = Rect::new(at.x, at.y, 1, 1);
        let find = |rects: &[Rect]| rects.iter().position(|rect| rect.contains(at));
        if let Some(popup) = &self.popup {
            return match find(&popup.entries) {
                Some(entry) => Some(Hit::Entry(entry)),
                None if popup.frame.contains(at) => None,
                None => Some(Hit::BesideList),
            };
        }
        if let Some(tab) = find(&self.tab) {
            return Some(Hit::Tab(Page::ALL[tab]));
        }
        find(&self.items).map(Hit::Item)
    }
}

/// `rect` without a border of `by` pixels.
pub(super) fn inset(rect: Rect, by: u16) -> Rect {
    Rect {
        x: rect.x + by,
        y: rect.y + by,
        width: rect.width.saturating_sub(2 * by),
        height: rect.height.saturating_sub(2 * by),
    }
}
