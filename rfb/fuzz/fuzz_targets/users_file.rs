//! The users file as an editor may have left it: what can be read can be changed, and no more is changed than was asked for.
#![no_main]

use std::{
    fs,
    io::Write as _,
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::PathBuf,
    sync::LazyLock,
};

use libfuzzer_sys::fuzz_target;
use rfbridge::access::{Role, UsersError, edit};

static FILE: LazyLock<PathBuf> = LazyLock::new(|| {
    let name = format!("rfbridge-fuzz-{}-users", std::process::id());
    let directory = std::env::temp_dir().join(name);
    let made = fs::DirBuilder::new().mode(0o700).create(&directory);
    made.expect("a directory of its own");
    directory.join("users")
});

fuzz_target!(|data: &[u8]| {
    write(data);
    let users = match edit::list(&FILE) {
        Ok(users) => users,
        Err(error) => return explained(&error),
    };
    let Some((name, role)) = users.get(data.len() % users.len().max(1)) else {
        return;
    };
    let twice = users.iter().filter(|(other, _)| other == name).count();
    assert_eq!(twice, 1, "{name} is there more than once");
    edit::check_known(&FILE, name).expect("who is listed");
    explained(&edit::check_new(&FILE, name).expect_err("who is there already"));

    let other = match role {
        Role::Admin => Role::View,
        _ => Role::Admin,
    };
    edit::set_role(&FILE, name, other).expect("another role");
    let expected = users.iter().map(|user| match user.0 == *name {
        true => (name.clone(), other),
        false => user.clone(),
    });
    let expected: Vec<_> = expected.collect();
    assert_eq!(edit::list(&FILE).expect("what was written"), expected);
    let changed = fs::read(&*FILE).expect("what was written");
    let mut rest = changed.split(|byte| *byte == b'\n');
    let lines = data.split(|byte| *byte == b'\n');
    let other_lines = lines.filter(|line| rest.next() != Some(line));
    assert_eq!(other_lines.count(), 1, "of {name} alone");

    write(data);
    edit::remove(&FILE, name).expect("one less");
    let expected = users.iter().filter(|(other, _)| other != name);
    let expected: Vec<_> = expected.cloned().collect();
    assert_eq!(edit::list(&FILE).expect("what was written"), expected);
    let changed = fs::read(&*FILE).expect("what was written");
    let mut rest = changed.split_inclusive(|byte| *byte == b'\n').peekable();
    let lines = data.split_inclusive(|byte| *byte == b'\n');
    let gone = lines.filter(|line| rest.next_if_eq(line).is_none());
    assert_eq!(gone.count(), 1, "of {name} alone");
    assert_eq!(rest.next(), None, "nothing is new");
});

fn write(text: &[u8]) {
    let file = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&*FILE);
    file.and_then(|mut file| file.write_all(text))
        .expect("a file");
}

/// It goes to a terminal and into the log.
fn explained(error: &UsersError) {
    let text = error.to_string();
    assert!(
        !text.is_empty() && !text.contains(char::is_control),
        "{text:?}"
    );
}
