//! One thread plays both: what is not there to be taken would not have woken the video thread.

use super::*;

const SIZE: Size = Size::new(16, 16);

pub(super) struct Bench {
    pub(super) mailbox: Arc<Mailbox>,
    sender: Sender,
}

impl Bench {
    pub(super) fn new(tolerance: u8) -> Self {
        let mailbox = Arc::<Mailbox>::default();
        let sender = Sender::new(Arc::clone(&mailbox), tolerance);
        Self { mailbox, sender }
    }

    fn put(&mut self, layout: Layout, bytes: &[u8]) {
        self.sender.put(captured(layout, bytes).into());
    }

    pub(super) fn put_grey(&mut self, grey: u8) {
        self.put(Layout::Yuyv, &[grey; 512]);
    }

    pub(super) fn lose(&self) {
        self.sender
            .put_trouble(SourceError::Lost("unplugged".to_owned()));
    }

    /// What would wake the video thread, if it now waited.
    fn taken(&self, is_shown: bool) -> Option<Post> {
        self.mailbox.slot.lock().unwrap().take(is_shown)
    }

    /// The first byte of the picture that is there, and whether it is known to be repeated.
    fn picture(&self, is_shown: bool) -> Option<(u8, bool)> {
        match self.taken(is_shown)? {
            Post::Picture { picture, repeated } => Some((picture.captured().bytes[0], repeated)),
            Post::Damaged { reason, .. } => panic!("{reason}"),
            Post::Trouble(why) => panic!("{why}"),
        }
    }

    /// How often the last picture came again, told with the next one.
    fn repeats(&mut self) -> u64 {
        self.put_grey(255);
        self.mailbox.take(true).unwrap().1
    }
}

fn captured(layout: Layout, bytes: &[u8]) -> Captured<'_> {
    Captured {
        layout,
        size: SIZE,
        stride: 32,
        colour: Colour::default(),
        bytes,
    }
}

#[test]
fn the_picture_on_show_is_counted_and_wakes_nobody() {
    let mut bench = Bench::new(0);
    bench.put_grey(1);
    assert_eq!(bench.picture(false), Some((1, false)));
    assert_eq!(bench.picture(true), None);
    for _ in 0..3 {
        bench.put_grey(1);
        assert_eq!(bench.picture(true), None);
    }
    assert_eq!(bench.repeats(), 3);
    // Told once.
    bench.put_grey(1);
    assert_eq!(bench.mailbox.take(true).unwrap().1, 0);
}

#[test]
fn a_picture_that_is_not_on_show_is_taken_each_time() {
    let mut bench = Bench::new(0);
    bench.put_grey(1);
    assert_eq!(bench.picture(false), Some((1, false)));
    for _ in 0..3 {
        // It was bad.
        assert_eq!(bench.picture(false), None);
        bench.put_grey(1);
        assert_eq!(bench.picture(false), Some((1, true)));
    }
    assert_eq!(bench.repeats(), 0);
}

#[test]
fn while_a_picture_is_looked_at_the_same_one_waits_and_is_known() {
    let mut bench = Bench::new(0);
    bench.put_grey(1);
    assert_eq!(bench.picture(false), Some((1, false)));
    bench.put_grey(1);
    bench.put_grey(1);
    assert_eq!(bench.picture(true), Some((1, true)));
    assert_eq!(bench.picture(true), None);
}

#[test]
fn the_same_picture_as_one_that_waits_is_no_repeat_of_the_one_on_show() {
    let mut bench = Bench::new(0);
    bench.put_grey(1);
    assert_eq!(bench.picture(false), Some((1, false)));
    assert_eq!(bench.picture(true), None);
    bench.put_grey(2);
    bench.put_grey(2);
    assert_eq!(bench.picture(true), Some((2, false)));
    assert_eq!(bench.repeats(), 0);
}

#[test]
fn a_newer_picture_is_not_settled_by_one_that_was_taken_before_it() {
    let mut bench = Bench::new(0);
    bench.put_grey(1);
    assert_eq!(bench.picture(false), Some((1, false)));
    bench.put_grey(2);
    // The first is on show now; the second is taken at once, and turns out bad.
    assert_eq!(bench.picture(true), Some((2, false)));
    bench.put_grey(2);
    assert_eq!(bench.picture(false), Some((2, true)));
}

#[test]
fn the_same_picture_after_a_trouble_is_taken_again() {
    let mut bench = Bench::new(0);
    bench.put_grey(1);
    assert_eq!(bench.picture(false), Some((1, false)));
    assert_eq!(bench.picture(true), None);
    bench.lose();
    assert!(matches!(bench.taken(true), Some(Post::Trouble(_))));
    assert!(bench.taken(false).is_none());
    bench.put_grey(1);
    assert_eq!(bench.picture(false), Some((1, true)));
    // A trouble that nobody has seen is over with the next picture.
    assert_eq!(bench.picture(true), None);
    bench.lose();
    bench.put_grey(1);
    assert_eq!(bench.picture(true), Some((1, true)));
    assert_eq!(bench.repeats(), 0);
}

#[test]
fn noise_is_measured_from_the_last_picture_put_so_that_it_cannot_drift() {
    let mut bench = Bench::new(2);
    bench.put_grey(100);
    assert_eq!(bench.picture(false), Some((100, false)));
    assert_eq!(bench.picture(true), None);
    for grey in [101, 102, 98, 100] {
        bench.put_grey(grey);
        assert_eq!(bench.picture(true), None, "{grey}");
    }
    bench.put_grey(103);
    assert_eq!(bench.picture(true), Some((103, false)));
    assert_eq!(bench.picture(true), None);
    bench.put_grey(105);
    assert_eq!(bench.picture(true), None);
    bench.put_grey(100);
    assert_eq!(bench.picture(true), Some((100, false)));
}

#[test]
fn noise_is_nothing_in_a_jpeg_and_in_another_size_or_layout() {
    let mut bench = Bench::new(16);
    bench.put(Layout::Mjpeg, &[1; 512]);
    assert!(bench.picture(false).is_some() && bench.picture(true).is_none());
    bench.put(Layout::Mjpeg, &[2; 512]);
    assert!(bench.picture(false).is_some() && bench.picture(true).is_none());
    bench.put(Layout::Yuyv, &[2; 512]);
    assert!(bench.picture(false).is_some() && bench.picture(true).is_none());
    let mut wide = captured(Layout::Yuyv, &[2; 512]);
    wide.size = Size::new(32, 8);
    bench.sender.put(wide.into());
    assert!(bench.picture(false).is_some());
}

#[test]
fn shared_bytes_are_handed_on_as_they_are() {
    let mut bench = Bench::new(0);
    let bytes = Bytes::from(vec![7; 512]);
    bench.sender.put(Lent {
        captured: captured(Layout::Yuyv, &bytes),
        shared: Some(bytes.clone()),
    });
    let Some(Post::Picture { picture, .. }) = bench.taken(false) else {
        panic!("no picture");
    };
    assert_eq!(picture.captured().bytes.as_ptr(), bytes.as_ptr());
}

#[test]
fn bytes_that_are_lent_use_a_few_buffers_for_ever() {
    let mut bench = Bench::new(0);
    let mut addresses = std::collections::HashSet::new();
    for grey in 0..100 {
        bench.put_grey(grey);
        if let Some(Post::Picture { picture, .. }) = bench.taken(true) {
            addresses.insert(picture.captured().bytes.as_ptr());
        }
    }
    assert!(addresses.len() <= 3, "{}", addresses.len());
}

#[test]
fn damage_is_told_before_what_came_later_and_the_same_picture_wakes_again() {
    let mut bench = Bench::new(0);
    bench.put_grey(1);
    assert!(bench.picture(false).is_some() && bench.picture(true).is_none());
    let reason = BadPicture::Corrupt("a code that is in no table".to_owned());
    bench.mailbox.put_damaged(&reason);
    bench.mailbox.put_damaged(&reason);
    bench.put_grey(1);
    let Some(Post::Damaged { pictures: 2, .. }) = bench.taken(true) else {
        panic!("no damage");
    };
    assert_eq!(bench.picture(false), Some((1, true)));
}
