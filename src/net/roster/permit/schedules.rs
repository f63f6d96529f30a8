//! A session that types and somebody who takes control away from it, in many orders.

use shuttle::{future, thread};

use super::*;
use crate::sync::in_many_orders;

#[test]
fn nothing_is_passed_on_behind_the_release_of_who_lost_control() {
    in_many_orders(|| {
        let permit = Permit::default();
        permit.grant();
        let reports = Arc::new(Mutex::new(Vec::new()));
        let (typing, typed) = (permit.clone(), Arc::clone(&reports));
        let session = thread::spawn(move || {
            future::block_on(async {
                for _ in 0..3 {
                    let send = async {
                        // There is no room at first.
                        future::yield_now().await;
                        typed.lock().expect("no panic").push("key");
                    };
                    typing.pass(send).await;
                }
            });
        });
        if permit.revoke() {
            reports.lock().expect("no panic").push("released");
        }
        session.join().expect("no panic");
        let reports = reports.lock().expect("no panic");
        assert_eq!(reports.last(), Some(&"released"), "{reports:?}");
    });
}
