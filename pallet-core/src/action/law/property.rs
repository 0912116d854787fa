//! The laws of every action that writes files, for random declarations on random nodes.
//!
//! Every run of the tests tries some cases. `PALLET_LAW_CASES=100000` tries that many others, with
//! a random seed that is printed; `PALLET_LAW_SEED` sets the seed, and `PALLET_LAW_LIST=1`
//! continues after a violation and lists all of them.

mod laws;
mod node;
mod tree;
mod wishes;

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::env;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};

use self::laws::{Became, check};
use self::node::Node;
use super::Project;

const TEST: &str = "action::law::property::random_declarations_on_random_nodes";

/// The default number of cases, and their seed.
const CASES: usize = 1_000;
const SEED: u64 = 1;

#[test]
#[ignore = "needs root"]
fn random_declarations_on_random_nodes() {
    let number =
        |name: &str| env::var(name).ok().map(|value| value.parse::<u64>().expect("it is a number"));
    if let Some(worker) = number("PALLET_LAW_WORKER") {
        let cases = number("PALLET_LAW_CASES").expect("the worker is told how many");
        return work(
            worker,
            cases,
            number("PALLET_LAW_SEED").expect("the worker is told the seed"),
        );
    }
    let cases = number("PALLET_LAW_CASES").unwrap_or(CASES as u64);
    let told = number("PALLET_LAW_SEED");
    let clock = || std::time::SystemTime::UNIX_EPOCH.elapsed().map_or(SEED, |now| now.as_secs());
    let seed = told.unwrap_or_else(|| if cases == CASES as u64 { SEED } else { clock() });
    let workers = std::thread::available_parallelism().map_or(2, |found| found.get()) as u64;
    println!("{cases} cases from PALLET_LAW_SEED={seed} by {workers} workers");
    let started = |worker: u64| {
        let mut command = Command::new("unshare");
        command.args(["--mount", "--uts"]).arg(env::current_exe().expect("it runs"));
        command.args(["--exact", TEST, "--ignored", "--nocapture", "--test-threads", "1"]);
        command
            .env("PALLET_LAW_WORKER", worker.to_string())
            .env("PALLET_LAW_SEED", seed.to_string());
        command
            .env("PALLET_LAW_CASES", cases.div_ceil(workers).to_string())
            .env("RUST_BACKTRACE", "0")
            .stdin(Stdio::null());
        command.spawn().expect("unshare is there")
    };
    let running: Vec<_> = (0..workers).map(started).collect();
    let failed = running
        .into_iter()
        .map(|mut worker| worker.wait().expect("it ends"))
        .filter(|status| !status.success())
        .count();
    assert_eq!(failed, 0, "a law was broken: the case stands above");
}

/// Tries cases in the namespaces of this process.
fn work(worker: u64, cases: u64, seed: u64) {
    let (root, files) = (
        tempfile::tempdir().expect("a temporary directory"),
        tempfile::tempdir().expect("a temporary directory"),
    );
    let project = Project(files);
    fill(&project);
    let mut node = Node::at(root.path());
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    bytes[8] = u8::try_from(worker).unwrap_or(u8::MAX);
    let list = env::var_os("PALLET_LAW_LIST").is_some();
    // do not retry a case that hangs: it takes too long
    let (max_shrink_iters, max_shrink_time) = (if list { 40 } else { 300 }, 90_000);
    let config = Config {
        cases: 1,
        failure_persistence: None,
        max_shrink_iters,
        max_shrink_time,
        ..Config::default()
    };
    let mut runner =
        TestRunner::new_with_rng(config, TestRng::from_seed(RngAlgorithm::ChaCha, &bytes));
    let (strategy, begun) = (wishes::case(), Instant::now());
    let (mut told, mut ends) = (begun, BTreeMap::<String, usize>::new());
    let mut broken = BTreeMap::<String, usize>::new();
    for number in 0..cases {
        let tried = strategy.new_tree(&mut runner).expect("a case is made");
        match check(&mut node, &project, &tried.current()) {
            Ok(became) => became.iter().for_each(|end| *ends.entry(kind(end)).or_default() += 1),
            Err(why) if broken.contains_key(&cut(&why)) => {
                *broken.entry(cut(&why)).or_default() += 1
            }
            Err(why) => {
                *broken.entry(cut(&why)).or_default() += 1;
                let node = RefCell::new(&mut node);
                // it must break the same law, so that another violation does not hide it
                let again = |case| match check(*node.borrow_mut(), &project, &case) {
                    Err(other) if !list || cut(&other) == cut(&why) => {
                        Err(TestCaseError::fail(other))
                    }
                    _ => Ok(()),
                };
                match runner.run_one(tried, again) {
                    Err(TestError::Fail(why, case)) => {
                        println!("BROKEN worker {worker} case {number}: {why}\n{case:?}\n")
                    }
                    other => println!(
                        "BROKEN worker {worker} case {number}, not every time ({other:?}): {why}\n"
                    ),
                }
            }
        }
        if !broken.is_empty() && !list {
            break;
        }
        if told.elapsed() > Duration::from_secs(60) {
            told = Instant::now();
            println!("worker {worker}: {number} of {cases} cases, {} s", begun.elapsed().as_secs());
        }
    }
    if list {
        println!("worker {worker}: {:?}, broken: {broken:#?}\nends: {ends:#?}", begun.elapsed());
    }
    drop(node);
    let _ = rustix::mount::unmount(root.path(), rustix::mount::UnmountFlags::DETACH);
    assert!(broken.is_empty(), "laws were broken");
}

/// The result of an action, without numbers.
fn kind(end: &Became) -> String {
    match end {
        Became::Refused(why) => format!("refused: {}", cut(why)),
        Became::CannotBe(why) | Became::Failed(why) => format!("error: {}", cut(why)),
        other => format!("{other:?}"),
    }
}

/// The beginning of a text, without quoted names and paths.
fn cut(text: &str) -> String {
    let words = text.split(' ').map(|word| if word.contains(['/', '"']) { "_" } else { word });
    words.collect::<Vec<_>>().join(" ").chars().take(90).collect()
}

/// The files of the project that declarations refer to.
fn fill(project: &Project) {
    let at = project.0.path();
    let write = |name: &str, content: &[u8]| {
        std::fs::write(at.join(name), content).expect("it can be written")
    };
    write("text", b"text\r\n# \xc3\xbc\n");
    write("binary", b"\0\xff\n\r");
    write("large", &b"0123456\n".repeat(131_072));
    write("template", b"hello {{ name }}\n");
    std::fs::create_dir_all(at.join("app/bin")).expect("it can be made");
    std::fs::write(at.join("app/bin/run"), "run\n").expect("it can be written");
    std::fs::write(at.join("app/it's [a] *"), "weird\n").expect("it can be written");
    // a link out of the directory and a file that would be written through it; a name that climbs
    // out
    let script = "set -e\ncd \"$1\"\ntar -czf plain.tar.gz app\n\
        mkdir a b && ln -s /home/elsewhere a/out && mkdir b/out && echo x >b/out/file\n\
        tar -cf links.tar -C a out && tar -rf links.tar -C b out/file\n\
        echo x >climbed && mkdir deep && tar -P -cf climbing.tar -C deep ../climbed";
    let packed = Command::new("sh").args(["-c", script, "sh"]).arg(at).status();
    assert!(packed.is_ok_and(|status| status.success()), "the archives are packed");
}
