//! `rfbridge user` as operators and scripts meet it.

use std::{
    fs,
    io::Write as _,
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use tempfile::TempDir;

struct Bench {
    directory: TempDir,
}

impl Bench {
    fn new() -> Self {
        let directory = tempfile::tempdir().expect("a directory");
        Self { directory }
    }

    fn file(&self) -> PathBuf {
        self.directory.path().join("users")
    }

    /// Runs `rfbridge user` with this on standard input; gives exit code, standard output and standard error.
    fn user(&self, arguments: &str, input: &str) -> (i32, String, String) {
        let arguments = format!("{arguments} --file {}", self.file().display());
        run(&arguments, input)
    }

    fn text(&self) -> String {
        fs::read_to_string(self.file()).unwrap_or_default()
    }
}

fn run(arguments: &str, input: &str) -> (i32, String, String) {
    let mut child = Command::new(env!("CARGO_BIN_EXE_rfbridge"))
        .arg("user")
        .args(arguments.split_whitespace())
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    // Some commands end without reading it.
    let _ = child
        .stdin
        .take()
        .expect("its input")
        .write_all(input.as_bytes());
    let output = child.wait_with_output().expect("it ends");
    let text = |bytes| String::from_utf8(bytes).expect("UTF-8");
    (
        output.status.code().expect("no signal"),
        text(output.stdout),
        text(output.stderr),
    )
}

#[test]
fn users_are_added_listed_changed_and_removed() {
    let bench = Bench::new();
    let (code, said, _) = bench.user("add alice --role admin", "swordfish\n");
    assert_eq!(code, 0);
    assert!(said.contains("[security]"), "{said}");
    let (code, said, _) = bench.user("add bob", "tunafish!");
    assert_eq!((code, said.as_str()), (0, "bob may enter, role control\n"));
    let list = || bench.user("list", "").1;
    assert_eq!(list(), "alice  admin\nbob    control\n");
    let hash_of_bob = || bench.text().lines().nth(1).map(str::to_owned);
    let before = hash_of_bob();
    assert_eq!(bench.user("passwd bob", "octopus!!\n").0, 0);
    assert_ne!(hash_of_bob(), before);
    assert_eq!(bench.user("role bob view", "").0, 0);
    assert_eq!(bench.user("remove alice", "").0, 0);
    assert_eq!(list(), "bob  view\n");
    let text = bench.text();
    for secret in ["swordfish", "tunafish", "octopus"] {
        assert!(!text.contains(secret), "{text}");
    }
}

#[test]
fn what_cannot_be_done_ends_with_1_a_reason_and_the_file_as_it_was() {
    let bench = Bench::new();
    bench.user("add alice --role admin", "swordfish\n");
    let before = bench.text();
    for (arguments, input, words) in [
        ("add alice", "swordfish\n", "rfbridge user passwd alice"),
        ("add bob", "", "no password"),
        ("add bob", "\nswordfish\n", "no password"),
        ("add bob", "short12\n", "8 characters"),
        ("add bob", &"x".repeat(1025), "1024 bytes"),
        ("passwd bob", "swordfish\n", "no user bob"),
        ("remove bob", "", "no user bob"),
        ("role bob view", "", "no user bob"),
    ] {
        let (code, stdout, stderr) = bench.user(arguments, input);
        assert_eq!((code, stdout.as_str()), (1, ""), "{arguments}: {stderr}");
        assert!(stderr.starts_with("rfbridge: "), "{stderr}");
        assert!(stderr.contains(words), "{arguments}: {stderr}");
        assert!(!stderr.contains("swordfish"), "{stderr}");
        assert_eq!(bench.text(), before);
    }
}

#[test]
fn the_configuration_says_which_file() {
    let bench = Bench::new();
    let config = bench.directory.path().join("rfbridge.toml");
    let users = bench.file();
    let text = format!("[security]\nusers = \"{}\"\n", users.display());
    fs::write(&config, text).expect("a file");
    let with = |command: &str| format!("{command} --config {}", config.display());
    assert_eq!(run(&with("add alice"), "swordfish\n").0, 0);
    assert!(Path::new(&users).exists());
    assert_eq!(run(&with("list"), "").1, "alice  control\n");
}
