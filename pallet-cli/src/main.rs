//! The program `pallet-cli`.

use std::process::ExitCode;

fn main() -> ExitCode {
    pallet_cli::main()
}
