//! Lines of the control socket, both ways.
#![no_main]

use libfuzzer_sys::fuzz_target;
use rfbridge::control::{Reply, Request, Status};
use serde::{Serialize, de::DeserializeOwned};

fuzz_target!(|data: &[u8]| {
    stays_the_same::<Request>(data);
    stays_the_same::<Reply>(data);
    stays_the_same::<Status>(data);
});

/// What is understood is one line when it is said again, and means the same.
fn stays_the_same<T: Serialize + DeserializeOwned>(line: &[u8]) {
    let Ok(message) = serde_json::from_slice::<T>(line) else {
        return;
    };
    let said = serde_json::to_string(&message).expect("JSON");
    assert!(!said.contains('\n'));
    let again: T = serde_json::from_str(&said).expect("what was said is understood");
    assert_eq!(serde_json::to_string(&again).expect("JSON"), said);
}
