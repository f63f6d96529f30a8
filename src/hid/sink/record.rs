//! A sink that writes down what another one takes.
//!
//! One JSON object per line: `{"t_us":1234,"function":"keyboard","report":"0200040000000000"}`. `t_us` counts microseconds
//! from the moment the recording began and never runs backwards; `report` is hexadecimal, as long as the function's reports are.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
    time::Instant,
};

use super::{Function, Offer, Sink};

pub struct RecordSink {
    inner: Box<dyn Sink>,
    path: PathBuf,
    /// `None` once writing has failed.
    file: Option<File>,
    start: Instant,
}

impl RecordSink {
    /// Records into a new or emptied file. The error names the file.
    pub fn create(path: &Path, inner: Box<dyn Sink>) -> io::Result<Self> {
        let file = File::create(path).map_err(|error| {
            io::Error::new(
                error.kind(),
                format!("cannot record reports to {}: {error}", path.display()),
            )
        })?;
        Ok(Self {
            inner,
            path: path.to_owned(),
            file: Some(file),
            start: Instant::now(),
        })
    }

    fn write_down(&mut self, function: Function, report: &[u8]) {
        let Some(file) = &mut self.file else {
            return;
        };
        let t_us = self.start.elapsed().as_micros();
        let hex = report.iter().fold(String::new(), |mut hex, byte| {
            // Writing to a String cannot fail.
            let _ = write!(hex, "{byte:02x}");
            hex
        });
        let line =
            format!("{{\"t_us\":{t_us},\"function\":\"{function}\",\"report\":\"{hex}\"}}\n");
        if let Err(error) = file.write_all(line.as_bytes()) {
            tracing::error!(file = %self.path.display(), %error, "recording of reports ends here");
            self.file = None;
        }
    }
}

impl Sink for RecordSink {
    fn offer(&mut self, function: Function, report: &[u8]) -> Offer {
        let offer = self.inner.offer(function, report);
        if offer == Offer::Taken {
            self.write_down(function, report);
        }
        offer
    }

    fn has(&mut self, function: Function) -> bool {
        self.inner.has(function)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Refuses every other report.
    struct EveryOther(bool);

    impl Sink for EveryOther {
        fn offer(&mut self, _function: Function, _report: &[u8]) -> Offer {
            self.0 = !self.0;
            if self.0 { Offer::Busy } else { Offer::Taken }
        }
    }

    #[test]
    fn taken_reports_are_lines() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("reports");
        let mut sink = RecordSink::create(&path, Box::new(EveryOther(false))).unwrap();
        assert_eq!(sink.offer(Function::Keyboard, &[2, 0, 4]), Offer::Busy);
        assert_eq!(sink.offer(Function::Keyboard, &[2, 0, 4]), Offer::Taken);
        assert_eq!(sink.offer(Function::Absolute, &[0xff; 7]), Offer::Busy);
        assert_eq!(sink.offer(Function::Absolute, &[0xff; 7]), Offer::Taken);
        let text = std::fs::read_to_string(&path).unwrap();
        let lines: Vec<_> = text.lines().collect();
        assert!(lines[0].starts_with("{\"t_us\":"));
        assert!(lines[0].ends_with(",\"function\":\"keyboard\",\"report\":\"020004\"}"));
        assert!(lines[1].ends_with(",\"function\":\"absolute\",\"report\":\"ffffffffffffff\"}"));
        assert_eq!(lines.len(), 2);
    }

    #[test]
    fn a_full_disk_ends_the_recording_only() {
        let mut sink =
            RecordSink::create(Path::new("/dev/full"), Box::new(super::super::NullSink)).unwrap();
        assert_eq!(sink.offer(Function::Keyboard, &[0; 8]), Offer::Taken);
        assert!(sink.file.is_none());
        assert_eq!(sink.offer(Function::Keyboard, &[0; 8]), Offer::Taken);
    }
}
