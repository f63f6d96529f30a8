//! What the texts point to is there: files, and headings in them.

use std::{
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");

/// The texts for people.
fn texts() -> Vec<PathBuf> {
    let places = ["", "contrib/doc", "contrib/bench", "fixtures"];
    let files = places.iter().flat_map(|place| {
        let entries = fs::read_dir(Path::new(ROOT).join(place)).expect("a directory");
        entries.map(|entry| entry.expect("an entry").path())
    });
    files
        .filter(|path| path.extension().is_some_and(|kind| kind == "md"))
        .collect()
}

/// What stands in the round brackets of links and pictures that lead to no other machine.
fn links(text: &str) -> Vec<&str> {
    let rest = text.split("](").skip(1);
    rest.filter_map(|rest| rest.split(')').next())
        .filter(|link| !link.contains("://"))
        .collect()
}

/// How a heading is linked to.
fn anchor(heading: &str) -> String {
    let heading = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = heading
        .chars()
        .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
    kept.map(|c| if c == ' ' { '-' } else { c }).collect()
}

#[test]
fn every_link_leads_somewhere() {
    let mut dead = Vec::new();
    for path in texts() {
        let text = fs::read_to_string(&path).expect("a text");
        for link in links(&text) {
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => path.clone(),
                file => path.parent().expect("a directory").join(file),
            };
            let headings = || {
                let text = fs::read_to_string(&target).unwrap_or_default();
                let lines = text.lines().filter(|line| line.starts_with('#'));
                lines.map(anchor).collect::<Vec<_>>()
            };
            if !target.exists() || !heading.is_empty() && !headings().contains(&heading.to_owned())
            {
                dead.push(format!("{}: {link}", path.display()));
            }
        }
    }
    assert!(dead.is_empty(), "\n{}", dead.join("\n"));
}

#[test]
fn a_heading_is_linked_to_as_it_is_written_without_signs() {
    assert_eq!(anchor("### In the browser"), "in-the-browser");
    assert_eq!(anchor("## Fast, and small!"), "fast-and-small");
    assert_eq!(
        links("[a](b.md#c) and ![d](e.png), [f](https://g)"),
        ["b.md#c", "e.png"]
    );
}
