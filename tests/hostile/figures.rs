//! What was measured, as rows of a table in Markdown.

use std::{
    fmt,
    sync::{Mutex, PoisonError},
    time::Duration,
};

use crate::arena::Usage;

static ROWS: Mutex<Vec<Row>> = Mutex::new(Vec::new());

/// One attack and what the server and the good client had of it.
pub struct Row {
    pub name: String,
    pub connections: usize,
    /// Before and after, with the good client alone.
    pub usage: [Usage; 2],
    /// The good client's worst latency before, during and after.
    pub worst: [Duration; 3],
    /// Pictures that the good client saw meanwhile.
    pub pictures: usize,
}

impl fmt::Display for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [before, after] = &self.usage;
        let mib = |kib: u64| kib as f64 / 1024.0;
        let [earlier, meanwhile, later] = self.worst.map(|worst| worst.as_secs_f64() * 1000.0);
        write!(
            f,
            "| {} | {} | {:.1} → {:.1} MiB | {:.1} MiB | {} → {} | {} → {} | {} | {earlier:.1} / {meanwhile:.1} / {later:.1} ms |",
            self.name,
            self.connections,
            mib(before.rss_kib),
            mib(after.rss_kib),
            mib(after.peak_kib),
            before.files,
            after.files,
            before.threads,
            after.threads,
            self.pictures,
        )
    }
}

pub fn note(row: Row) {
    ROWS.lock()
        .unwrap_or_else(PoisonError::into_inner)
        .push(row);
}

/// Prints all rows, if there are any.
pub fn print() {
    let rows = ROWS.lock().unwrap_or_else(PoisonError::into_inner);
    if rows.is_empty() {
        return;
    }
    println!(
        "| attack | connections | RSS | peak | descriptors | threads | pictures | worst latency before / during / after |"
    );
    println!("|---|--:|---|--:|---|---|--:|---|");
    rows.iter().for_each(|row| println!("{row}"));
}
