//! Recorded screens: what a dongle really sends.

use rfb::geom::Rect;

use super::super::Scan;
use super::levels::levels;
use super::{cut, pixels};
use crate::video::jpeg::{Jpeg, Zune, header, sanitise};

/// The pictures of a recording.
fn recorded(name: &str) -> Vec<Jpeg> {
    let path = format!(
        "{}/fixtures/screens/{name}.mjpeg",
        env!("CARGO_MANIFEST_DIR")
    );
    let bytes = std::fs::read(path).unwrap();
    let (mut rest, mut all) = (&bytes[..], Vec::new());
    while !rest.is_empty() {
        all.push(sanitise(rest).unwrap());
        rest = &rest[header::walk(rest).unwrap().end..];
    }
    all
}

/// The smallest rectangle of all MCUs that are not the same.
fn changed(old: &Scan, new: &Scan) -> Rect {
    let columns = new.grid().0;
    let pairs = old.ids().iter().zip(new.ids()).enumerate();
    pairs
        .filter(|(_, (old, new))| old != new)
        .map(|(i, _)| Rect::new((i % columns) as u16, (i / columns) as u16, 1, 1))
        .fold(Rect::EMPTY, Rect::union)
}

#[test]
fn walking_on_gives_what_walking_anew_does() {
    for name in ["firmware", "console-scroll", "console-typing", "desktop"] {
        let mut previous: Option<Scan> = None;
        for jpeg in recorded(name) {
            let scan = Scan::walk(&jpeg, previous.as_ref()).unwrap();
            assert!(
                scan.index == Scan::walk(&jpeg, None).unwrap().index,
                "{name}"
            );
            previous = Some(scan);
        }
    }
}

#[test]
fn what_changed_at_a_console_is_spliced_and_decoded() {
    let jpegs = recorded("console-typing");
    let old = Scan::walk(&jpegs[0], None).unwrap();
    let new = Scan::walk(&jpegs[1], Some(&old)).unwrap();
    // Beside the barcode.
    let mcus = changed(&old, &new);
    let mut out = Vec::new();
    new.splice(mcus, &mut out);
    assert!(out.len() * 4 < jpegs[1].bytes.len(), "{mcus:?}");
    let (all, _) = levels(&jpegs[1].bytes);
    let columns = new.grid().0;
    let expected: Vec<_> = (mcus.y.into()..mcus.bottom() as usize)
        .flat_map(|y| &all[y * columns + usize::from(mcus.x)..][..mcus.width.into()])
        .collect();
    assert!(levels(&out).0.iter().eq(expected));

    let rect = new.pixels(mcus);
    let whole = pixels(&mut Zune, &jpegs[1]);
    assert_eq!(
        new.decode(rect, &mut Zune).unwrap(),
        cut(&whole, new.size(), rect)
    );
}

/// In the levels, the changes of a typed character are a few MCUs.
#[test]
fn what_did_not_change_has_the_same_id() {
    let jpegs = recorded("console-typing");
    let mut before = Scan::walk(&jpegs[0], None).unwrap();
    for jpeg in &jpegs[1..] {
        let scan = Scan::walk(jpeg, Some(&before)).unwrap();
        let pairs = before.ids().iter().zip(scan.ids());
        let changed = pairs.filter(|(a, b)| a != b).count();
        assert!((1..scan.ids().len() / 50).contains(&changed), "{changed}");
        before = scan;
    }
}
