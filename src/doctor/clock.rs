//! The time of day: a board without a battery starts in the past.

use std::time::{SystemTime, UNIX_EPOCH};

use super::{Clock, Examination, finding::Verdict};

const SET: &str = "connect the board to a network with time servers: sudo timedatectl set-ntp true; or set it by hand: sudo date \
     -s 'YYYY-MM-DD hh:mm'";

pub(super) fn clock(examination: &Examination<'_>) -> Verdict {
    let Clock {
        now,
        not_before,
        is_synchronised,
    } = examination.machine.clock;
    let today = date(now);
    if now < not_before {
        return Verdict::warning(
            format!(
                "it shows {today}, which is past: times in logs are wrong, and certificates are refused"
            ),
            SET,
        );
    }
    match is_synchronised {
        Some(true) => Verdict::ok(format!("{today}, held by a time server")),
        Some(false) => Verdict::note(format!("{today}, not held by a time server"), SET),
        None => Verdict::ok(today),
    }
}

/// `YYYY-MM-DD` in UTC. Days are counted from 1 March of the year 0, so that a leap day ends its year.
fn date(time: SystemTime) -> String {
    let seconds = match time.duration_since(UNIX_EPOCH) {
        Ok(since) => i64::try_from(since.as_secs()).unwrap_or(i64::MAX),
        Err(before) => {
            i64::try_from(before.duration().as_secs()).map_or(i64::MIN, |seconds| -seconds)
        }
    };
    let days = seconds.div_euclid(86_400) + 719_468;
    let (era, day) = (days.div_euclid(146_097), days.rem_euclid(146_097));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let (year, month) = (year + era * 400, (month + 2) % 12 + 1);
    format!(
        "{:04}-{month:02}-{day:02}",
        if month <= 2 { year + 1 } else { year }
    )
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn days_have_their_dates() {
        for (seconds, text) in [
            (0, "1970-01-01"),
            (951_782_400, "2000-02-29"),
            (951_868_800, "2000-03-01"),
            (1_767_225_599, "2025-12-31"),
            (1_767_225_600, "2026-01-01"),
            (4_107_542_400, "2100-03-01"),
        ] {
            assert_eq!(date(UNIX_EPOCH + Duration::from_secs(seconds)), text);
        }
        assert_eq!(date(UNIX_EPOCH - Duration::from_secs(1)), "1969-12-31");
    }
}
