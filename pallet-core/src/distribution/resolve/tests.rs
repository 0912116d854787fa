//! Tests of the chosen versions and of the messages for conflicts.

use std::collections::BTreeMap;

use expect_test::{Expect, expect};
use semver::Version;

use super::{Answer, Candidate, Known, Package, Question, Root, resolve};
use crate::model::Requirement;

/// Parses plugins from lines: `name version requires...`, with `!` before a reason why it does not
/// work.
fn known(lines: &str) -> Known {
    let mut known = Known::default();
    for line in lines.lines().map(str::trim).filter(|line| !line.is_empty()) {
        let (line, unfit) =
            line.split_once(" ! ").map_or((line, None), |(line, why)| (line, Some(why.to_owned())));
        let mut words = line.split_whitespace();
        let package = Package::config_crate(words.next().unwrap());
        let version: Version = words.next().unwrap().parse().unwrap();
        let requires = words.map(|word| {
            let (name, version) = word.split_once('@').unwrap();
            Requirement { name: name.to_owned(), version: version.parse().unwrap() }
        });
        let release = unfit.map_or(Candidate::Fits(requires.collect()), Candidate::Unfit);
        known.versions.entry(package.clone()).or_default().push(version.clone());
        known.candidates.insert((package, version), release);
    }
    known
}

fn roots(words: &str) -> Vec<Root> {
    let root = |word: &str| {
        let (name, version) = word.split_once('@').unwrap();
        Root {
            package: Package::config_crate(name),
            requirement: version.parse().unwrap(),
            by: "pallet.toml".to_owned(),
        }
    };
    words.split_whitespace().map(root).collect()
}

fn preferred(words: &str) -> BTreeMap<Package, Version> {
    let pair = |word: &str| {
        let (name, version) = word.split_once('@').unwrap();
        (Package::config_crate(name), version.parse().unwrap())
    };
    words.split_whitespace().map(pair).collect()
}

#[track_caller]
fn check(wanted: &str, lines: &str, locked: &str, expected: Expect) {
    let text = match resolve(&roots(wanted), &known(lines), &preferred(locked)) {
        Answer::Solved(chosen) => chosen
            .iter()
            .map(|(package, version)| format!("{}@{version}", package.name))
            .collect::<Vec<_>>()
            .join(" "),
        Answer::Needs(question) => format!("{question:?}"),
        Answer::Conflict(conflict) => conflict.to_string(),
    };
    expected.assert_eq(&text);
}

#[test]
fn the_highest_that_will_do() {
    check(
        "nginx@^1",
        "nginx 1.0.0\nnginx 1.10.0\nnginx 1.9.0\nnginx 2.0.0",
        "",
        expect!["nginx@1.10.0"],
    );
}

#[test]
fn what_is_locked_stays() {
    let there = "nginx 1.0.0\nnginx 1.1.0\nnginx 2.0.0";
    check("nginx@^1", there, "nginx@1.0.0", expect!["nginx@1.0.0"]);
    check("nginx@^2", there, "nginx@1.0.0", expect!["nginx@2.0.0"]);
}

#[test]
fn what_plugins_require_comes_too() {
    let there = "site 1.0.0 nginx@^1.1 user@*\nnginx 1.0.0\nnginx 1.2.0\nuser 3.0.0";
    check("site@*", there, "", expect!["nginx@1.2.0 site@1.0.0 user@3.0.0"]);
}

#[test]
fn a_lower_version_that_agrees_is_found() {
    let there = "shop 1.0.0 nginx@^1\nshop 2.0.0 nginx@^2\nsite 1.0.0 nginx@^1\nnginx 1.0.0\n\
        nginx 2.0.0";
    check("shop@* site@*", there, "", expect!["nginx@1.0.0 shop@1.0.0 site@1.0.0"]);
}

#[test]
fn what_is_locked_gives_way_where_it_must() {
    let there = "shop 1.0.0 nginx@^1\nshop 1.1.0 nginx@^2\nsite 1.0.0 nginx@^2\nnginx 1.0.0\n\
        nginx 2.0.0";
    check(
        "shop@* site@*",
        there,
        "shop@1.0.0 nginx@1.0.0",
        expect!["nginx@2.0.0 shop@1.1.0 site@1.0.0"],
    );
}

#[test]
fn a_conflict_names_both_paths() {
    let there = "shop 2.0.0 nginx@^2\nsite 1.0.0 pages@^1\npages 1.3.0 nginx@^1\nnginx 1.0.0\n\
        nginx 2.0.0";
    check(
        "shop@^2 site@*",
        there,
        "",
        expect![
            "no version of crate nginx satisfies all requirements: pallet.toml -> shop 2.0.0 -> \
             nginx ^2, and pallet.toml -> site 1.0.0 -> pages 1.3.0 -> nginx ^1; there are 1.0.0, \
             2.0.0; require other versions of the plugins that lead to one of them"
        ],
    );
}

#[test]
fn a_version_that_does_not_exist() {
    check(
        "nginx@^3",
        "nginx 1.0.0",
        "",
        expect!["no version of crate nginx is suitable: pallet.toml -> nginx ^3; there is 1.0.0"],
    );
}

#[test]
fn prereleases_are_for_those_who_ask() {
    check("nginx@*", "nginx 1.0.0\nnginx 1.1.0-rc.1", "", expect!["nginx@1.0.0"]);
    check("nginx@>=1.1.0-rc.0", "nginx 1.0.0\nnginx 1.1.0-rc.1", "", expect!["nginx@1.1.0-rc.1"]);
}

#[test]
fn what_cannot_be_used_here_is_passed_over_and_told() {
    let there = "nginx 1.0.0\nnginx 1.1.0 ! has no build for this machine";
    check("nginx@*", there, "", expect!["nginx@1.0.0"]);
    check(
        "nginx@^1.1",
        there,
        "",
        expect![
            "no version of crate nginx is suitable: pallet.toml -> nginx ^1.1; there are 1.0.0, \
            1.1.0; 1.1.0 has no build for this machine"
        ],
    );
}

#[test]
fn crates_that_require_each_other_end() {
    check("a@*", "a 1.0.0 b@*\nb 1.0.0 a@^1", "", expect!["a@1.0.0 b@1.0.0"]);
}

#[test]
fn it_asks_for_what_it_must_know_and_no_more() {
    let mut known = known("nginx 1.0.0\nnginx 1.1.0\nsite 1.0.0 nginx@^1");
    let nginx = Package::config_crate("nginx");
    known.candidates.retain(|(package, _), _| package.name != "nginx");
    let ask = |known: &Known| resolve(&roots("site@*"), known, &BTreeMap::new());
    assert_eq!(
        ask(&known),
        Answer::Needs(Question::Candidate(nginx.clone(), Version::new(1, 1, 0)))
    );
    known.versions.remove(&nginx);
    let by = Some((Package::config_crate("site"), Version::new(1, 0, 0)));
    assert_eq!(ask(&known), Answer::Needs(Question::Versions { package: nginx, by }));
}
