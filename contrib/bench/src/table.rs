//! Results as rows of markdown tables: medians of the runs, and ratios.

use crate::{
    measure::{Case, Outcome},
    picture::Quality,
};

/// The medians of one server's runs of one case.
#[derive(Clone, Debug)]
pub struct Summary {
    pub server: String,
    cpu: f64,
    feeder: f64,
    kilobytes: f64,
    p50: Option<f64>,
    p99: Option<f64>,
    newest_p50: Option<f64>,
    newest_p99: Option<f64>,
    /// Of the run with the fewest.
    shown: usize,
    changes: usize,
    worst: Option<Quality>,
    /// Of the run with the most.
    invalid: usize,
    memory: [f64; 3],
    /// Of the run with the most.
    dropped: usize,
}

pub const HEADER: &str = "\
| workload | client | clients | server | CPU ms / frame | KB / frame | p50 ms | p99 ms | shown / changes | worst picture | peak RSS MiB | dropped | CPU ÷ | KB ÷ | p50 ÷ |
|---|---|--:|---|--:|--:|--:|--:|--:|---|--:|--:|--:|--:|--:|";

pub const LINK_HEADER: &str = "\
| workload | client | link | server | CPU ms / frame | KB / frame | newest p50 ms | newest p99 ms | shown / changes | RSS MiB: start → end (peak) |
|---|---|---|---|--:|--:|--:|--:|--:|--:|";

impl Summary {
    /// # Panics
    /// If there are no runs.
    pub fn of(server: &str, runs: &[Outcome]) -> Self {
        let all =
            |part: fn(&Outcome) -> f64| median(runs.iter().map(part).collect()).unwrap_or(0.0);
        let times = |part: fn(&Outcome) -> &Vec<f64>, share: f64| {
            median(
                runs.iter()
                    .filter_map(|run| percentile(part(run), share))
                    .collect(),
            )
        };
        Self {
            server: server.to_owned(),
            cpu: all(|run| run.cpu),
            feeder: all(|run| run.feeder),
            kilobytes: all(|run| run.kilobytes),
            p50: times(|run| &run.shown, 0.5),
            p99: times(|run| &run.shown, 0.99),
            newest_p50: times(|run| &run.newest, 0.5),
            newest_p99: times(|run| &run.newest, 0.99),
            shown: runs.iter().map(|run| run.shown.len()).min().unwrap_or(0),
            changes: runs[0].changes,
            worst: runs
                .iter()
                .filter_map(|run| run.worst)
                .min_by(|a, b| a.partial_cmp(b).unwrap_or(std::cmp::Ordering::Equal)),
            invalid: runs.iter().map(|run| run.invalid).max().unwrap_or(0),
            memory: [
                all(|run| run.memory[0]),
                all(|run| run.memory[1]),
                all(|run| run.memory[2]),
            ],
            dropped: runs.iter().map(|run| run.dropped).max().unwrap_or(0),
        }
    }

    /// A row of [`HEADER`]; the last columns are what `first` needs, divided by what this one needs.
    pub fn row(&self, case: &Case<'_>, first: Option<&Summary>) -> String {
        let ratio = |of: fn(&Summary) -> Option<f64>| {
            let other = first.filter(|first| first.server != self.server);
            let both = other.and_then(of).zip(of(self));
            both.map_or(String::new(), |(a, b)| divided(a, b))
        };
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} / {} | {} | {:.0} | {} | {} | {} | {} |",
            case.workload.name,
            client_text(case),
            case.clients,
            self.server,
            self.cpu_text(),
            amount(self.kilobytes),
            time(self.p50),
            time(self.p99),
            self.shown,
            self.changes,
            self.worst_text(),
            self.memory[2],
            self.dropped,
            ratio(|summary| Some(summary.cpu)),
            ratio(|summary| Some(summary.kilobytes)),
            ratio(|summary| summary.p50),
        )
    }

    /// A row of [`LINK_HEADER`].
    pub fn link_row(&self, case: &Case<'_>) -> String {
        let [start, end, peak] = self.memory;
        format!(
            "| {} | {} | {} | {} | {} | {} | {} | {} | {} / {} | {start:.0} → {end:.0} ({peak:.0}) |",
            case.workload.name,
            client_text(case),
            case.link.map_or("–".into(), |link| link.to_string()),
            self.server,
            self.cpu_text(),
            amount(self.kilobytes),
            time(self.newest_p50),
            time(self.newest_p99),
            self.shown,
            self.changes,
        )
    }

    fn worst_text(&self) -> String {
        let worst = self.worst.map_or("–".into(), |worst| worst.to_string());
        match self.invalid {
            0 => worst,
            invalid => format!("{worst}, {invalid} rectangles invalid"),
        }
    }

    fn cpu_text(&self) -> String {
        if self.feeder > 0.0 {
            format!("{:.2} (feeder {:.2})", self.cpu, self.feeder)
        } else if self.cpu < 0.1 {
            format!("{:.3}", self.cpu)
        } else {
            format!("{:.2}", self.cpu)
        }
    }
}

fn client_text(case: &Case<'_>) -> String {
    let flow = if case.continuous { ", continuous" } else { "" };
    format!("{}{flow}", case.client.name)
}

fn amount(kilobytes: f64) -> String {
    match kilobytes {
        ..10.0 => format!("{kilobytes:.2}"),
        ..100.0 => format!("{kilobytes:.1}"),
        _ => format!("{kilobytes:.0}"),
    }
}

fn time(milliseconds: Option<f64>) -> String {
    milliseconds.map_or("–".into(), |ms| format!("{ms:.1}"))
}

fn divided(a: f64, b: f64) -> String {
    match (a, b) {
        (0.0, 0.0) => "–".into(),
        (_, 0.0) => "∞".into(),
        _ => format!("{:.2}", a / b),
    }
}

/// The value below which `share` of them lie.
pub fn percentile(values: &[f64], share: f64) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let place = (share * sorted.len() as f64).ceil() as usize;
    sorted.get(place.saturating_sub(1)).copied()
}

fn median(values: Vec<f64>) -> Option<f64> {
    percentile(&values, 0.5)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn percentiles_are_values_that_occurred() {
        let values: Vec<f64> = (1..=200).rev().map(f64::from).collect();
        assert_eq!(percentile(&values, 0.5), Some(100.0));
        assert_eq!(percentile(&values, 0.99), Some(198.0));
        assert_eq!(percentile(&[3.0, 1.0, 2.0], 0.5), Some(2.0));
        assert_eq!(percentile(&[7.0], 0.99), Some(7.0));
        assert_eq!(percentile(&[], 0.5), None);
    }

    #[test]
    fn ratios_say_when_there_is_nothing_to_divide() {
        assert_eq!(divided(1.0, 4.0), "0.25");
        assert_eq!(divided(0.0, 4.0), "0.00");
        assert_eq!(divided(0.0, 0.0), "–");
        assert_eq!(divided(1.0, 0.0), "∞");
    }
}
