//! The target's screen, drawn whole from its state.

use rfb::geom::Rect;

use super::{
    layout::{LOG_LINE, Layout, PopupLayout, ROW, VALUE_COLUMN, inset},
    menu::Page,
    plasma,
    shapes::{arrow, colour_bars, disc},
    target::Target,
};
use crate::video::canvas::{Canvas, Colour, Font, fitting, wrap};

const TITLE_BAR: Colour = 0x0b_6a7a;
const TAB_BAR: Colour = 0x10_1f4a;
const TAB_TEXT: Colour = 0xa9_b8dc;
const BODY: Colour = 0x8f_9bb0;
const PANEL: Colour = 0xd9_dee7;
const EDGE: Colour = 0x10_1f4a;
const RULE: Colour = 0xa3_adbf;
const LABEL: Colour = 0x16_2a66;
const VALUE: Colour = 0x26_2f3d;
const DIM: Colour = 0x6b_7688;
const SELECTED: Colour = 0x1b_3fa0;
const WHITE: Colour = 0xff_ffff;
const BLACK: Colour = 0x00_0000;
const CURSOR: Colour = 0xf0_8a24;
const LED_ON: Colour = 0x3a_e05e;
const LED_OFF: Colour = 0x2c_3a5e;
const LOG_PAPER: Colour = 0x0c_1018;
const LOG_TEXT: Colour = 0xa8_e6b0;

/// Room for one entered line and its frame.
const SMALLEST_HISTORY: u16 = 40;

pub(super) fn screen(target: &Target, canvas: &mut Canvas) {
    let layout = Layout::new(target.size(), &target.menu);
    canvas.fill(layout.body, BODY);
    bars(target, canvas, &layout);
    match target.menu.page() {
        Page::Main => main_page(target, canvas, &layout),
        Page::Boot => boot_page(target, canvas, &layout),
        Page::Text => text_page(target, canvas, &layout),
        Page::Log => log_page(target, canvas, &layout),
        Page::Motion => motion_page(target, canvas, &layout),
    }
    if let Some(popup) = &layout.popup {
        open_list(target, canvas, popup);
    }
    let (x, y) = target.pointer();
    let pressed = target.buttons() & 1 != 0;
    let fill = if pressed { CURSOR } else { WHITE };
    arrow(canvas, i32::from(x), i32::from(y), fill);
}

fn bars(target: &Target, canvas: &mut Canvas, layout: &Layout) {
    canvas.fill(layout.title, TITLE_BAR);
    canvas.text_centred(
        layout.title,
        Font::NORMAL,
        WHITE,
        "rfbridge demo - Setup Utility",
    );
    let clock = clock(target);
    let x = layout.title.width - Font::NORMAL.text_width(&clock) - 16;
    canvas.text(x, layout.title.y + 6, Font::NORMAL, WHITE, &clock);

    canvas.fill(layout.tabs, TAB_BAR);
    for (page, rect) in Page::ALL.into_iter().zip(layout.tab) {
        let open = page == target.menu.page();
        if open {
            canvas.fill(rect, PANEL);
        }
        let colour = if open { LABEL } else { TAB_TEXT };
        canvas.text_centred(rect, Font::NORMAL, colour, page.title());
    }

    canvas.fill(layout.status, TAB_BAR);
    status(target, canvas, layout.status);
    canvas.fill(layout.footer, TITLE_BAR);
    let legend = match target.menu.page() {
        Page::Log => "Enter:Run/Stop  PgUp/PgDn/Wheel:Scroll  Left/Right:Page",
        Page::Motion => "Enter:Run/Stop  Left/Right:Page  Esc:Main",
        _ => "Left/Right:Page  Up/Down:Item  Enter:Change  F9:Defaults  Esc",
    };
    canvas.text_centred(layout.footer, Font::NORMAL, WHITE, legend);
}

/// Time since power-on.
fn clock(target: &Target) -> String {
    let seconds = target.now.as_secs();
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    format!("{hours:02}:{minutes:02}:{:02}", seconds % 60)
}

fn status(target: &Target, canvas: &mut Canvas, rect: Rect) {
    let (x, y) = target.pointer();
    let (up, right) = target.wheel();
    let top = rect.y + (rect.height - Font::BOLD.height()) / 2;
    let mut left = rect.x + 14;
    let pointer = format!("Pointer {x:4},{y:4}");
    canvas.text(left, top, Font::BOLD, WHITE, &pointer);
    left += Font::BOLD.text_width(&pointer) + 18;
    for button in 0..5 {
        let down = target.buttons() >> button & 1 != 0;
        let square = Rect::new(left, rect.y + 7, 18, 20);
        canvas.fill(square, if down { CURSOR } else { LED_OFF });
        let name = format!("{}", button + 1);
        canvas.text_centred(
            square,
            Font::BOLD,
            if down { BLACK } else { TAB_TEXT },
            &name,
        );
        left += 21;
    }
    left += 14;
    let wheel = format!("Wheel {up:+} {right:+}");
    canvas.text(left, top, Font::BOLD, WHITE, &wheel);

    let mut left = rect.width;
    let locks = target.locks;
    for (name, on) in [
        ("Scroll", locks.scroll),
        ("Caps", locks.caps),
        ("Num", locks.num),
    ] {
        left = left.saturating_sub(Font::BOLD.text_width(name) + 30);
        let colour = if on { LED_ON } else { LED_OFF };
        disc(
            canvas,
            i32::from(left) + 6,
            i32::from(rect.y + rect.height / 2),
            6,
            colour,
        );
        canvas.text(
            left + 17,
            top,
            Font::BOLD,
            if on { WHITE } else { TAB_TEXT },
            name,
        );
    }
}

fn panel(canvas: &mut Canvas, rect: Rect) {
    canvas.fill(rect, PANEL);
    canvas.outline(rect, 1, EDGE);
    canvas.outline(inset(rect, 3), 1, RULE);
}

fn main_page(target: &Target, canvas: &mut Canvas, layout: &Layout) {
    panel(canvas, layout.page);
    text_field(target, canvas, layout.items[0]);
    choices(target, canvas, layout);
    let (reports, refused) = target.reports();
    let keys: Vec<String> = target
        .keys()
        .iter()
        .map(|id| format!("{id:#04x}"))
        .collect();
    let facts = [
        ("HID reports", format!("{reports}, {refused} refused")),
        ("Last report", target.last_report()),
        (
            "Keys held",
            if keys.is_empty() {
                "none".to_owned()
            } else {
                keys.join(" ")
            },
        ),
        ("Screen", target.size().to_string()),
    ];
    let rest = layout.rest;
    canvas.fill(Rect { height: 1, ..rest }, RULE);
    let mut y = rest.y + 8;
    let value_x = rest.x + VALUE_COLUMN;
    let columns = usize::from(rest.width.saturating_sub(VALUE_COLUMN) / Font::NORMAL.width());
    for (label, value) in facts {
        if u32::from(y + ROW + SMALLEST_HISTORY) > rest.bottom() {
            break;
        }
        canvas.text(rest.x + 6, y, Font::NORMAL, LABEL, label);
        canvas.text(value_x, y, Font::NORMAL, VALUE, fitting(&value, columns));
        y += ROW;
    }
    let lines = Rect::from_edges(rest.x.into(), u32::from(y) + 6, rest.right(), rest.bottom());
    history(target, canvas, lines);
    help(target, canvas, layout.help);
}

fn boot_page(target: &Target, canvas: &mut Canvas, layout: &Layout) {
    panel(canvas, layout.page);
    choices(target, canvas, layout);
    help(target, canvas, layout.help);
}

fn text_field(target: &Target, canvas: &mut Canvas, rect: Rect) {
    let label = "Type here:";
    canvas.text(rect.x + 6, rect.y + 6, Font::NORMAL, LABEL, label);
    let start = Font::NORMAL.text_width(label) + 18;
    let field = Rect {
        x: rect.x + start,
        width: rect.width.saturating_sub(start),
        ..rect
    };
    let active = target.menu.selected() == 0 && target.menu.popup().is_none();
    canvas.fill(field, WHITE);
    canvas.outline(field, 2, if active { SELECTED } else { RULE });
    // A long text is shown from its end, where the typing goes on.
    let columns = usize::from(field.width.saturating_sub(24) / Font::NORMAL.width());
    let hidden = target.text.chars().count().saturating_sub(columns);
    let shown: String = target.text.chars().skip(hidden).collect();
    canvas.text(field.x + 8, field.y + 6, Font::NORMAL, BLACK, &shown);
    if active {
        let x = field.x + 8 + Font::NORMAL.text_width(&shown);
        canvas.fill(Rect::new(x, field.y + 6, 2, 20), CURSOR);
    }
}

fn choices(target: &Target, canvas: &mut Canvas, layout: &Layout) {
    let first = target.menu.first_choice();
    for (index, choice) in target.menu.choices().iter().enumerate() {
        let Some(rect) = layout.items.get(index + first).copied() else {
            return;
        };
        let selected = target.menu.selected() == index + first;
        if selected {
            canvas.fill(rect, SELECTED);
        }
        let (label, value) = if selected {
            (WHITE, WHITE)
        } else {
            (LABEL, VALUE)
        };
        let y = rect.y + (ROW - Font::NORMAL.height()) / 2;
        canvas.text(rect.x + 6, y, Font::NORMAL, label, choice.label);
        let text = format!("[{}]", choice.value());
        canvas.text(rect.x + VALUE_COLUMN, y, Font::NORMAL, value, &text);
    }
}

/// The lines that were entered, the newest at the bottom.
fn history(target: &Target, canvas: &mut Canvas, rect: Rect) {
    if rect.height < SMALLEST_HISTORY - 10 {
        return;
    }
    canvas.fill(rect, WHITE);
    canvas.outline(rect, 1, RULE);
    let (x, y) = (rect.x + 8, rect.y + 5);
    if target.history.is_empty() {
        canvas.text(x, y, Font::NORMAL, DIM, "Enter keeps a line here");
    }
    let rows = usize::from((rect.height - 10) / Font::NORMAL.height());
    let columns = usize::from(rect.width.saturating_sub(16) / Font::NORMAL.width());
    let hidden = target.history.len().saturating_sub(rows);
    for (row, line) in target.history.iter().skip(hidden).enumerate() {
        let y = y + row as u16 * Font::NORMAL.height();
        canvas.text(x, y, Font::NORMAL, VALUE, fitting(line, columns));
    }
}

fn help(target: &Target, canvas: &mut Canvas, rect: Rect) {
    panel(canvas, rect);
    let heading = Rect { height: 34, ..rect };
    canvas.text_centred(heading, Font::NORMAL, LABEL, "Item help");
    canvas.fill(
        Rect {
            y: rect.y + 34,
            height: 1,
            x: rect.x + 12,
            width: rect.width - 24,
        },
        RULE,
    );
    let text = match target.menu.choice(target.menu.selected()) {
        Some(choice) => choice.help,
        None => {
            "What you type in your viewer arrives here as USB HID reports.\n\n\
             Enter keeps the line. Lock keys light the lamps below."
        }
    };
    let columns = usize::from((rect.width - 28) / Font::BOLD.width());
    let mut y = rect.y + 46;
    for line in wrap(text, columns) {
        if u32::from(y + Font::BOLD.height()) > rect.bottom() {
            return;
        }
        canvas.text(rect.x + 14, y, Font::BOLD, VALUE, &line);
        y += if line.is_empty() {
            10
        } else {
            Font::BOLD.height() + 2
        };
    }
}

/// The typed text, a sample of letters, and colours to judge pixel formats by.
fn text_page(target: &Target, canvas: &mut Canvas, layout: &Layout) {
    panel(canvas, layout.page);
    text_field(target, canvas, layout.items[0]);
    let rest = layout.rest;
    let bars_height = (rest.height / 3).min(160);
    let samples = [
        (
            Font::NORMAL,
            "The quick brown fox jumps over the lazy dog. 0123456789",
        ),
        (
            Font::BOLD,
            "Zw\u{f6}lf Boxk\u{e4}mpfer jagen Viktor quer \u{fc}ber den Sylter Deich!",
        ),
        (
            Font::SMALL,
            "Il1| O0 {[(<>)]} @#$%^&* ~`'\" ;:,. +-=_ /\\ - small letters must stay legible",
        ),
    ];
    let mut y = rest.y;
    for (font, text) in samples {
        let columns = usize::from(rest.width / font.width());
        canvas.text(
            rest.x + 6,
            y,
            font,
            VALUE,
            fitting(text, columns.saturating_sub(1)),
        );
        y += font.height() + 6;
    }
    let bars = Rect {
        y: (rest.y + rest.height).saturating_sub(bars_height),
        height: bars_height,
        ..rest
    };
    history(
        target,
        canvas,
        Rect::from_edges(
            rest.x.into(),
            u32::from(y) + 4,
            rest.right(),
            u32::from(bars.y).saturating_sub(10),
        ),
    );
    colour_bars(canvas, bars);
}

fn switch(canvas: &mut Canvas, rect: Rect, label: &str, on: bool, note: &str) {
    canvas.fill(rect, SELECTED);
    let state = if on { "[Running]" } else { "[Stopped]" };
    let y = rect.y + 3;
    canvas.text(rect.x + 6, y, Font::NORMAL, WHITE, label);
    canvas.text(rect.x + VALUE_COLUMN, y, Font::NORMAL, WHITE, state);
    let x = (rect.x + rect.width).saturating_sub(Font::NORMAL.text_width(note) + 8);
    canvas.text(x, y, Font::NORMAL, WHITE, note);
}

fn log_page(target: &Target, canvas: &mut Canvas, layout: &Layout) {
    panel(canvas, layout.page);
    let log = &target.log;
    let note = match log.below() {
        0 => format!("{} lines", log.line_count()),
        below => format!("{below} lines below"),
    };
    switch(
        canvas,
        layout.items[0],
        "Boot messages",
        log.running(),
        &note,
    );
    let paper = layout.rest;
    canvas.fill(paper, LOG_PAPER);
    let columns = usize::from(paper.width.saturating_sub(16) / Font::SMALL.width());
    for (row, line) in log.view(layout.log_rows()).enumerate() {
        let y = paper.y + 5 + row as u16 * LOG_LINE;
        canvas.text(
            paper.x + 8,
            y,
            Font::SMALL,
            LOG_TEXT,
            fitting(line, columns),
        );
    }
}

fn motion_page(target: &Target, canvas: &mut Canvas, layout: &Layout) {
    panel(canvas, layout.page);
    let millis = u64::try_from(target.motion.as_millis()).unwrap_or(u64::MAX / 8);
    let note = format!("{:5}.{:03} s", millis / 1000, millis % 1000);
    switch(
        canvas,
        layout.items[0],
        "Full motion",
        target.motion_runs,
        &note,
    );
    plasma::draw(canvas, layout.rest, millis);
}

fn open_list(target: &Target, canvas: &mut Canvas, popup: &PopupLayout) {
    let (Some(open), frame) = (target.menu.popup(), popup.frame) else {
        return;
    };
    let Some(choice) = target.menu.choice(open.item) else {
        return;
    };
    canvas.fill(
        Rect {
            x: frame.x + 8,
            y: frame.y + 8,
            ..frame
        },
        0x3a_4560,
    );
    canvas.fill(frame, PANEL);
    canvas.outline(frame, 2, EDGE);
    let heading = Rect {
        height: 32,
        ..frame
    };
    canvas.fill(heading, EDGE);
    canvas.text_centred(heading, Font::NORMAL, WHITE, choice.label);
    for (entry, (value, rect)) in choice.values.iter().zip(&popup.entries).enumerate() {
        let marked = entry == open.entry;
        if marked {
            canvas.fill(*rect, SELECTED);
        }
        let colour = if marked { WHITE } else { LABEL };
        canvas.text_centred(*rect, Font::NORMAL, colour, value);
    }
}
