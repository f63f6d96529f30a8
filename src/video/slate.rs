//! What clients see when there is no picture.
//!
//! A slate names a moment, not a duration, so it stays the same until something changes.

use std::time::{SystemTime, UNIX_EPOCH};

use rfb::{
    frame::{Frame, FrameSeq},
    geom::{Rect, Size},
};

use super::{
    Signal,
    canvas::{Canvas, Colour, Font, colours::*, wrap},
};

/// What to draw on when nobody has said how large the screen is.
const FALLBACK: Size = Size::new(640, 480);

const HINT: &str = "Keys and mouse still reach the target, and the picture comes back by itself.";

/// What there is to show: the live frame, or a slate of `size` that says why there is none.
pub fn for_signal(signal: &Signal, size: Size, seq: FrameSeq) -> Frame {
    match signal {
        Signal::Live(frame) => frame.clone(),
        Signal::Starting => slate(
            seq,
            size,
            "Starting",
            &["Waiting for the first picture.", "", HINT],
        ),
        Signal::NoSignal { since, why } => slate(
            seq,
            size,
            "No signal",
            &[why, &since_text(*since), "", HINT],
        ),
        Signal::Lost { since, why } => slate(
            seq,
            size,
            "No picture",
            &[why, &since_text(*since), "", HINT],
        ),
    }
}

/// A picture of `size` with a title and paragraphs, which are wrapped; what does not fit at the
/// bottom is left out.
pub fn slate(seq: FrameSeq, size: Size, title: &str, paragraphs: &[&str]) -> Frame {
    let size = if size.is_empty() { FALLBACK } else { size };
    let mut canvas = Canvas::new(size);
    canvas.clear(BACKGROUND);
    // Viewers shrink a large screen to fit their window, so the letters grow with the screen.
    let scale = (size.width / 640).min(size.height / 360).max(1);
    let (large, normal) = (Font::NORMAL.scaled(scale + 1), Font::NORMAL.scaled(scale));

    let margin = 20 * scale;
    let bar = 6 * scale;
    let room = size.width.saturating_sub(4 * margin + bar);
    let columns = |font: Font| usize::from(room / font.width());
    let mut lines: Vec<(String, Font, Colour)> = Vec::new();
    for line in wrap(title, columns(large)) {
        lines.push((line, large, TITLE));
    }
    lines.push((String::new(), Font::NORMAL, TITLE));
    for paragraph in paragraphs {
        if paragraph.is_empty() {
            lines.push((String::new(), Font::NORMAL, TEXT));
        }
        for line in wrap(paragraph, columns(normal)) {
            lines.push((line, normal, TEXT));
        }
    }

    let gap = 4 * scale;
    let wanted = lines.iter().fold(2 * margin, |sum, line| {
        sum.saturating_add(line.1.height() + gap)
    });
    let height = wanted.min(size.height.saturating_sub(2 * margin.min(size.height / 8)));
    let card = Rect::new(
        margin.min(size.width),
        (size.height - height) / 2,
        size.width.saturating_sub(2 * margin),
        height,
    );
    canvas.fill(card, CARD);
    canvas.fill(
        Rect {
            width: bar.min(card.width),
            ..card
        },
        ACCENT,
    );

    let x = card.x.saturating_add(bar + margin);
    let mut y = card.y.saturating_add(margin.min(card.height / 8));
    for (line, font, colour) in lines {
        if u32::from(y) + u32::from(font.height()) > card.bottom() {
            break;
        }
        canvas.text(x, y, font, colour, &line);
        y += font.height() + gap;
    }
    canvas.to_frame(seq, None)
}

/// "Since 2026-11-22 12:34:56 UTC."
fn since_text(since: SystemTime) -> String {
    let seconds = since
        .duration_since(UNIX_EPOCH)
        .map_or(0, |elapsed| elapsed.as_secs());
    let (year, month, day) = civil_date(seconds / 86_400);
    let second = seconds % 86_400;
    format!(
        "Since {year:04}-{month:02}-{day:02} {:02}:{:02}:{:02} UTC.",
        second / 3600,
        second / 60 % 60,
        second % 60
    )
}

/// Year, month and day of a number of days since 1970-01-01.
///
/// Counts from 1600-03-01, so that a leap day ends a year and the 400-year cycle starts at zero.
fn civil_date(days_since_1970: u64) -> (u64, u64, u64) {
    const DAYS_FROM_MARCH_1600: u64 = 135_080;
    const CYCLE: u64 = 146_097;
    let days = days_since_1970 + DAYS_FROM_MARCH_1600;
    let (cycles, day) = (days / CYCLE, days % CYCLE);
    let century = (day / 36_524).min(3);
    let day = day - century * 36_524;
    let leaps = (day / 1461).min(24);
    let day = day - leaps * 1461;
    let year = (day / 365).min(3);
    let mut day = day - year * 365;
    let mut month = 3;
    for length in [31, 30, 31, 30, 31, 31, 30, 31, 30, 31, 31] {
        if day < length {
            break;
        }
        day -= length;
        month += 1;
    }
    let year = 1600 + cycles * 400 + century * 100 + leaps * 4 + year;
    if month > 12 {
        (year + 1, month - 12, day + 1)
    } else {
        (year, month, day + 1)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SIZES: [Size; 9] = [
        Size::new(640, 480),
        Size::new(800, 600),
        Size::new(1280, 720),
        Size::new(1920, 1080),
        Size::new(320, 200),
        Size::new(1, 1),
        Size::new(1, 480),
        Size::new(4096, 2),
        Size::new(9000, 300),
    ];

    fn lost(why: &str, seconds: u64) -> Signal {
        Signal::Lost {
            since: UNIX_EPOCH + Duration::from_secs(seconds),
            why: why.to_owned(),
        }
    }

    #[test]
    fn a_live_frame_is_shown_as_it_is() {
        let frame = Frame::solid(FrameSeq(7), Size::new(100, 50), 0x123456);
        let shown = for_signal(&Signal::Live(frame.clone()), Size::new(9, 9), FrameSeq(8));
        assert!(shown.same_picture(&frame));
        assert_eq!(shown.seq(), FrameSeq(7));
    }

    #[test]
    fn slates_have_the_size_and_number_asked_for_and_differ_by_text() {
        for size in SIZES {
            let a = for_signal(&Signal::Starting, size, FrameSeq(3));
            assert_eq!((a.size(), a.seq()), (size, FrameSeq(3)));
        }
        let size = Size::new(640, 480);
        let pixels = |signal: &Signal| {
            for_signal(signal, size, FrameSeq(1))
                .pixels(size.rect())
                .unwrap()
        };
        let first = pixels(&lost("/dev/video0 is not there", 5));
        assert_eq!(first, pixels(&lost("/dev/video0 is not there", 5)));
        assert_ne!(first, pixels(&lost("/dev/video1 is not there", 5)));
        assert_ne!(first, pixels(&lost("/dev/video0 is not there", 6)));
        assert_ne!(first, pixels(&Signal::Starting));
    }

    #[test]
    fn long_texts_stay_inside_the_card() {
        let word = "/dev/v4l/by-id/usb-MACROSILICON_USB_Video-video-index0".repeat(4);
        let long = format!("{} {word}", "no such thing ".repeat(40));
        for size in SIZES {
            let frame = for_signal(&lost(&long, 0), size, FrameSeq(1));
            for y in 0..size.height {
                let row = frame.pixels(Rect::new(0, y, size.width, 1)).unwrap();
                let text = |pixel: &u32| *pixel == TEXT || *pixel == TITLE;
                let right = size.width - size.width / 40;
                assert!(
                    !row[usize::from(right)..].iter().any(text),
                    "{size}: row {y}"
                );
            }
        }
    }

    #[test]
    fn an_unknown_size_gets_a_usable_slate() {
        let frame = slate(FrameSeq(1), Size::new(0, 0), "No picture", &[]);
        assert_eq!(frame.size(), FALLBACK);
    }

    #[test]
    fn dates_are_right() {
        for (seconds, text) in [
            (0, "Since 1970-01-01 00:00:00 UTC."),
            (951_782_399, "Since 2000-02-28 23:59:59 UTC."),
            (951_782_400, "Since 2000-02-29 00:00:00 UTC."),
            (951_868_800, "Since 2000-03-01 00:00:00 UTC."),
            (1_795_350_896, "Since 2026-11-22 12:34:56 UTC."),
            (4_107_542_400, "Since 2100-03-01 00:00:00 UTC."),
            (1_735_603_200, "Since 2024-12-31 00:00:00 UTC."),
        ] {
            assert_eq!(since_text(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
    }
}
