//! Pallet in CI: plans as comments, JUnit reports, the examples of docs/ci.md, and the drift timer.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use pallet_tests::{Bed, Init, Process, Project, root, workspace};
use serde_json::Value;

use crate::document::{Block, blocks};
use crate::lift::project;

/// Prints a JUnit file as JSON, after checking the rules that readers such as GitLab rely on.
const READ_JUNIT: &str = r#"
import json, sys, xml.etree.ElementTree as tree
root = tree.parse(sys.argv[1]).getroot()
assert root.tag == "testsuites", root.tag
suites = {}
for suite in root:
    assert suite.tag == "testsuite" and suite.get("name"), suite.attrib
    seen = set()
    counted = dict(failure=0, error=0, skipped=0)
    for case in suite:
        assert case.tag == "testcase", case.tag
        key = (case.attrib["classname"], case.attrib["name"])
        assert all(key) and key not in seen, key
        seen.add(key)
        float(case.attrib["time"])
        tags = [child.tag for child in case]
        assert all(tag in ("failure", "error", "skipped", "system-out") for tag in tags), tags
        for tag in counted:
            counted[tag] += tags.count(tag)
    numbers = [int(suite.attrib[name]) for name in ("tests", "failures", "errors", "skipped")]
    assert numbers == [len(suite)] + list(counted.values()), (numbers, counted)
    suites[suite.attrib["name"]] = [
        dict(case.attrib, **{child.tag: [child.get("message"), child.text] for child in case})
        for case in suite
    ]
assert int(root.attrib["tests"]) == sum(map(len, suites.values()))
print(json.dumps(suites))
"#;

/// The test cases of a JUnit file, by suite.
#[track_caller]
fn junit(file: &Path) -> Value {
    json_of(&["-c", READ_JUNIT, file.to_str().unwrap()])
}

/// What a program in Python prints, as JSON.
#[track_caller]
fn json_of(arguments: &[&str]) -> Value {
    let mut python = Command::new("python3");
    python.args(arguments);
    let output = Process::start(python, Duration::from_secs(60)).wait().exits(0);
    serde_json::from_str(&output.stdout).unwrap()
}

/// The test case with this name.
#[track_caller]
fn case<'a>(suites: &'a Value, suite: &str, name: &str) -> &'a Value {
    let found = suites[suite].as_array().into_iter().flatten().find(|case| case["name"] == name);
    found.unwrap_or_else(|| panic!("no {name} in {suite}: {suites:#}"))
}

const APP: &str = r##"
def configure(request):
    remote_file(request, "/srv/same", content = "```\n</details> @root\n")
    remote_file(request, "/srv/<b>", content = request.target.name + "\n")
    exec_checked_script(request, "say", "printf 'a\\033[31m<\\001&]]>\\n'; test -e /srv/good")

group_spec("app", phases = {"configure": configure})
"##;

#[test]
fn a_plan_is_a_comment() {
    let bed = Bed::of(2);
    let project = project(&bed, 2, "root", APP);
    let plan = project.run(&["plan", "--format", "markdown"]).exits(0).stdout;
    assert!(plan.contains("\n### Pallet: nodes: 2 would change\n"), "{plan}");
    let same =
        "<summary><code>~ remote_file /srv/same</code> on <code>node[1:2]</code> (2 nodes): ";
    assert!(plan.contains(same), "{plan}");
    assert!(plan.contains("\n+```\n+</details> @root\n````\n\n</details>\n"), "{plan}");
    assert!(plan.contains("<code>~ remote_file /srv/&lt;b&gt;</code> on <code>node1</code>: "));
    assert!(plan.contains(", declared at `pallet.star:3:5`"), "{plan}");
    bed.ssh(1, "ls /srv").exits(0).never_says("same");

    let one = project.run(&["plan", "node1", "--format", "markdown"]).exits(0).stdout;
    assert!(one.contains("nodes: 1 would change") && !one.contains("node2"), "{one}");
    let converge = project.run(&["plan", "--converge", "app=2"]).exits(0);
    converge.says("~ node1: configure: remote_file /srv/same").says("nodes: 2 would change");
    let events = project.run(&["plan", "--format", "json"]).exits(0).stdout;
    assert!(events.lines().all(|line| serde_json::from_str::<Value>(line).is_ok()), "{events}");
    project.run(&["plan", "app=3"]).exits(2).says("use `plan --converge app=3`");
    let both = ["plan", "--format", "junit", "--output", "json"];
    project.run(&both).exits(2).says("exclude each other");

    bed.kill(2);
    let failed = project.run(&["plan", "--format", "markdown"]).exits(1).stdout;
    assert!(failed.contains("### Pallet: nodes: 1 failed, 1 would change"), "{failed}");
    assert!(failed.contains("<b>failed:</b> <code>node2</code>"), "{failed}");
}

#[test]
fn results_are_junit() {
    let bed = Bed::of(2);
    let project = project(&bed, 2, "root", APP);
    bed.ssh(2, "mkdir -p /srv; touch /srv/good").exits(0);
    let file = project.directory().join("report.xml");
    let report = ["--junit", file.to_str().unwrap()];
    let run = |words: &[&str], code| {
        project.run(&[words, &report].concat()).exits(code);
        junit(&file)
    };

    let checked = run(&["check"], 0);
    assert_eq!(case(&checked, "project", "group app")["classname"], "project");
    let planned = run(&["plan"], 0);
    let same = case(&planned, "node1", "remote_file /srv/same");
    assert_eq!(
        (&same["classname"], &same["file"]),
        (&"node1.configure".into(), &"pallet.star".into())
    );
    assert!(same["system-out"][1].as_str().unwrap().contains("\n+</details> @root\n"), "{same}");
    let printed = project.run(&["plan", "--format", "junit"]).exits(0).stdout;
    fs::write(&file, printed).unwrap();
    assert_eq!(junit(&file)["node2"].as_array().unwrap().len(), 3);

    let lifted = run(&["lift"], 1);
    let failed = case(&lifted, "node1", "exec_checked_script say");
    let said = failed["system-out"][1].as_str().unwrap();
    assert!(said.contains("a\\u{1b}[31m<\\u{1}&]]>"), "{failed}");
    assert!(failed["failure"][0].is_string(), "{failed}");
    let passed = case(&lifted, "node2", "exec_checked_script say");
    assert!(passed["failure"].is_null(), "{passed}");

    bed.ssh(2, "echo changed >/srv/same").exits(0);
    let drift = run(&["lift", "node2", "--drift-only"], 3);
    let changed = case(&drift, "node2", "remote_file /srv/same");
    assert!(changed["failure"][0].as_str().unwrap().starts_with("drift: "), "{changed}");

    let ran = {
        project.run(&["run", "app", report[0], report[1], "--", "test -e /srv/good"]).exits(1);
        junit(&file)
    };
    assert_eq!(case(&ran, "node1", "run")["failure"][0], "exit 1");
    assert!(case(&ran, "node2", "run")["failure"].is_null());

    project.edit(
        "pallet.star",
        "remote_file(request, \"/srv/same\"",
        "remote_fil(request, \"/srv/same\"",
    );
    let wrong = run(&["check"], 2);
    assert_eq!(
        case(&wrong, "project", "pallet.star:3")["failure"][1],
        "did you mean `remote_file`?"
    );
    let unwritable = ["check", "--junit", "/nowhere/report.xml"];
    project.edit("pallet.star", "remote_fil(", "remote_file(");
    project
        .run(&unwritable)
        .exits(2)
        .says("report.xml: this is not a file in a directory that exists");
}

/// All values of `key` in a document, in order.
fn values_of<'a>(value: &'a Value, key: &str, found: &mut Vec<&'a str>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                match value {
                    _ if name != key => values_of(value, key, found),
                    Value::Array(lines) => found.extend(lines.iter().filter_map(Value::as_str)),
                    value => found.extend(value.as_str()),
                }
            }
        }
        Value::Array(items) => items.iter().for_each(|item| values_of(item, key, found)),
        _ => {}
    }
}

#[test]
fn the_examples_of_the_guide_work() {
    let guide = fs::read_to_string(root().join("docs/ci.md")).unwrap();
    let bed = Bed::of(1);
    let app = APP.replace("test -e /srv/good", "true");
    let project = project(&bed, 1, "root", &app);
    let cli = workspace().cli().parent().unwrap();
    let path = format!("{}:{}", cli.display(), std::env::var("PATH").unwrap());
    let read = "import json, sys, yaml; print(json.dumps(yaml.safe_load(open(sys.argv[1]))))";
    project.run(&["install"]).exits(0);
    let mut examples = 0;
    for block in blocks(&guide) {
        let Block::File { path: name, text } = block else { continue };
        project.write(&name, text);
        let file = project.directory().join(&name);
        let document = json_of(&["-c", read, file.to_str().unwrap()]);
        let mut lines = Vec::new();
        for key in ["run", "script", "before_script"] {
            values_of(&document, key, &mut lines);
        }
        let ours: Vec<_> = lines.iter().filter(|line| line.starts_with("pallet-cli ")).collect();
        assert!(ours.len() >= 5, "{name}: {lines:?}");
        for line in ours {
            let mut words = bed.prefix();
            words.extend(["sh", "-c", line].map(str::to_owned));
            let mut shell = Command::new(&words[0]);
            shell.args(&words[1..]).current_dir(project.directory()).env_clear();
            shell.envs(project.variables()).env("PATH", &path);
            Process::start(shell, Duration::from_secs(120)).wait().exits(0);
        }
        // what a job hands over was written
        let mut reports = Vec::new();
        values_of(&document, "junit", &mut reports);
        for report in reports {
            junit(&project.directory().join(report));
        }
        let comment = fs::read_to_string(project.directory().join("plan.md")).unwrap();
        assert!(comment.starts_with("<!-- pallet-plan: project -->\n### Pallet: "), "{comment}");
        examples += 1;
    }
    assert_eq!(examples, 3);
}

#[test]
fn units_of_a_schedule_are_what_systemd_reads() {
    let project = Project::empty();
    let directory = project.home().join("100% of $my \"shop\"");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("pallet.toml"), "[project]\nname = \"shop\"\n").unwrap();
    let at = directory.to_str().unwrap();
    let install = |more: &[&str]| {
        let words = ["-C", at, "schedule", "install", "--dry-run", "--output", "json"];
        let told = project.run_in(project.home(), &[&words, more].concat()).exits(0);
        serde_json::from_str::<Value>(&told.stdout).unwrap()
    };
    for (manager, more, when) in [
        ("--user", vec!["--every", "90min"], "OnUnitActiveSec=5400s"),
        ("--system", vec!["--calendar", "Mon..Fri 06:00"], "OnCalendar=Mon..Fri 06:00"),
        ("--system", vec!["--apply", "--on-failure", "mail.service"], "OnUnitActiveSec=3600s"),
    ] {
        let told = install(&[&[manager], more.as_slice()].concat());
        assert_eq!(told["changed"], false);
        let [service, timer] = [&told["units"][0], &told["units"][1]]
            .map(|unit| (unit["path"].as_str().unwrap(), unit["text"].as_str().unwrap()));
        assert!(service.0.ends_with("/pallet-drift-shop.service"), "{told}");
        assert!(!Path::new(service.0).exists() && !Path::new(timer.0).exists());
        assert!(timer.1.contains(when), "{told}");
        assert_eq!(!more.contains(&"--apply"), service.1.contains("\"--drift-only\""), "{told}");
        let mut verify = Command::new("systemd-analyze");
        verify.args(["--man=no", manager, "verify"]).env("XDG_RUNTIME_DIR", project.home());
        for (path, text) in [service, timer] {
            let file = project.home().join(Path::new(path).file_name().unwrap());
            fs::write(&file, text).unwrap();
            verify.arg(file);
        }
        let verified = Process::start(verify, Duration::from_secs(60)).wait();
        let said = &verified.stderr;
        assert!(!said.lines().any(|line| line.contains("pallet-drift-")), "{told}\n{verified}");
    }
    let fails = |more: &[&str]| {
        let words = ["-C", at, "schedule", "install", "--dry-run"];
        project.run_in(project.home(), &[&words, more].concat()).exits(2)
    };
    fails(&["--every", "soon"]).says("--every soon: write it as in 30min, 6h or 1day");
    fails(&["--every", "1s"]).says("the shortest time is 1min");
    fails(&["--calendar", "whenever"]).says("--calendar \"whenever\": ");
    fails(&["--calendar", "daily", "--every", "1h"]).says("cannot be used with");
    if !Path::new("/run/systemd/system").exists() {
        let install = ["-C", at, "schedule", "install"];
        let refused = project.run_in(project.home(), &install).exits(2);
        refused.says("systemd does not run here").says("0 * * * * ").says("/100\\% of $my");
    }
}

#[test]
fn a_timer_of_systemd_reports_drift_and_changes_nothing() {
    let bed = Bed::with(1, Init::Systemd);
    // the node is the controller of a project with itself
    let project = project(&bed, 1, "root", "group_spec(\"app\")\n");
    let stripped = project.directory().join("pallet-cli");
    let mut strip = Command::new("strip");
    strip.arg("-o").arg(&stripped).arg(workspace().cli());
    Process::start(strip, Duration::from_secs(60)).wait().exits(0);
    let localhost = "libpallet_provider_localhost.so";
    let localhost = workspace().plugins().find(|plugin| plugin.file.ends_with(localhost)).unwrap();
    let own = "group_spec(\"app\", phases = {\"configure\": lambda request: \
        remote_file(request, \"/srv/motd\", content = \"hi\\n\")})\n";
    project.write("own/pallet.star", own);
    let config = "[project]\nname = \"shop\"\n\n[services.here]\nprovider = \"localhost\"\n\
        group = \"app\"\n";
    project.write("own/pallet.toml", config);
    let copy = |from: &Path, to: &str| {
        project.run(&["cp", from.to_str().unwrap(), &format!("node1:{to}")]).exits(0);
    };
    bed.ssh(1, "mkdir -p /opt/pallet/bin /opt/pallet/lib/pallet '/srv/my shop'").exits(0);
    copy(&stripped, "/opt/pallet/bin/pallet-cli");
    copy(&localhost.file, "/opt/pallet/lib/pallet/libpallet_provider_localhost.so");
    for file in ["pallet.toml", "pallet.star"] {
        copy(&project.directory().join("own").join(file), &format!("/srv/my shop/{file}"));
    }
    let cli =
        "chmod 755 /opt/pallet/bin/pallet-cli; cd '/srv/my shop' && /opt/pallet/bin/pallet-cli";
    let on_node = |words: &str| bed.ssh(1, &format!("{cli} {words}"));

    on_node("lift").exits(0);
    on_node("schedule status").exits(2).says("`pallet-cli schedule install` writes it");
    on_node("schedule install --calendar yearly")
        .exits(0)
        .says("pallet-drift-shop.timer looks for");
    bed.ssh(1, "systemctl is-enabled pallet-drift-shop.timer").exits(0).says("enabled");
    bed.ssh(1, "systemctl is-active pallet-drift-shop.timer").exits(0).says("active");
    // the same again is no change
    let again = on_node("schedule install --calendar yearly --output json").exits(0);
    again.says("\"changed\":false");
    bed.ssh(1, "systemctl start pallet-drift-shop.service").exits(0);
    on_node("schedule status").exits(0).says("timer: active").says("last check: no drift");

    bed.ssh(1, "echo hacked >/srv/motd").exits(0);
    let failed = bed.ssh(1, "systemctl start pallet-drift-shop.service");
    assert_ne!(failed.code(), 0, "{failed}");
    on_node("schedule status").exits(0).says("last check: drift");
    bed.ssh(1, "cat /srv/motd").exits(0).says("hacked");
    bed.ssh(1, "journalctl -u pallet-drift-shop").exits(0).says("-hacked");

    // another project of the same name
    bed.ssh(1, "cp -r '/srv/my shop' /srv/other").exits(0);
    for verb in ["install", "status", "remove"] {
        let other = format!("/opt/pallet/bin/pallet-cli -C /srv/other schedule {verb}");
        bed.ssh(1, &other).exits(2).says("is for the project shop in /srv/my shop");
    }

    on_node("schedule remove").exits(0).says("removed /etc/systemd/system/pallet-drift-shop.timer");
    bed.ssh(1, "systemctl list-units --all | grep pallet-drift; ls /etc/systemd/system")
        .exits(0)
        .never_says("pallet-drift");
    on_node("schedule remove").exits(0).says("there is no pallet-drift-shop.timer");
}
