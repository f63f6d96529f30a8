//! Which of a device's modes to use.

use rfb::geom::Size;

use crate::{source::Wishes, video::Layout};

/// One picture format, size and rate that a device offers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Mode {
    pub(super) layout: Layout,
    pub(super) size: Size,
    /// Seconds from one frame to the next, as numerator and denominator; `None` if the driver does
    /// not say.
    pub(super) interval: Option<(u32, u32)>,
}

impl Mode {
    /// Frames in a thousand seconds; 0 if not known.
    fn rate(&self) -> u64 {
        match self.interval {
            Some((numerator, denominator)) if numerator > 0 => {
                u64::from(denominator) * 1000 / u64::from(numerator)
            }
            _ => 0,
        }
    }

    /// Rates such as 333333/10000000 are a little off.
    fn is_rate(&self, fps: u32) -> bool {
        self.interval.is_none() || (self.rate() + 500) / 1000 == u64::from(fps)
    }
}

/// The formats that can be shown, the best first. A dongle reaches its largest size and rate only
/// with MJPEG.
pub(super) const PREFERENCE: [Layout; 6] = [
    Layout::Mjpeg,
    Layout::Yuyv,
    Layout::Uyvy,
    Layout::Nv12,
    Layout::Rgb24,
    Layout::Bgr24,
];

/// The best format, then the largest size, then the highest rate among those wished for; an error
/// that lists what there is if there is none.
pub(super) fn choose(offers: &[Mode], wishes: Wishes) -> Result<Mode, String> {
    let rank = |mode: &Mode| PREFERENCE.iter().position(|layout| *layout == mode.layout);
    let mut offers = offers.to_vec();
    offers.retain(|mode| rank(mode).is_some());
    let wished_for = offers
        .iter()
        .filter(|mode| wishes.format.is_none_or(|format| mode.layout == format))
        .filter(|mode| wishes.size.is_none_or(|size| mode.size == size))
        .filter(|mode| wishes.fps.is_none_or(|fps| mode.is_rate(fps)));
    let best = wished_for.max_by_key(|mode| {
        let rank = rank(mode).unwrap_or(PREFERENCE.len());
        (std::cmp::Reverse(rank), mode.size.area(), mode.rate())
    });
    best.copied().ok_or_else(|| {
        if offers.is_empty() {
            "it offers no format that can be shown".to_owned()
        } else {
            let offers = list(&offers);
            format!("it does not offer {}; it offers {offers}", wished(wishes))
        }
    })
}

fn wished(wishes: Wishes) -> String {
    let words = [
        wishes.format.map(|format| format.to_string()),
        wishes.size.map(|size| size.to_string()),
        wishes.fps.map(|fps| format!("{fps} frames a second")),
    ];
    words.into_iter().flatten().collect::<Vec<_>>().join(" at ")
}

/// Such as `MJPEG 1920x1080@30/25 1280x720@60; YUYV, UYVY 640x480@30`.
pub(super) fn list(offers: &[Mode]) -> String {
    let mut lines: Vec<(String, String)> = Vec::new();
    for modes in offers.chunk_by(|one, next| one.layout == next.layout) {
        let layout = modes[0].layout.to_string();
        let sizes: Vec<String> = modes
            .chunk_by(|one, next| one.size == next.size)
            .map(|modes| modes[0].size.to_string() + &rates(modes))
            .collect();
        let sizes = sizes.join(" ");
        match lines.last_mut() {
            Some((layouts, same)) if *same == sizes => *layouts += &format!(", {layout}"),
            _ => lines.push((layout, sizes)),
        }
    }
    let lines: Vec<String> = lines
        .into_iter()
        .map(|(layouts, sizes)| format!("{layouts} {sizes}"))
        .collect();
    lines.join("; ")
}

fn rates(modes: &[Mode]) -> String {
    let known = modes.iter().map(Mode::rate).filter(|rate| *rate > 0);
    let rates: Vec<String> = known
        .map(|rate| ((rate + 500) / 1000).to_string())
        .collect();
    match rates.as_slice() {
        [] => String::new(),
        rates => format!("@{}", rates.join("/")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn modes(layout: Layout, table: &[(u16, u16, &[u32])]) -> Vec<Mode> {
        table
            .iter()
            .flat_map(|&(width, height, rates)| {
                rates.iter().map(move |&fps| Mode {
                    layout,
                    size: Size::new(width, height),
                    interval: Some((1, fps)),
                })
            })
            .collect()
    }

    /// A USB 2 dongle (MS2109), in its own order.
    fn ms2109() -> Vec<Mode> {
        let mut all = modes(
            Layout::Mjpeg,
            &[
                (1920, 1080, &[30, 25, 20, 10, 5]),
                (1600, 1200, &[30, 25, 20, 10, 5]),
                (1280, 1024, &[30, 25, 20, 10, 5]),
                (1280, 720, &[60, 50, 30, 20, 10]),
            ],
        );
        all.extend(modes(
            Layout::Yuyv,
            &[
                (1920, 1080, &[5]),
                (1280, 720, &[10]),
                (640, 480, &[30, 20]),
            ],
        ));
        all
    }

    /// A USB 3 dongle (MS2130): uncompressed at full rate too.
    fn ms2130() -> Vec<Mode> {
        let rates: &[u32] = &[60, 50, 30, 20, 10];
        let mut all = modes(Layout::Yuyv, &[(1920, 1080, rates), (1280, 720, rates)]);
        all.extend(modes(
            Layout::Mjpeg,
            &[(1920, 1080, rates), (1280, 720, rates)],
        ));
        all
    }

    fn chosen(offers: &[Mode], wishes: Wishes) -> (Layout, Size, Option<(u32, u32)>) {
        let mode = choose(offers, wishes).unwrap();
        (mode.layout, mode.size, mode.interval)
    }

    const HD: Size = Size::new(1920, 1080);
    const NO_WISHES: Wishes = Wishes {
        format: None,
        size: None,
        fps: None,
    };

    #[test]
    fn without_wishes_it_is_mjpeg_at_the_largest_size_and_rate() {
        assert_eq!(
            chosen(&ms2109(), NO_WISHES),
            (Layout::Mjpeg, HD, Some((1, 30)))
        );
        assert_eq!(
            chosen(&ms2130(), NO_WISHES),
            (Layout::Mjpeg, HD, Some((1, 60)))
        );
    }

    #[test]
    fn without_mjpeg_the_next_best_format_is_taken() {
        let offers = |layouts: &[Layout]| -> Vec<Mode> {
            layouts
                .iter()
                .flat_map(|l| modes(*l, &[(1920, 1080, &[30])]))
                .collect()
        };
        for rest in (1..PREFERENCE.len()).map(|first| &PREFERENCE[first..]) {
            let mut reversed = rest.to_vec();
            reversed.reverse();
            assert_eq!(chosen(&offers(&reversed), NO_WISHES).0, rest[0]);
        }
        assert_eq!(
            choose(&offers(&[Layout::Bgrx]), NO_WISHES).unwrap_err(),
            "it offers no format that can be shown"
        );
    }

    #[test]
    fn wishes_narrow_the_choice() {
        let wish = |format, size, fps| Wishes { format, size, fps };
        let ms2109 = ms2109();
        let small = Size::new(1280, 720);
        assert_eq!(
            chosen(&ms2109, wish(None, None, Some(60))),
            (Layout::Mjpeg, small, Some((1, 60)))
        );
        assert_eq!(
            chosen(&ms2109, wish(Some(Layout::Yuyv), None, None)),
            (Layout::Yuyv, HD, Some((1, 5)))
        );
        assert_eq!(
            chosen(&ms2109, wish(None, Some(Size::new(640, 480)), None)),
            (Layout::Yuyv, Size::new(640, 480), Some((1, 30)))
        );
    }

    #[test]
    fn a_wish_that_is_not_offered_is_told_what_is() {
        let wishes = Wishes {
            format: Some(Layout::Yuyv),
            size: Some(HD),
            fps: Some(60),
        };
        assert_eq!(
            choose(&ms2109(), wishes).unwrap_err(),
            "it does not offer YUYV at 1920x1080 at 60 frames a second; it offers \
             MJPEG 1920x1080@30/25/20/10/5 1600x1200@30/25/20/10/5 1280x1024@30/25/20/10/5 \
             1280x720@60/50/30/20/10; YUYV 1920x1080@5 1280x720@10 640x480@30/20"
        );
        let alike: Vec<Mode> = [Layout::Uyvy, Layout::Nv12, Layout::Bgrx]
            .iter()
            .flat_map(|layout| modes(*layout, &[(1280, 720, &[60]), (640, 480, &[60])]))
            .collect();
        let told = choose(&alike, wishes).unwrap_err();
        assert!(
            told.ends_with("; it offers UYVY, NV12 1280x720@60 640x480@60"),
            "{told}"
        );
        assert_eq!(
            choose(&[], NO_WISHES).unwrap_err(),
            "it offers no format that can be shown"
        );
    }

    #[test]
    fn odd_and_unknown_rates_are_taken() {
        let odd = Mode {
            layout: Layout::Mjpeg,
            size: HD,
            interval: Some((333_333, 10_000_000)),
        };
        let wishes = Wishes {
            fps: Some(30),
            ..NO_WISHES
        };
        assert_eq!(choose(&[odd], wishes), Ok(odd));
        let unknown = Mode {
            interval: None,
            ..odd
        };
        assert_eq!(choose(&[unknown], wishes), Ok(unknown));
        let broken = Mode {
            interval: Some((0, 0)),
            ..odd
        };
        assert_eq!(choose(&[broken], NO_WISHES), Ok(broken));
    }
}
