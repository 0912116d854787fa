//! The machine changes while its nodes run: such changes are not blamed on a dry run.

use std::collections::VecDeque;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{RecvTimeoutError, Sender, channel};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use super::elsewhere::library;
use super::{home, tried};
use pallet_tests::root;

/// Files that come and go, in a directory that nodes see.
struct Life {
    directory: PathBuf,
    end: Option<Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Life {
    fn begin() -> Self {
        let directory = root().join(format!("target/coming-and-going-{}", std::process::id()));
        fs::create_dir_all(&directory).unwrap();
        let (end, ended) = channel();
        let place = directory.clone();
        let thread = std::thread::spawn(move || {
            let mut files = VecDeque::new();
            let mut number = 0;
            while ended.recv_timeout(Duration::from_millis(5)) == Err(RecvTimeoutError::Timeout) {
                let file = place.join(number.to_string());
                fs::write(&file, "").unwrap();
                files.push_back((file, Instant::now()));
                number += 1;
                while let Some((file, _)) =
                    files.pop_front_if(|(_, born)| born.elapsed() > Duration::from_secs(2))
                {
                    fs::remove_file(file).unwrap();
                }
            }
        });
        Self { directory, end: Some(end), thread: Some(thread) }
    }
}

impl Drop for Life {
    fn drop(&mut self) {
        drop(self.end.take());
        let _ = self.thread.take().map(JoinHandle::join);
        let _ = fs::remove_dir_all(&self.directory);
    }
}

#[test]
fn what_comes_and_goes_on_the_machine_is_not_what_a_dry_run_wrote() {
    let home = home();
    let package = home.directory();
    home.write("tests/note.star", NOTE);
    home.write(
        "tests/pallet.toml",
        "default_service = \"sandbox\"\n\n[services.sandbox]\n\
        provider = \"sandbox\"\n",
    );
    let _life = Life::begin();
    assert_eq!(tried(&home, &package, Path::new(&library()), &["--system", "debian"]), "note\n");
}

const NOTE: &str = r#"
def configure(request):
    remote_file(request, "/opt/note", content = "note")

group_spec("note", count = 1, phases = {"configure": configure})
"#;
