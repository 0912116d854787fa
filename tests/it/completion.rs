//! Completion in shells, as the scripts of `pallet-cli completions` do it.

use std::process::Command;

use pallet_core::engine::Kind;
use pallet_tests::{Project, Recorded, workspace};

const CONFIG: &str = r#"
[services.lab]
provider = "node-list"
[services.lab.nodes.web-1]
group = "web"
host = "127.0.0.1"
[services.lab.nodes.wiki]
group = "db"
host = "127.0.0.2"
[stages.prod]
"#;

const DECLARED: &str = r#"
web = group_spec("web", roles = ["website"], phases = {"configure": lambda request: None})
db = group_spec("db", phases = {"warm": lambda request: None})
"#;

/// A shell script, run in the project's directory with this program in the path.
fn shell(project: &Project, program: &str, script: &str) -> Vec<String> {
    let programs = workspace().cli().parent().unwrap().display().to_string();
    let path = std::env::var("PATH").unwrap();
    let ran = Command::new(program)
        .args(["-c", script])
        .env_clear()
        .env("HOME", project.home())
        .env("PATH", format!("{programs}:{path}"))
        .current_dir(project.directory())
        .output()
        .unwrap();
    assert!(ran.status.success(), "{program}: {ran:?}");
    String::from_utf8(ran.stdout).unwrap().lines().map(str::to_owned).collect()
}

/// What bash offers for the last of these words.
fn bash(project: &Project, words: &[&str]) -> Vec<String> {
    let quoted: Vec<String> = words.iter().map(|word| format!("'{word}'")).collect();
    let script = format!(
        "source <(pallet-cli completions bash)\nCOMP_WORDS=({})\nCOMP_CWORD={}\n\
         _clap_complete_pallet_cli pallet-cli '{}' '{}'\nprintf '%s\\n' \"${{COMPREPLY[@]}}\"",
        quoted.join(" "),
        words.len() - 1,
        words[words.len() - 1],
        words[words.len() - 2],
    );
    shell(project, "bash", &script)
}

#[test]
fn names_of_the_project_are_completed() {
    let project = Project::empty();
    project.write("pallet.toml", CONFIG);
    project.write("pallet.star", DECLARED);
    for (words, expected) in [
        (vec!["lift", "w"], vec!["web", "web-1", "website", "wiki"]),
        (vec!["lift", "!web-"], vec!["!web-1"]),
        (vec!["lift", "--limit", "db,web-"], vec!["db,web-1"]),
        (vec!["converge", "w"], vec!["web"]),
        (vec!["ssh", "w"], vec!["web-1", "wiki"]),
        (vec!["lift", "--phase", "w"], vec!["warm"]),
        (vec!["--service", "l"], vec!["lab"]),
        (vec!["nodes", "--stage", "p"], vec!["prod"]),
        (vec!["lift", "--only", "nginx.s"], vec!["nginx.service", "nginx.site", "nginx.stream"]),
        (vec!["doc", "remote_f"], vec!["remote_file"]),
        (vec!["conv"], vec!["converge"]),
    ] {
        let words = [&["pallet-cli"], &words[..]].concat();
        let found: Vec<String> =
            bash(&project, &words).iter().map(|word| word.trim().to_owned()).collect();
        assert_eq!(found, expected, "{words:?}");
    }
    let lift = Recorded::begin(&project, "project", Kind::Lift, "lift web", &["web-1"]);
    let short = &lift.id()[lift.id().len() - 12..];
    for words in [vec!["report"], vec!["watch"], vec!["history", "show"], vec!["history", "diff"]] {
        let words = [&["pallet-cli"], &words[..], &[&short[..5]]].concat();
        assert_eq!(bash(&project, &words), [short], "{words:?}");
    }
    let fish = "pallet-cli completions fish | source; complete -C 'pallet-cli lift web-'";
    let found = shell(&project, "fish", fish);
    assert!(found.iter().any(|line| line.starts_with("web-1")), "{found:?}");
    let zsh = "autoload -Uz compinit && compinit -u -D && source <(pallet-cli completions zsh) \
        && print -l ${(k)_comps[(R)*pallet*]}";
    assert_eq!(shell(&project, "zsh", zsh), ["pallet-cli"]);
    // a project with errors still has the names of its nodes, and nothing is said
    project.write("pallet.star", "group_spec(\n");
    assert_eq!(bash(&project, &["pallet-cli", "ssh", "wi"]), ["wiki"]);
}
