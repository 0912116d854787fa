//! `report` and `watch`: the page of an operation, looked at in a real browser.

mod many;
mod watch;

use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;

use pallet_tests::{Bed, Browser, Project};
use serde_json::Value;

use crate::lift::project;

/// Prints and writes what must never become markup. Fails on node3.
const APP: &str = r##"
HOSTILE = "<script>document.title='owned'</script>\"'><img src=x onerror=document.title='owned'>]]></svg></pre><b id=owned>"

def configure(request):
    remote_file(request, "/srv/conf", content = "port = 1\n")
    remote_file(request, "/srv/page", content = request.environment.text + HOSTILE + "\n")
    exec_checked_script(request, "\"><b id=owned>", "cat /srv/page; printf '\\033[31m\\342\\200\\256\\n'; " +
                        "test %s != node3 || test ! -e /srv/fail" % request.target.name)

app = group_spec("app", phases = {"configure": configure})
"##;

/// The elements that a page must not have, and links that lead nowhere.
const WRONG: &str = "[...document.querySelectorAll('#owned, img, iframe, main script, [onerror]'), \
    ...[...document.querySelectorAll('a')].filter((link) => !link.getAttribute('href') \
    .startsWith('#') || !document.getElementById(link.getAttribute('href').slice(1)))] \
    .map((element) => element.outerHTML)";

/// Asserts what is true of every page, and returns its text.
#[track_caller]
fn looked_at(browser: &mut Browser) -> String {
    assert_eq!(browser.evaluate(WRONG), Value::Array(Vec::new()));
    assert_ne!(browser.evaluate("document.title"), "owned");
    assert_eq!(browser.problems(), Vec::<Value>::new());
    let own = browser.evaluate("location.href.split('#')[0]");
    let mut asked = browser.requests();
    // the icon is in the page too
    asked.retain(|url| own != *url.as_str() && !url.starts_with("data:"));
    assert_eq!(asked, Vec::<String>::new());
    browser.evaluate("document.querySelector('main').textContent").as_str().unwrap().to_owned()
}

/// Writes the page of an operation, the latest one without an ID.
#[track_caller]
fn page(project: &Project, arguments: &[&str]) -> PathBuf {
    let path = project.directory().join("page.html");
    let arguments: Vec<_> =
        ["report", "--out", path.to_str().unwrap()].iter().chain(arguments).copied().collect();
    project.run(&arguments).exits(0);
    path
}

#[test]
fn a_page_shows_what_an_operation_did() {
    let bed = Bed::of(3);
    let project = project(&bed, 3, "root", APP);
    project.edit("pallet.toml", "[admin_user]", "[environment]\ntext = \"one\"\n\n[admin_user]");
    project.run(&["report"]).exits(2).says("has no operation in the journal yet");
    project.run(&["lift"]).exits(0);
    bed.ssh(2, "echo by hand >>/srv/conf").exits(0);
    bed.ssh(3, "touch /srv/fail").exits(0);
    project.run(&["lift", "--env", "text=two"]).exits(1);

    let mut browser = Browser::start();
    browser.show(1280, 900, false);
    browser.open_file(&page(&project, &[]));
    let text = looked_at(&mut browser);
    assert_eq!(browser.evaluate("document.title"), "lift --env text=…: failed");
    for told in
        ["1 failed", "3 nodes", "+two<script>document.title='owned'", "\\u{1b}[31m\\u{202e}"]
    {
        assert!(text.contains(told), "{told}: {text}");
    }
    let has = |browser: &mut Browser, part: &str, told: &str| {
        let text = browser.evaluate(&format!("document.querySelector('{part}').textContent"));
        assert!(text.as_str().unwrap().contains(told), "{part} has no {told}: {text}");
    };
    has(&mut browser, "#failures", "exec_checked_script \"><b id=owned>");
    has(&mut browser, "#failures", "two<script>");
    has(&mut browser, "#drift", "/srv/conf");
    has(&mut browser, "#drift", "-by hand");
    has(&mut browser, "#changes", "pallet.star:");
    // each node did something else
    let count = |browser: &mut Browser, what: &str| {
        browser.evaluate(&format!("document.querySelectorAll('{what}').length"))
    };
    assert_eq!(count(&mut browser, ".timeline .row"), 3);
    assert_eq!(count(&mut browser, ".timeline .row rect"), 3);
    assert_eq!(count(&mut browser, ".timeline rect.bad"), 1);

    // a bar leads to the plan of its phase, a change to its diff
    assert_eq!(count(&mut browser, "#nodes details[open]"), 0);
    browser.evaluate(
        "location.hash = document.querySelector('.row a[*|href]:has(rect)').getAttribute('href')",
    );
    browser.wait_until("document.querySelectorAll('#nodes details[open] .plan a').length > 0");
    browser.evaluate("document.getElementById('close').click()");
    assert_eq!(count(&mut browser, "details.part[open]"), 0);
    browser.evaluate("document.querySelector('#nodes .plan a').click()");
    browser.wait_until("document.querySelector(location.hash).open");
    // only what concerns a node
    let filter = "const input = document.getElementById('filter'); input.value = 'node3'; \
        input.dispatchEvent(new Event('input'))";
    browser.evaluate(&format!("(() => {{ {filter} }})()"));
    let shown = "[...document.querySelectorAll('.row, #drift .part')] \
        .filter((part) => !part.hidden).map((part) => part.querySelector('a').textContent)";
    assert_eq!(browser.evaluate(shown), Value::from(["node3"].as_slice()));
    assert_eq!(browser.problems(), Vec::<Value>::new());

    // commands and copies have pages too
    let printing = "cat /srv/page; test ! -e /srv/fail";
    project.run(&["run", "app", "--", printing]).exits(1);
    browser.open_file(&page(&project, &[]));
    let text = looked_at(&mut browser);
    assert!(text.contains("exit 1") && text.contains("two<script>"), "{text}");
    has(&mut browser, "#results details", "node3");
    project.write("<b id=owned>", "x");
    let file = project.directory().join("<b id=owned>");
    project.run(&["cp", file.to_str().unwrap(), "node1:/srv/"]).exits(0);
    browser.open_file(&page(&project, &[]));
    let text = looked_at(&mut browser);
    assert!(text.contains("/srv/<b id=owned>") && text.contains("1 copied"), "{text}");
}

#[test]
fn a_page_is_a_private_file() {
    let bed = Bed::of(1);
    let project = project(&bed, 1, "root", APP);
    project.edit("pallet.toml", "[admin_user]", "[environment]\ntext = \"one\"\n\n[admin_user]");
    project.run(&["run", "app", "--", "true"]).exits(0);
    let here = project.home().join("here");
    std::fs::create_dir(&here).unwrap();
    let directory = project.directory();
    let in_here = |arguments: &[&str]| {
        let on = ["-C", directory.to_str().unwrap()];
        let arguments: Vec<_> = on.iter().chain(arguments).copied().collect();
        project.run_in(&here, &arguments)
    };
    let written = in_here(&["report"]).exits(0);
    let name = written.stdout.trim();
    assert!(name.starts_with("report-") && name.ends_with(".html"), "{written}");
    let id = &name["report-".len()..name.len() - ".html".len()];
    let path = here.join(name);
    assert_eq!(path.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    let text = std::fs::read_to_string(&path).unwrap();
    assert!(text.starts_with("<!DOCTYPE html>") && text.ends_with("</html>\n"), "{text}");
    assert_eq!(in_here(&["report", id, "--out", "-"]).exits(0).stdout, text);

    let json = in_here(&["report", &id[6..], "--out", "x.html", "--output", "json"]).exits(0);
    let told: Value = serde_json::from_str(&json.stdout).unwrap();
    assert_eq!(told["path"], here.join("x.html").to_str().unwrap());
    assert!(told["operation"].as_str().unwrap().ends_with(id), "{told}");
    assert_eq!(std::fs::read_to_string(here.join("x.html")).unwrap(), text);

    in_here(&["report", "--out", "-", "--output", "json"]).exits(2).says("omit --output json");
    in_here(&["report", "0000"]).exits(2).says("there is no operation 0000");
    in_here(&["report", "--out", "none/x.html"]).exits(2).says("cannot write none/x.html: ");
    symlink("x.html", here.join("link.html")).unwrap();
    in_here(&["report", "--out", "link.html"]).exits(2).says("it is a link");
    in_here(&["report", "--out", "."]).exits(2).says("cannot write .: ");
}
