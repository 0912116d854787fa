//! pallet-core's own test compares templates with a record of Jinja2's results; this compares the
//! record with Jinja2 itself, where it can be installed.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pallet_core::model::digest;
use pallet_tests::{Process, root};

/// The Python of an environment with the packages in `requirements.txt`, by digest; `None` if it
/// cannot be created.
fn python(record: &Path) -> Option<std::path::PathBuf> {
    let requirements = record.join("requirements.txt");
    let cache = std::env::var_os("XDG_CACHE_HOME")
        .map(Into::into)
        .or_else(|| std::env::var_os("HOME").map(|home| Path::new(&home).join(".cache")))?;
    let name = digest(&std::fs::read(&requirements).unwrap());
    let place = cache.join("pallet-tests").join(format!("jinja2-{}", &name[..16]));
    let python = place.join("bin/python3");
    let ran = |program: &Path, arguments: &[&std::ffi::OsStr]| {
        let mut command = Command::new(program);
        command.args(arguments);
        command.output().is_ok_and(|output| output.status.success())
    };
    if ran(&python, &["-c".as_ref(), "import jinja2".as_ref()]) {
        return Some(python);
    }
    let install: [&std::ffi::OsStr; 7] = [
        "-m".as_ref(),
        "pip".as_ref(),
        "install".as_ref(),
        "--quiet".as_ref(),
        "--require-hashes".as_ref(),
        "-r".as_ref(),
        requirements.as_ref(),
    ];
    let made = ran(Path::new("python3"), &["-m".as_ref(), "venv".as_ref(), place.as_ref()])
        && ran(&python, &install);
    made.then_some(python)
}

#[test]
fn the_record_is_what_jinja2_says() {
    let record = root().join("pallet-core/src/engine/templates/jinja2");
    let Some(python) = python(&record) else {
        eprintln!("Jinja2 cannot be installed here: its record is not compared with it");
        return;
    };
    let mut command = Command::new(python);
    command.arg(record.join("record.py")).arg("--check");
    Process::start(command, Duration::from_secs(60)).wait().exits(0);
}
