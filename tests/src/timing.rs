//! How long tests take, for `.ci/run`.

use std::cell::OnceCell;
use std::fs::File;
use std::io::Write;
use std::time::Instant;

/// The file to add a line to for each test: seconds and name.
const FILE: &str = "PALLET_TEST_TIMES";

/// A test that runs. Each has a thread of its own, with its name.
struct Running(Instant, String);

thread_local! {
    static RUNNING: OnceCell<Running> = const { OnceCell::new() };
}

/// Measures the test of this thread from now on, until its thread ends.
pub(crate) fn measure() {
    let thread = std::thread::current();
    if let (Some(_), Some(name)) = (std::env::var_os(FILE), thread.name()) {
        RUNNING.with(|running| {
            running.get_or_init(|| Running(Instant::now(), name.to_owned()));
        });
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let Some(file) = std::env::var_os(FILE) else { return };
        let line = format!("{:7.1} {}\n", self.0.elapsed().as_secs_f64(), self.1);
        let file = File::options().append(true).create(true).open(file);
        let _ = file.and_then(|mut file| file.write_all(line.as_bytes()));
    }
}
