//! The law of downloads from URLs, with a server on this machine.

use std::collections::BTreeMap;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};

use super::super::RemoteFile;
use super::*;
use crate::model::digest;
use crate::script::Script;

/// A web server: its content by path, and the requests so far.
struct Web {
    port: u16,
    pages: Arc<Mutex<BTreeMap<String, String>>>,
    asked: Arc<Mutex<Vec<String>>>,
}

impl Web {
    fn start() -> Web {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port is free");
        let web = Web {
            port: listener.local_addr().expect("it has one").port(),
            pages: Arc::default(),
            asked: Arc::default(),
        };
        let (pages, asked) = (web.pages.clone(), web.asked.clone());
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let mut stream = stream.expect("somebody asks");
                let mut lines = BufReader::new(stream.try_clone().expect("it can be read")).lines();
                let request: Vec<String> = lines
                    .by_ref()
                    .map_while(Result::ok)
                    .take_while(|line| !line.is_empty())
                    .collect();
                let path = request
                    .first()
                    .and_then(|line| line.split(' ').nth(1))
                    .unwrap_or_default()
                    .to_owned();
                asked.lock().expect("nobody panicked").push(request.join("\n"));
                let page = pages.lock().expect("nobody panicked").get(&path).cloned();
                let answer = match page {
                    Some(page) if page.starts_with("-> ") => format!(
                        "302 Found\r\n\
                        Location: {}\r\nContent-Length: 0\r\n\r\n",
                        &page[3..]
                    ),
                    Some(page) => format!("200 OK\r\nContent-Length: {}\r\n\r\n{page}", page.len()),
                    None => "404 Not Found\r\nContent-Length: 4\r\n\r\nnone".to_owned(),
                };
                let _ = stream.write_all(
                    format!(
                        "HTTP/1.1 {}",
                        answer.replacen(
                            "\r\n",
                            "\r\n\
                    Connection: close\r\n",
                            1
                        )
                    )
                    .as_bytes(),
                );
            }
        });
        web
    }

    fn put(&self, path: &str, content: &str) -> String {
        self.pages.lock().expect("nobody panicked").insert(path.to_owned(), content.to_owned());
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// The requests since the last call.
    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut *self.asked.lock().expect("nobody panicked"))
    }
}

fn read(path: &str) -> String {
    fs::read_to_string(path).expect("it is there")
}

#[test]
fn a_download_is_made_when_the_digest_differs() {
    let web = Web::start();
    for place in places() {
        for weird in ["plain", "it's $HOME"] {
            let path = place.path(weird);
            let url = web.put("/a%20file", "one\n");
            let moved = web.put("/moved", &format!("-> {url}"));
            web.asked();
            let one = || {
                RemoteFile::url(&path, &moved).sha256(digest(b"one\n").to_uppercase()).mode(0o750)
            };
            place.law(one(), true);
            assert_eq!((read(&path).as_str(), mode(&path), web.asked().len()), ("one\n", 0o750, 2));
            place.law(one(), false);
            place.law_of_unknown(one(), false);
            place.law(one().mode(0o700), true);
            assert_eq!(web.asked(), Vec::<String>::new());
            let url = web.put("/two", "two\n");
            let said = place.fails(RemoteFile::url(&path, &url).sha256(digest(b"three\n")));
            let expected = format!(
                "{url} has the sha256 digest {}, not {} as expected\n",
                digest(b"two\n"),
                digest(b"three\n")
            );
            assert_eq!((said, read(&path).as_str()), (expected, "one\n"));
            place.law_of_unknown(RemoteFile::url(&path, &url).sha256(digest(b"two\n")), true);

            let md5 = || RemoteFile::url(&path, &url).md5("c193497a1a06b2c72230e6146ff47080");
            place.law(md5(), false);
            place.law(md5().mode(0o600), true);
            place.law_of_unknown(md5(), false);
            fs::remove_file(&path).expect("it is there");
            web.asked();
            place.law_of_unknown(md5(), true);
            assert_eq!((read(&path).as_str(), web.asked().len()), ("two\n", 1));
            let said = place.fails(RemoteFile::url(&path, &url).md5("0".repeat(32)));
            assert!(
                said.contains("has the md5 digest c193497a1a06b2c72230e6146ff47080, not 0000"),
                "{said}"
            );
            let said = place.fails(
                RemoteFile::url(place.path("new"), format!("{url}?secret")).sha256("0".repeat(64)),
            );
            assert!(
                said.ends_with(&format!("cannot download {url}\n")) && !said.contains("secret"),
                "{said}"
            );
        }
    }
}

#[test]
fn a_download_without_a_known_digest_is_made_once() {
    let web = Web::start();
    for place in places() {
        let path = place.path("it's");
        let (one, two) = (web.put("/one", "one\n"), web.put("/two", "two\n"));
        place.law(RemoteFile::url(&path, &one), true);
        web.put("/one", "new");
        web.asked();
        place.law(RemoteFile::url(&path, &one), false);
        place.law_of_unknown(RemoteFile::url(&path, &one), false);
        place.law(RemoteFile::url(&path, &one).mode(0o600), true);
        assert_eq!((web.asked().len(), read(&path).as_str()), (0, "one\n"));
        place.law(RemoteFile::url(&path, &two), true);
        assert_eq!(read(&path), "two\n");
        // content from elsewhere no longer counts as a download
        place.law(RemoteFile::content(&path, "here\n"), true);
        place.law(RemoteFile::url(&path, &two), true);
        assert_eq!(read(&path), "two\n");
        place.law_of_unknown(RemoteFile::content(&path, "here\n"), true);
        place.law_of_unknown(RemoteFile::url(&path, &two), true);
        // nor does content from before Pallet
        let other = place.path("other");
        fs::write(&other, "by hand").expect("it can be written");
        place.law(RemoteFile::url(&other, &two), true);
    }
}

#[test]
fn a_download_has_the_digest_that_stands_elsewhere() {
    let web = Web::start();
    let file = web.put("/dir/app.tar", "app\n");
    let (sha256, other) = (digest(b"app\n"), digest(b"other"));
    for place in places() {
        for (number, list) in [
            sha256.clone(),
            format!("{}\r\n", sha256.to_uppercase()),
            format!("{other}  other.tar\n{sha256} *app.tar\n{other}  last.tar\n"),
            format!("{other}  ./other.tar\n{sha256}  ./dir/app.tar\n"),
            format!(
                "MD5 (app.tar.gz) = d41d8cd98f00b204e9800998ecf8427e\n\
                SHA256 (app.tar) = {sha256}\n"
            ),
            "02d9c81326b39258a437b3732a5dbdfc\n".to_owned(),
        ]
        .into_iter()
        .enumerate()
        {
            let sums = web.put("/sums", &list);
            let path = place.path(&number.to_string());
            place.law(RemoteFile::url(&path, &file).checksum_url(&sums), true);
            assert_eq!(read(&path), "app\n");
            web.asked();
            place.law(RemoteFile::url(&path, &file).checksum_url(&sums), false);
            assert_eq!(web.asked(), Vec::<String>::new());
        }
        for (list, error) in [
            (
                other.clone(),
                format!("{file} has the sha256 digest {sha256}, not {other} as expected\n"),
            ),
            (
                format!("{other}  app.tar.gz\n"),
                "checksum_url gives no digest of app.tar\n".to_owned(),
            ),
            ("<html>\n".to_owned(), "checksum_url gives no digest of app.tar\n".to_owned()),
        ] {
            let sums = web.put("/sums", &list);
            assert_eq!(
                place.fails(RemoteFile::url(place.path("no"), &file).checksum_url(&sums)),
                error,
                "{}",
                place.shell
            );
        }
        assert!(!names(place.root.path()).contains(&"no".to_owned()));
    }
}

#[test]
fn headers_are_sent_and_not_shown() {
    let web = Web::start();
    let url = web.put("/blob", "blob");
    for place in places() {
        let action = RemoteFile::url(place.path("blob"), &url)
            .header("Authorization", "Bearer \"it's\\ s3cret\"")
            .header("X-Date", "1 * 2");
        web.asked();
        place.law(action, true);
        let asked = web.asked().concat();
        assert!(
            asked.contains("Authorization: Bearer \"it's\\ s3cret\"")
                && asked.contains("X-Date: 1 * 2"),
            "{asked}"
        );
        // what another user sees in the process list during the download
        let curl = "curl() { printf '%s\\n' \"$@\" >&2; cat >/dev/null; return 1; }\n";
        let action = place
            .prepared(RemoteFile::url(place.path("new"), &url).header("Authorization", "s3cret"));
        let change = action
            .plan(&mut place.observe(&action))
            .expect("it can be planned")
            .expect("it changes");
        let said = place
            .report(&Change::will("", Script::new().raw(curl).raw(change.script.as_str())))
            .expect_err("it fails");
        assert!(said.contains("--retry") && !said.contains("s3cret"), "{said}");
    }
}

#[test]
fn wget_does_where_there_is_no_curl() {
    let web = Web::start();
    let url = web.put("/file", "fetched\n");
    for place in places() {
        let without = |commands: &str, action: RemoteFile| {
            let hide = format!("command() {{ case $2 in {commands}) return 1 ;; esac; }}\n");
            let action = place.prepared(action);
            let change = action
                .plan(&mut place.observe(&action))
                .expect("it can be planned")
                .expect("it changes");
            place.report(&Change::will("", Script::new().raw(&hide).raw(change.script.as_str())))
        };
        let path = place.path("file");
        without("curl", RemoteFile::url(&path, &url).sha256(digest(b"fetched\n")))
            .unwrap_or_else(|said| panic!("{}: {said}", place.shell));
        assert_eq!(read(&path), "fetched\n");
        let new = || RemoteFile::url(place.path("new"), &url);
        let said = without("curl", RemoteFile::url(place.path("new"), format!("{url}/none")))
            .expect_err("there is none");
        assert!(
            said.contains("404") && said.ends_with(&format!("cannot download {url}/none\n")),
            "{said}"
        );
        let said =
            without("curl", new().header("X-Token", "s3cret")).expect_err("it could be seen");
        assert_eq!(
            said,
            format!(
                "cannot download {url}: headers, credentials and queries need curl; install it \
                with package(\"curl\") before\n"
            )
        );
        let said = without("curl | wget", new()).expect_err("there is nothing to fetch it with");
        assert_eq!(
            said,
            format!(
                "cannot download {url}: there is neither curl nor wget; install \
            one with package(\"curl\") before\n"
            )
        );
    }
}
