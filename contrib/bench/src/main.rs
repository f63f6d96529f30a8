//! The command: case by case, with all servers in turn, and the tables.

use std::{process::ExitCode, time::Duration};

use clap::Parser;
use rfbridge_bench::{
    Failure, feed,
    measure::{self, Case, Outcome},
    options::{Options, Plan},
    server,
    table::{self, Summary},
};

fn main() -> ExitCode {
    match bench(&Options::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench: {failure}");
            ExitCode::FAILURE
        }
    }
}

fn bench(options: &Options) -> Result<(), Failure> {
    let plan = options.plan()?;
    eprintln!("{}", estimate(options, &plan));
    println!("{}\n", description(options, &plan));
    let directory = std::env::temp_dir().join(format!("rfbridge-bench-{}", std::process::id()));
    let mut header = "";
    for case in plan.cases() {
        let summaries = alternate(options, &plan.servers, &case, &directory);
        let wanted = match case.link {
            Some(_) => table::LINK_HEADER,
            None => table::HEADER,
        };
        if header != wanted {
            let gap = if header.is_empty() { "" } else { "\n" };
            println!("{gap}{wanted}");
            header = wanted;
        }
        let first = plan.servers[0].name();
        let first = summaries.iter().find(|summary| summary.server == first);
        for summary in &summaries {
            println!(
                "{}",
                match case.link {
                    Some(_) => summary.link_row(&case),
                    None => summary.row(&case, first),
                }
            );
        }
    }
    Ok(())
}

/// Runs one case with all servers in turn, as often as asked for. A server that fails is left out of the rest.
fn alternate(
    options: &Options,
    servers: &[server::Kind],
    case: &Case<'_>,
    directory: &std::path::Path,
) -> Vec<Summary> {
    let mut runs: Vec<Option<Vec<Outcome>>> = vec![Some(Vec::new()); servers.len()];
    for repeat in 0..options.repeats {
        for (server, runs) in servers.iter().zip(&mut runs) {
            let Some(done) = runs else { continue };
            let verify = options.verifies(repeat);
            let name = server.name();
            let what = format!(
                "{} {} ×{}",
                case.workload.name, case.client.name, case.clients
            );
            match measure::run(case, server, verify, directory) {
                Ok(outcome) => {
                    let (turn, all) = (repeat + 1, options.repeats);
                    let (cpu, kilobytes) = (outcome.cpu, outcome.kilobytes);
                    eprintln!(
                        "{what}: {turn}/{all} {name}: {cpu:.3} ms, {kilobytes:.2} KB a frame"
                    );
                    done.push(outcome);
                }
                Err(failure) => {
                    eprintln!("{what}: {name} is left out: {failure}");
                    *runs = None;
                }
            }
        }
    }
    let named = servers.iter().zip(&runs);
    named
        .filter_map(|(server, runs)| Some(Summary::of(server.name(), runs.as_ref()?)))
        .collect()
}

fn estimate(options: &Options, plan: &Plan) -> String {
    let run =
        feed::SLOT * u32::try_from(options.frames).unwrap_or(u32::MAX) + Duration::from_secs(4);
    let runs = plan.cases().count() * plan.servers.len() * options.repeats;
    let minutes = run.as_secs_f64() * runs as f64 / 60.0;
    format!("{runs} runs, some {minutes:.0} minutes")
}

fn description(options: &Options, plan: &Plan) -> String {
    let first_line = |file: &str, key: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        let line = text.lines().find(|line| line.starts_with(key));
        line.map(|line| {
            line[key.len()..]
                .trim_start_matches([':', ' ', '\t'])
                .to_owned()
        })
    };
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let model = first_line("/proc/cpuinfo", "model name").unwrap_or("processor".into());
    let kernel = first_line("/proc/sys/kernel/osrelease", "").unwrap_or_default();
    let load = first_line("/proc/loadavg", "").unwrap_or_default();
    let load = load.split(' ').next().unwrap_or("?").to_owned();
    let first = plan.servers.first().map_or("", |server| server.name());
    format!(
        "{}, {cores} × {model}, Linux {kernel}, load {load} at the start, {} frames a run, medians of {} alternated \
         runs; ÷ is {first} divided by that row's server",
        today(),
        options.frames,
        options.repeats,
    )
}

/// The date in UTC, from the days since 1970 by way of years that begin in March.
#[allow(clippy::disallowed_methods, reason = "a report names its day")]
fn today() -> String {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH);
    date(since.map_or(0, |since| since.as_secs() / 86_400))
}

fn date(days: u64) -> String {
    let days = days + 719_468;
    let (era, day) = (days / 146_097, days % 146_097);
    let year = (day - day / 1_460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let (day, month) = (day - (153 * month + 2) / 5 + 1, (month + 2) % 12 + 1);
    let year = year + era * 400 + u64::from(month <= 2);
    format!("{year}-{month:02}-{day:02}")
}

#[cfg(test)]
mod tests {
    #[test]
    fn days_are_dates() {
        for (days, date) in [
            (0, "1970-01-01"),
            (11_016, "2000-02-29"),
            (20_454, "2026-01-01"),
            (20_781, "2026-11-24"),
        ] {
            assert_eq!(super::date(days), date);
        }
    }
}
