//! Endless or very large output: it is limited, and reported in few lines.

use std::time::Duration;

use pallet_tests::{Bed, Project};

use super::project;

/// Runs it, and returns its output, its exit code, and its peak memory in MiB.
fn measured(project: &Project, arguments: &[&str]) -> (String, i32, u64) {
    let mut running = project.start(arguments);
    let mut most = 0;
    while let Some(kib) = running.peak_memory() {
        most = kib.max(most);
        std::thread::sleep(Duration::from_millis(5));
    }
    let output = running.wait();
    (format!("{}{}", output.stdout, output.stderr), output.code(), most >> 10)
}

/// Scripts that print 100 MB and fail, each in a phase of its own.
const NOISY: &str = r##"
def noisy(script):
    return lambda request: exec_script(request, script)

group_spec("app", phases = {
    "configure": lambda request: remote_file(request, "/srv/a", content = "a\n"),
    "line": noisy("head -c 100000000 /dev/zero | tr '\\0' x; echo; echo the end; exit 3"),
    "lines": noisy("yes all the same | head -c 100000000; echo the end; exit 3"),
    "errors": noisy("{ echo the beginning; head -c 5000000 /dev/zero | tr '\\0' y; } >&2; exit 3"),
})
"##;

#[test]
fn fault_27_a_hundred_megabytes_cost_no_memory_and_few_lines() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", NOISY);
    let (said, code, idle) = measured(&project, &["lift"]);
    assert_eq!(code, 0, "{said}");
    for (phase, end) in [("line", "the end"), ("lines", "the end"), ("errors", "the beginning")] {
        let (said, code, most) = measured(&project, &["lift", "--phase", phase]);
        assert_eq!(code, 1, "{phase}: {}", said.len());
        assert!(most < idle + 30, "{phase}: {most} MiB, and {idle} MiB for nothing");
        assert!(
            said.len() < 10_000 && said.contains(end) && said.contains(" left out)"),
            "{phase}: {said}"
        );
        assert!(said.contains("failed with exit code 3"), "{phase}: {said}");
    }
    // users can ask for all of it
    let all = project.run(&["lift", "--phase", "errors", "-vv"]);
    assert_eq!(all.stdout.matches('y').count() / 1_000_000, 5, "{}", all.stdout.len());
}

/// A node whose tools never stop printing.
#[test]
fn fault_27_an_answer_without_end_is_no_answer() {
    let bed = Bed::of(1);
    let declared = "def configure(request):\n    remote_file(request, \"/srv/two\\nlines\", \
        content = \"a\\n\")\n\ngroup_spec(\"app\", phases = {\"configure\": configure})\n";
    let project = project(&bed, 1, "root", declared);
    bed.ssh(
        1,
        "printf x > '/srv/two\nlines'; printf '#!/bin/sh\\nexec yes\\n' > \
        /usr/local/bin/stat; chmod 755 /usr/local/bin/stat",
    )
    .exits(0);
    let (said, code, most) = measured(&project, &["lift", "--dry-run"]);
    assert_eq!(code, 1, "{said}");
    assert!(said.contains("the node's answer to the observation exceeds 64 MiB"), "{said}");
    assert!(most < 300, "{most} MiB");
    bed.ssh(
        1,
        "for i in 1 2 3 4 5 6 7 8 9 10; do pgrep -x yes >/dev/null || exit 0; command sleep \
        0.3; done; exit 1",
    )
    .exits(0);
}

#[test]
fn fault_27_ten_thousand_nodes_that_cannot_be_reached_are_few_lines() {
    let mut config = "[admin_user]\nname = \"root\"\n\n[services.far]\n\
        provider = \"node-list\"\n"
        .to_owned();
    for number in 0..10_000 {
        let host = format!("127.1.{}.{}", number / 250, number % 250 + 1);
        config += &format!(
            "\n[[services.far.nodes]]\nname = \"web-{}\"\nhost = \"{host}\"\n\
            port = 1\ngroup = \"app\"\n",
            number + 1
        );
    }
    let project = Project::empty().timeout(Duration::from_secs(120));
    project.write("pallet.toml", config);
    project.write(
        "pallet.star",
        "group_spec(\"app\", phases = {\"configure\": lambda request: None})\n",
    );
    let output = project.run(&["lift", "--parallel", "500"]);
    assert_eq!(output.code(), 1, "{}", output.stderr.len());
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(
        said.lines().count() < 40,
        "{} lines: {}",
        said.lines().count(),
        &said[..2000.min(said.len())]
    );
    assert!(said.contains("web-[1:10000] failed, 9999 of them with a similar error"), "{said}");
    assert!(said.contains("nodes: 10000 failed"), "{said}");
}

#[test]
fn fault_27_one_mistake_in_pallet_toml_is_not_a_thousand() {
    let project = Project::empty();
    project.write("pallet.toml", format!("[services.a\n{}", "[[[\u{1b}[31m= =\n".repeat(2000)));
    project.write("pallet.star", "");
    let output = project.run(&["nodes"]);
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(said.lines().count() < 60, "{} lines", said.lines().count());
    assert!(said.contains("more errors follow; this one may have caused them"), "{said}");
    assert!(!said.contains('\u{1b}'), "{said:?}");
}

const FULL: &str = r##"
def configure(request):
    remote_file(request, "/srv/small/big", content = "x" * 3000000)

group_spec("app", phases = {
    "configure": configure,
    "readonly": lambda request: remote_file(request, "/srv/small/new", content = "a\n"),
})
"##;

#[test]
fn fault_29_a_full_disk_and_one_that_cannot_be_written_are_named() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", FULL);
    let output = project.run(&["lift"]);
    assert_eq!(output.code(), 1, "{output}");
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(
        said.contains("the disk is full") && said.contains("No space left on device"),
        "{said}"
    );
    assert_eq!(said.matches("No space left").count(), 1, "it is told once: {said}");
    bed.ssh(1, "mount -o remount,ro /srv/small").exits(0);
    let output = project.run(&["lift", "--phase", "readonly"]);
    assert_eq!(output.code(), 1, "{output}");
    let said = format!("{}{}", output.stdout, output.stderr);
    assert!(
        said.contains("the file system is read-only") && said.contains("Read-only file system"),
        "{said}"
    );
}

#[test]
fn fault_31_nothing_that_a_node_says_acts_on_a_terminal() {
    let bed = Bed::of(1);
    let declared = r##"
def configure(request):
    remote_file(request, "/srv/a", content = "new\n")
    symbolic_link(request, "/srv/l", target = "/srv/a", force = True)
    exec_script(request, "printf 'out \\033[31m\\033]0;title\\007 \\302\\233 \\342\\200\\256\\n'; exit 1")

group_spec("app", phases = {"configure": configure})
"##;
    let project = project(&bed, 1, "root", declared);
    let hostile = "e=$(printf '\\033[31m\\342\\200\\256'); mkdir -p /srv; printf '%s\\n' \"$e\" > \
        /srv/a; ln -s \"$e\" /srv/l; sed -i \"s/^ID=.*/ID=\\\"x$e\\\"/\" /etc/os-release";
    bed.ssh(1, hostile).exits(0);
    for arguments in [
        &["lift", "--dry-run"][..],
        &["explain", "node1"],
        &["nodes"],
        &["lift", "-vv"],
        &["lift", "--output", "json"],
        &["run", "node1", "--", "cat /etc/os-release; printf '\\033[2J'"],
        &["run", "node1", "--output", "json", "--", "cat /etc/os-release; printf '\\033[2J'"],
        &["cp", "node1:/srv/none-\u{1b}[31m\u{202e}", "."],
        &["check"],
    ] {
        let output = project.run(arguments);
        let said = format!("{}{}", output.stdout, output.stderr);
        let acts = |character: char| character != '\n' && pallet_core::model::acts(character);
        assert!(!said.contains(acts), "{arguments:?}: {said:?}");
    }
}

#[test]
fn fault_31_nobody_else_may_write_what_is_kept_here() {
    use std::os::unix::fs::PermissionsExt;
    let bed = Bed::of(1);
    let open_to_all = ["sh", "-c", "umask 000; exec \"$@\"", "sh"].map(str::to_owned);
    let project =
        project(&bed, 1, "root", NOISY).prefixed([bed.prefix(), open_to_all.to_vec()].concat());
    let output = project.run(&["lift"]);
    assert_eq!(output.code(), 0, "{output}");
    let (mut open, mut seen) = (vec![project.home().to_owned()], 0);
    while let Some(directory) = open.pop() {
        for entry in std::fs::read_dir(directory).unwrap().flatten() {
            let data = entry.metadata().unwrap();
            assert_eq!(data.permissions().mode() & 0o022, 0, "{}", entry.path().display());
            seen +=
                usize::from(entry.path().extension().is_some_and(|extension| extension == "json"));
            if data.is_dir() {
                open.push(entry.path());
            }
        }
    }
    assert!(seen > 0, "the facts of the node are kept");
}
