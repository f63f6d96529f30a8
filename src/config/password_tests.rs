//! Passwords and where they may be missing.

use std::{fs, os::unix::fs::PermissionsExt as _};

use super::{tests::config, *};

#[test]
fn without_a_password_only_loopback_is_served() {
    let file = private_file("secret\n");
    let password = Password::from_file(file.path()).ok();
    let view = Passwords {
        view: password.clone(),
        ..Passwords::default()
    };
    let full = Passwords {
        password,
        ..Passwords::default()
    };
    for (listen, loopback) in [
        ("127.0.0.1:5900", true),
        ("127.9.9.9:1", true),
        ("[::1]:5900", true),
        ("[::ffff:127.0.0.1]:5900", true),
        ("0.0.0.0:5900", false),
        ("[::]:5900", false),
        ("192.168.1.2:5900", false),
        ("[::ffff:10.0.0.1]:5900", false),
    ] {
        let config = config(&format!("listen = [\"127.0.0.1:0\", \"{listen}\"]"));
        assert_eq!(config.check_exposure(&full), Ok(()));
        assert_eq!(config.check_exposure(&view), Ok(()));
        let with_users = Config {
            security: Security {
                users: Some("/u".into()),
                ..Security::default()
            },
            ..config.clone()
        };
        assert_eq!(with_users.check_exposure(&Passwords::default()), Ok(()));
        match config.check_exposure(&Passwords::default()) {
            Ok(()) => assert!(loopback, "{listen}"),
            Err(error) => {
                assert!(!loopback, "{listen}");
                let error = error.to_string();
                for word in [listen, "without a password", "--password-file", "127.0.0.1"] {
                    assert!(error.contains(word), "no {word:?} in {error}");
                }
            }
        }
    }
}

fn private_file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().expect("a file");
    fs::write(file.path(), text).expect("a file");
    fs::set_permissions(file.path(), fs::Permissions::from_mode(0o600)).expect("a mode");
    file
}

#[test]
fn the_password_is_the_first_line() {
    for (text, password, cut) in [
        ("secret", "secret", false),
        ("secret\n", "secret", false),
        ("secret\r\nnot this\n", "secret", false),
        (" spaces stay ", " spaces stay ", true),
        ("12345678\n", "12345678", false),
        ("123456789\n", "123456789", true),
    ] {
        let read = Password::from_file(private_file(text).path()).expect(text);
        assert_eq!(read.as_bytes(), password.as_bytes());
        assert_eq!(read.is_cut_by_vnc_auth(), cut, "{text:?}");
        assert!(!format!("{read:?}").contains(password));
    }
}

#[test]
fn a_password_file_that_others_may_read_is_refused_with_the_remedy() {
    let file = private_file("secret\n");
    for mode in [0o640, 0o604, 0o620, 0o601] {
        fs::set_permissions(file.path(), fs::Permissions::from_mode(mode)).expect("a mode");
        let error = Password::from_file(file.path())
            .expect_err("readable")
            .to_string();
        let command = format!("chmod 600 {}", file.path().display());
        assert!(error.contains(&command), "{error}");
        assert!(error.contains(&format!("{mode:04o}")), "{error}");
        assert!(!error.contains("secret"), "{error}");
    }
}

#[test]
fn what_is_no_password_file_is_refused() {
    for (text, word) in [
        ("", "empty first line"),
        ("\nsecret", "empty first line"),
        (&"x".repeat(5000), "longer than"),
    ] {
        let error = Password::from_file(private_file(text).path()).expect_err(word);
        assert!(error.to_string().contains(word), "{error}");
    }
    let directory = tempfile::tempdir().expect("a directory");
    let error = Password::from_file(directory.path()).expect_err("a directory");
    assert!(error.to_string().contains("not a regular file"), "{error}");
    let error = Password::from_file(&directory.path().join("none")).expect_err("nothing");
    assert!(error.to_string().contains("--password-file"), "{error}");
}

#[test]
fn the_credentials_are_used_if_no_files_are_named() {
    let directory = tempfile::tempdir().expect("a directory");
    let credentials = Some(directory.path());
    let none = config("").passwords(credentials).expect("no error");
    assert!(none.is_empty());

    for (name, text) in [(CREDENTIAL, "from-systemd"), (VIEW_CREDENTIAL, "to look")] {
        let path = directory.path().join(name);
        fs::write(&path, text).expect("a file");
        // What systemd's access control list looks like.
        fs::set_permissions(&path, fs::Permissions::from_mode(0o440)).expect("a mode");
    }
    let given = |passwords: Passwords| {
        let text = |password: Option<Password>| password.map(|p| p.as_bytes().to_vec());
        (text(passwords.password), text(passwords.view))
    };
    let bytes = |text: &str| Some(text.as_bytes().to_vec());
    let passwords = config("").passwords(credentials).expect("no error");
    assert_eq!(given(passwords), (bytes("from-systemd"), bytes("to look")));

    let (file, view) = (private_file("from-file"), private_file("view-file"));
    let both = config(&format!(
        "password-file = \"{}\"\nview-password-file = \"{}\"",
        file.path().display(),
        view.path().display()
    ));
    let passwords = both.passwords(credentials).expect("no error");
    assert_eq!(given(passwords), (bytes("from-file"), bytes("view-file")));
}

#[test]
fn two_passwords_that_vnc_authentication_cannot_tell_apart_are_refused() {
    let (file, view) = (private_file("12345678"), private_file("123456789"));
    let both = config(&format!(
        "password-file = \"{}\"\nview-password-file = \"{}\"",
        file.path().display(),
        view.path().display()
    ));
    let error = both.passwords(None).expect_err("the same").to_string();
    assert!(
        error.contains("first 8 bytes") && !error.contains("1234"),
        "{error}"
    );
}
