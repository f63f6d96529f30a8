//! The source thread and the video thread in many orders: nothing is forgotten that nobody is woken for.

use shuttle::thread;

use super::{tests::Bench, *};
use crate::sync::in_many_orders;

/// What the video thread does until it has taken a picture of this grey: the greys and the troubles that it took, and how often a
/// picture came again meanwhile.
fn watch(mailbox: &Mailbox, last: u8) -> (Vec<Option<u8>>, u64) {
    let (mut taken, mut again) = (Vec::new(), 0);
    let mut is_shown = false;
    loop {
        let Some((post, repeats)) = mailbox.take(is_shown) else {
            panic!("nobody closes it");
        };
        again += repeats;
        is_shown = matches!(post, Post::Picture { .. });
        match post {
            Post::Picture { picture, repeated } => {
                let grey = picture.captured().bytes[0];
                match repeated {
                    true => again += 1,
                    false => taken.push(Some(grey)),
                }
                if grey == last {
                    return (taken, again);
                }
            }
            Post::Trouble(_) => taken.push(None),
            Post::Damaged { reason, .. } => panic!("{reason}"),
        }
    }
}

#[test]
fn the_newest_picture_is_always_taken_and_none_before_an_older_one() {
    in_many_orders(|| {
        let mut bench = Bench::new(0);
        let mailbox = Arc::clone(&bench.mailbox);
        let video = thread::spawn(move || watch(&mailbox, 9));
        for grey in [1, 1, 1, 2, 2, 1, 9] {
            bench.put_grey(grey);
        }
        let (taken, again) = video.join().expect("no panic");
        let mut put = [1, 2, 1, 9].iter();
        for grey in &taken {
            assert!(
                put.any(|put| Some(*put) == *grey),
                "in order, each once: {taken:?}"
            );
        }
        assert!(again <= 3, "{again}");
    });
}

#[test]
fn a_picture_after_a_trouble_comes_after_it_or_instead() {
    in_many_orders(|| {
        let mut bench = Bench::new(0);
        let mailbox = Arc::clone(&bench.mailbox);
        let video = thread::spawn(move || watch(&mailbox, 9));
        bench.put_grey(1);
        bench.lose();
        // The same picture as before: on show it would wake nobody, and it is not any more.
        bench.put_grey(1);
        bench.lose();
        bench.put_grey(9);
        let (taken, _) = video.join().expect("no panic");
        assert_eq!(taken.last(), Some(&Some(9)), "{taken:?}");
        let mut put = [Some(1), None, Some(1), None, Some(9)].iter();
        assert!(
            taken.iter().all(|one| put.any(|put| put == one)),
            "{taken:?}"
        );
    });
}

#[test]
fn the_same_picture_comes_back_after_a_trouble() {
    in_many_orders(|| {
        let mut bench = Bench::new(0);
        let mailbox = Arc::clone(&bench.mailbox);
        let video = thread::spawn(move || {
            let (mut is_shown, mut shows) = (false, None);
            while let Some((post, _)) = mailbox.take(is_shown) {
                is_shown = matches!(post, Post::Picture { .. });
                shows = match post {
                    Post::Picture { picture, .. } => Some(picture.captured().bytes[0]),
                    _ => None,
                };
            }
            shows
        });
        bench.put_grey(1);
        bench.lose();
        bench.put_grey(1);
        // Whatever was taken when: the picture is on show, or there to be taken.
        bench.mailbox.close();
        let shows = video.join().expect("no panic");
        let left = bench.mailbox.slot.lock().unwrap().picture.is_some();
        assert!(left || shows == Some(1));
    });
}

#[test]
fn closing_wakes_whoever_waits() {
    in_many_orders(|| {
        let bench = Bench::new(0);
        let mailbox = Arc::clone(&bench.mailbox);
        let video = thread::spawn(move || while mailbox.take(true).is_some() {});
        bench.lose();
        bench.mailbox.close();
        video.join().expect("no panic");
    });
}
