use std::process::ExitCode;

fn main() -> ExitCode {
    rfbridge::app::main(rfbridge::cli::parse())
}
