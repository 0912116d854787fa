//! Operations that go on where they were: after a failure, and after kill -9 at any moment.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use pallet_tests::{Bed, Project};
use rustix::process::Signal;
use serde_json::Value;

use super::{project, text};
use crate::quickstart::{alone, names};

const WEB: [(&str, &str); 3] = [("web-1", "web"), ("web-2", "web"), ("web-3", "web")];

const COUNTED: &str = r#"
def configure(request):
    number = str(request.environment.number)
    exec_script(request, "echo " + number + " >>/srv/first")
    if request.target.name == request.environment.get("broken"):
        exec_script(request, "test -e /srv/mended")
    remote_file(request, "/srv/number", content = number + "\n")
    exec_script(request, "echo " + number + " >>/srv/second")

group_spec("web", phases = {"configure": configure}, rollout = rollout(waves = ["1", "100%"]))
"#;

/// How often each node ran a script in a run with this number.
fn runs(bed: &Bed, file: &str, number: usize) -> [usize; 3] {
    let number = number.to_string();
    [1, 2, 3].map(|node| text(bed, node, file).lines().filter(|line| *line == number).count())
}

#[test]
fn what_was_done_is_not_done_again() {
    let bed = Bed::of(3);
    let project = project(&bed, &WEB, COUNTED);
    project.run(&["lift", "--resume"]).exits(2).says("no lift of this project in the journal");
    let environment = ["--env", "number=1", "--env", "broken=web-2"];
    let with = |words: &[&'static str]| [words, &environment].concat();
    project.run(&with(&["lift", "--max-failures", "1"])).exits(1).says("2 changed, 1 failed");
    // the file that it waits for is no input of the project
    bed.ssh(2, "touch /srv/mended").exits(0);
    project.run(&["lift", "--resume"]).exits(2).says("changed since: environment");
    let output = project.run(&with(&["lift", "--resume"])).exits(0);
    let output = output.says("already done by the resumed operation: web-1, web-3");
    let output =
        output.says("exec_script echo 1 >>/srv/first: already done by the resumed operation");
    output.says("nodes: 1 changed");
    assert_eq!((runs(&bed, "/srv/first", 1), runs(&bed, "/srv/second", 1)), ([1; 3], [1; 3]));
    project.run(&with(&["lift", "--resume"])).exits(2).says("there is nothing to resume");
    project.run(&with(&["converge", "--resume"])).exits(2).says("no converge of this project");
    project.run(&["lift", "--resume", "no-such"]).exits(2).says("there is no operation no-such");
    project.run(&["lift", "web", "--resume"]).exits(2).says("cannot be used with");

    // a project that changed is refused, unless that is meant
    let second = ["--env", "number=2", "--env", "broken=web-3"];
    bed.ssh(3, "rm -f /srv/mended").exits(0);
    project.run(&[&["lift"], &second[..]].concat()).exits(1).says("2 changed, 1 failed");
    bed.ssh(3, "touch /srv/mended").exits(0);
    project.edit("pallet.star", "def configure", "# a comment\ndef configure");
    let resume = [&["lift", "--resume"], &second[..]].concat();
    project.run(&resume).exits(2).says("changed since: pallet.star").says("--resume-anyway");
    project.run(&[&resume[..], &["--resume-anyway"]].concat()).exits(0);
    assert_eq!((runs(&bed, "/srv/first", 2), runs(&bed, "/srv/second", 2)), ([1; 3], [1; 3]));
    // the same name elsewhere is another project
    let other = Project::on_bed(&bed, &[("pallet.toml", "[project]\nname = \"rollout\"\n")]);
    other.run(&["lift", "--resume"]).exits(2);
}

const BLOCKS: &str = r#"
def note(request, word, unless = None):
    exec_script(request, "echo %s >>/srv/log" % word, unless = unless)

def up(request):
    note(request, "up")
    exec_script(request, "test -e /srv/mended")

def down(request):
    note(request, "down")

def sure(request):
    note(request, "sure")

def configure(request):
    plan_when(request, "test -e /srv/mended", lambda request: note(request, "same"))
    note(request, "same")
    on_failure(request, up, then = down)
    on_failure(request, sure, always = lambda request: note(request, "always"))
    run_once(request, lambda request: note(request, "once"))
    exec_script(request, "test -e /srv/mended")

group_spec("web", phases = {"configure": configure})
"#;

#[test]
fn what_was_undone_is_done_again_and_nothing_else() {
    let bed = Bed::of(3);
    let project = project(&bed, &WEB, BLOCKS);
    // the first node cannot be reached, so another one runs what must run once
    bed.kill(1);
    project.run(&["lift"]).exits(1).says("3 failed");
    let begun = "same\nup\ndown\nsure\nalways\n";
    let log = |node: usize| text(&bed, node, "/srv/log");
    assert_eq!([2, 3].map(log), [format!("{begun}once\n"), begun.to_owned()]);
    bed.start(1);
    // it fails in between, and is resumed again
    project.run(&["lift", "--resume"]).exits(1).says("3 failed");
    project.run(&["history", "show"]).exits(0).says("resumes");
    for node in 1..=3 {
        bed.ssh(node, "touch /srv/mended").exits(0);
    }
    let output = project.run(&["lift", "--resume"]).exits(0);
    let again = "up\ndown\n";
    let rest = "same\nup\n";
    assert_eq!(log(1), format!("{begun}{rest}"), "{output}");
    assert_eq!(log(2), format!("{begun}once\n{again}{rest}"), "{output}");
    assert_eq!(log(3), format!("{begun}{again}{rest}"), "{output}");
    // whoever resumes the first one again is told
    let listed = project.run(&["history", "--output", "json"]).exits(0).stdout;
    let listed: Value = serde_json::from_str(&listed).unwrap();
    let first = listed[2]["operation"].as_str().unwrap();
    project.run(&["lift", "--resume", first]).exits(2).says("was already resumed");
}

/// Random moments of an operation; the seed is told if a test fails.
struct Moments {
    seed: u64,
    /// How long the operation takes from its first record on, as far as known.
    lasts: Duration,
}

impl Moments {
    fn new() -> Self {
        let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap();
        let seed = now.as_nanos() as u64 | 1;
        eprintln!("seed {seed}");
        Moments { seed, lasts: Duration::from_secs(1) }
    }

    fn next(&mut self) -> Duration {
        self.seed ^= self.seed << 13;
        self.seed ^= self.seed >> 7;
        self.seed ^= self.seed << 17;
        self.lasts.mul_f64((self.seed >> 11) as f64 / (1_u64 << 53) as f64)
    }

    /// The operation was over at a moment, or it was not: so the moments follow the machine's pace.
    fn learn(&mut self, over: bool) {
        self.lasts = self.lasts.mul_f64(if over { 0.9 } else { 1.02 });
    }
}

/// The file of the latest operation.
fn latest(project: &Project, name: &str) -> Option<PathBuf> {
    let directory = project.home().join(".local/state/pallet").join(name).join("operations");
    let files = std::fs::read_dir(directory).into_iter().flatten();
    files.map(|file| file.unwrap().path()).max()
}

/// The records of the latest operation; the last line may be cut off.
fn journal(project: &Project, name: &str) -> Vec<Value> {
    let text = latest(project, name).map(|path| std::fs::read_to_string(path).unwrap());
    let text = text.unwrap_or_default();
    text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

fn of_kind<'a>(records: &'a [Value], kind: &'a str) -> impl Iterator<Item = &'a Value> {
    records.iter().filter(move |record| record["event"] == kind)
}

/// How often the scripts of a file ran, by node, as far as the journal confirms it.
fn confirmed(records: &[Value], file: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for action in of_kind(records, "action") {
        let ran = action["changed"] == true && action["action"] == "exec_script";
        if ran && action["subject"].as_str().unwrap_or_default().ends_with(file) {
            *counts.entry(action["node"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Starts a command, kills it at a random moment, and returns what its journal says; `None` if it
/// was over.
fn killed(
    project: &Project,
    name: &str,
    arguments: &[&str],
    moments: &mut Moments,
) -> Option<Vec<Value>> {
    let before = latest(project, name);
    let mut process = project.start(arguments);
    while latest(project, name) == before {
        assert!(process.peak_memory().is_some(), "it ended without a record");
        std::thread::sleep(Duration::from_millis(1));
    }
    std::thread::sleep(moments.next());
    process.signal(Signal::KILL);
    process.wait();
    let records = journal(project, name);
    let over = of_kind(&records, "finished").next().is_some();
    moments.learn(over);
    Some(records).filter(|records| !records.is_empty() && !over)
}

const LIFTS: usize = 150;

#[test]
fn a_lift_that_is_killed_anywhere_goes_on() {
    let bed = Bed::of(3);
    let project = project(&bed, &WEB, COUNTED);
    project.run(&["lift", "--env", "number=0"]).exits(0);
    let (mut moments, mut interrupted, mut number) = (Moments::new(), 0, 0);
    while interrupted < LIFTS {
        number += 1;
        assert!(number < 4 * LIFTS, "only {interrupted} of {number} were killed in between");
        let environment = format!("number={number}");
        let lift = ["lift", "--env", &environment];
        let Some(records) = killed(&project, "rollout", &lift, &mut moments) else { continue };
        interrupted += 1;
        let sure = ["/srv/first", "/srv/second"].map(|file| confirmed(&records, file));
        let begun: Vec<_> = of_kind(&records, "applying").map(|record| &record["node"]).collect();
        let resume = ["lift", "--resume", "--env", &environment];
        let output = project.run(&resume).exits(0);
        for (file, sure) in ["/srv/first", "/srv/second"].iter().zip(sure) {
            for (node, ran) in runs(&bed, file, number).into_iter().enumerate() {
                let name = format!("web-{}", node + 1);
                // what was under way, and not confirmed, may have run or not
                let open = begun.iter().any(|begun| **begun == *name) && !sure.contains_key(&name);
                let expected = if open { 1..=2 } else { 1..=1 };
                assert!(
                    expected.contains(&ran),
                    "{name} ran {file} {ran} times in run {number} (confirmed: {sure:?})\n{output}"
                );
            }
        }
        let numbers = [1, 2, 3].map(|node| text(&bed, node, "/srv/number").trim().to_owned());
        assert_eq!(numbers, [&*number.to_string(); 3], "{records:#?}\n{output}");
    }
}

const GROWING: &str = r#"
def configure(request):
    exec_script(request, "echo " + str(request.environment.number) + " >>/srv/first")

group_spec("web", count = 1, phases = {"bootstrap": lambda request: None, "configure": configure})
"#;

const CONVERGES: usize = 50;

#[test]
fn a_converge_that_is_killed_anywhere_goes_on() {
    let _alone = alone();
    let project = Project::quickstart().timeout(Duration::from_secs(120));
    let config = "[project]\nname = \"growing\"\n[services.here]\nprovider = \"sandbox\"\n";
    project.write("pallet.toml", config);
    project.write("pallet.star", GROWING);
    project.run(&["converge", "--env", "number=0"]).exits(0);
    let (mut moments, mut interrupted, mut number) = (Moments::new(), 0, 0);
    while interrupted < CONVERGES {
        number += 1;
        assert!(number < 4 * CONVERGES, "only {interrupted} of {number} were killed in between");
        let environment = format!("number={number}");
        let (count, all): (_, &[&str]) = match number % 2 {
            0 => ("web=1", &["web-1"]),
            _ => ("web=3", &["web-1", "web-2", "web-3"]),
        };
        let converge = ["converge", count, "--yes", "--env", &environment];
        let killed = killed(&project, "growing", &converge, &mut moments);
        let again = match &killed {
            Some(_) => vec!["converge", "--resume", "--yes", "--env", &environment],
            None => converge.to_vec(),
        };
        let output = project.run(&again).exits(0);
        assert_eq!(names(&project), all, "none is missing and none is left\n{output}");
        let Some(records) = killed else { continue };
        interrupted += 1;
        let sure = confirmed(&records, "/srv/first");
        for node in all {
            let lines = project.run(&["run", node, "--", "cat", "/srv/first"]).exits(0).stdout;
            let wanted = number.to_string();
            let ran = lines.lines().filter(|line| line.trim().ends_with(&wanted)).count();
            assert!(ran == 1 || (ran == 2 && !sure.contains_key(*node)), "{node}: {ran}\n{lines}");
        }
    }
}
