//! `watch`: the page of a running operation, on loopback, for who knows the token.

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use pallet_core::engine::{Kind, Totals};
use pallet_tests::{Browser, Process, Recorded};
use serde_json::Value;

use super::looked_at;
use super::many::shop;

/// The URL that `watch` prints.
fn url(watch: &mut Process) -> String {
    watch.wait_for("/\n");
    watch.stdout().lines().next().unwrap().to_owned()
}

/// The answer to a request for a path below `http://HOST`.
fn ask(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    stream.write_all(request.as_bytes()).unwrap();
    let mut answer = String::new();
    stream.read_to_string(&mut answer).unwrap();
    answer
}

#[test]
fn only_who_knows_the_token_sees_the_page() {
    let project = shop();
    let mut lift = Recorded::begin(&project, "shop", Kind::Lift, "lift web", &["web-1"]);
    let mut watch = project.start(&["watch"]);
    let url = url(&mut watch);
    let (address, path) = url.strip_prefix("http://").unwrap().split_once('/').unwrap();
    assert!(address.starts_with("127.0.0.1:"), "{url}");
    assert_eq!(path.len(), 33, "128 bits: {url}");
    let port = address.strip_prefix("127.0.0.1:").unwrap();
    let status = |request: &str| {
        let answer = ask(address, request);
        let (line, _) = answer.split_once("\r\n").unwrap_or_else(|| panic!("{answer:?}"));
        line.strip_prefix("HTTP/1.1 ").unwrap()[..3].to_owned()
    };
    let get =
        |path: &str, host: &str| status(&format!("GET {path} HTTP/1.1\r\nHost: {host}\r\n\r\n"));
    let right = format!("/{path}");
    assert_eq!(get(&right, address), "200");
    assert_eq!(get(&right, &format!("localhost:{port}")), "200");
    let wrong = format!("/{}/", "0".repeat(32));
    for path in ["/", "/favicon.ico", &wrong, right.trim_end_matches('/'), &format!("{right}x")] {
        assert_eq!(get(path, address), "404", "{path}");
    }
    for host in ["evil.example", &format!("evil.example:{port}"), "127.0.0.1", "localhost:1"] {
        assert_eq!(get(&right, host), "403", "{host}");
        assert_eq!(get("/", host), "404", "{host}");
    }
    for method in ["POST", "PUT", "DELETE", "OPTIONS"] {
        let request = format!("{method} {right} HTTP/1.1\r\nHost: {address}\r\n\r\n");
        assert_eq!(status(&request), "405");
        assert_eq!(status(&request.replace(&right, "/")), "404");
    }
    assert_eq!(status("nonsense\r\n\r\n"), "400");
    assert_eq!(status(&format!("GET {right} HTTP/1.1\r\nX: {}\r\n\r\n", "x".repeat(9000))), "400");
    let head = ask(address, &format!("HEAD {right} HTTP/1.1\r\nHost: {address}\r\n\r\n"));
    assert!(head.starts_with("HTTP/1.1 200 OK\r\n") && head.ends_with("\r\n\r\n"), "{head}");
    for header in ["Content-Security-Policy: default-src 'none'", "Cache-Control: no-store"] {
        assert!(head.contains(header), "{head}");
    }
    assert!(!head.contains("Access-Control-Allow"), "{head}");

    // the end is shown once more to a page that is open
    lift.finish(1.0, Totals { ok: true, ..Totals::default() });
    let shown = loop {
        let answer = ask(address, &format!("GET {right} HTTP/1.1\r\nHost: {address}\r\n\r\n"));
        if !answer.contains("data-live=\"yes\"") {
            break answer;
        }
    };
    assert!(shown.contains("succeeded"), "{shown}");
    watch.wait().exits(0).says(": succeeded");
}

#[test]
fn an_open_page_follows_the_operation() {
    let project = shop();
    let mut watch = project.start(&["watch", "--output", "json"]);
    watch.wait_for("\n");
    let told: Value = serde_json::from_str(watch.stdout().lines().next().unwrap()).unwrap();
    let mut browser = Browser::start();
    browser.open(told["url"].as_str().unwrap());
    assert!(looked_at(&mut browser).contains("No operation runs."));

    let mut lift = Recorded::begin(&project, "shop", Kind::Lift, "lift web", &["web-1", "web-2"]);
    browser.wait_until("document.title == 'lift web: running'");
    lift.phase(1.0, "web-1", "configure");
    let change = ["remote_file", "/srv/<b id=owned>", "create", "+<img src=x>"];
    lift.change(2.0, "web-1", "configure", change);
    browser.wait_until("document.querySelector('#changes .part')");
    // what was opened or closed stays so
    browser.evaluate("document.querySelector('#nodes details').open = true");
    browser.evaluate("document.querySelector('#changes .part').open = false");
    lift.phase(3.0, "web-2", "configure");
    browser.wait_until("document.querySelectorAll('.row rect').length == 2");
    assert_eq!(browser.evaluate("document.querySelector('#nodes details').open"), true);
    assert_eq!(browser.evaluate("document.querySelector('#changes .part').open"), false);
    lift.finish(4.0, Totals { ok: true, changed: 1, ..Totals::default() });
    browser.wait_until("document.title == 'lift web: succeeded'");
    looked_at(&mut browser);
    let ended = watch.wait().exits(0);
    let told: Value = serde_json::from_str(ended.stdout.lines().last().unwrap()).unwrap();
    assert_eq!((&told["operation"], &told["ending"]), (&lift.id().into(), &"succeeded".into()));
}

#[test]
fn it_waits_for_the_next_operation_of_the_project() {
    let project = shop();
    let mut earlier = Recorded::begin(&project, "shop", Kind::Run, "run web", &["web-1"]);
    earlier.finish(1.0, Totals { ok: true, ..Totals::default() });
    let ended = project.run(&["watch", earlier.id()]).exits(2);
    ended.says("does not run (succeeded); `pallet-cli report ");
    let mut watch = project.start(&["watch"]);
    watch.wait_for("waiting for an operation of shop");
    let mut next = Recorded::begin(&project, "shop", Kind::Run, "run web", &["web-1"]);
    watch.wait_for("showing operation");
    // nobody looks, so there is nothing to wait for
    next.finish(1.0, Totals { ok: true, ..Totals::default() });
    watch.wait().exits(0).says(&next.id()[24..]);

    let mut stopped = project.start(&["watch", "--port", "0"]);
    url(&mut stopped);
    stopped.interrupt();
    stopped.wait().exits(130);
}
