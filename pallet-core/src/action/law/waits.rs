//! The law of the actions that wait, and of retries.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::time::Duration;

use super::super::{Retry, WaitForFile, WaitForHttp, WaitForPort};
use super::*;

/// Does something after a while.
fn soon(act: impl FnOnce() + Send + 'static) -> std::thread::JoinHandle<()> {
    std::thread::spawn(move || {
        std::thread::sleep(Duration::from_millis(700));
        act();
    })
}

#[test]
fn waiting_for_a_file() {
    for place in places() {
        let path = place.path("it's");
        let said = place.fails(WaitForFile::at(&path).timeout(1));
        assert_eq!(said, format!("timed out after 1 s waiting for {path}\n"), "{}", place.shell);
        let made = path.clone();
        let thread = soon(move || fs::write(made, "").expect("it can be written"));
        place.law_of_unknown(WaitForFile::at(&path), false);
        thread.join().expect("it ends");
        place.law(WaitForFile::at(&path), false);
        place.fails(WaitForFile::at(&path).absent().timeout(1));
        let made = path.clone();
        let thread = soon(move || fs::remove_file(made).expect("it is there"));
        place.law_of_unknown(WaitForFile::at(&path).absent(), false);
        thread.join().expect("it ends");
    }
}

#[test]
fn waiting_for_a_port_and_a_web_server() {
    for place in places() {
        let listener = TcpListener::bind("127.0.0.1:0").expect("there is a port");
        let port = listener.local_addr().expect("it has an address").port();
        place.law(WaitForPort::new(port), false);
        place.law_of_unknown(WaitForPort::new(port), false);
        let said = place.fails(WaitForPort::new(port).closed().timeout(1));
        assert_eq!(
            said,
            format!("timed out after 1 s waiting for nothing to listen on port {port}\n")
        );
        let server = std::thread::spawn(move || {
            for (number, stream) in listener.incoming().enumerate() {
                let mut stream = stream.expect("somebody connects");
                let mut request = [0; 2048];
                let read = stream.read(&mut request).unwrap_or(0);
                let status = if number < 2 { "503 Busy" } else { "204 None" };
                write!(
                    stream,
                    "HTTP/1.1 {status}\r\nContent-Length: 0\r\nConnection: close\r\n\
                    \r\n"
                )
                .ok();
                if request[..read].windows(5).any(|part| part == b"/stop") {
                    break;
                }
            }
        });
        let url = format!("http://127.0.0.1:{port}/");
        place.law_of_unknown(WaitForHttp::new(&url).status(204), false);
        place.law(WaitForHttp::new(&url).status(204), false);
        let said = place.fails(WaitForHttp::new(&url).timeout(1));
        assert_eq!(
            said,
            format!("timed out after 1 s waiting for {url} to answer with status 200\n")
        );
        std::net::TcpStream::connect(("127.0.0.1", port))
            .and_then(|mut stream| stream.write_all(b"GET /stop"))
            .expect("it listens");
        server.join().expect("it ends");
        place.law(WaitForPort::new(port).closed(), false);
    }
}

#[test]
fn what_fails_is_tried_again() {
    for place in places() {
        let path = place.path("it's");
        // succeeds at the third attempt; a failure inside counts as one
        let command = "echo >>\"$file\"\n[ \"$(wc -l <\"$file\")\" -ge 3 ]\necho done >>\"$file\"";
        let retry =
            || Retry::new(command).env("file", &path).delay(1).unless("grep -q done \"$file\"");
        place.law(retry(), true);
        place.law_of_unknown(retry(), false);
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "\n\n\ndone\n");
        fs::remove_file(&path).expect("it is there");
        let said = place.fails(retry().tries(2));
        assert!(said.ends_with("the command failed 2 times\n"), "{said}");
        assert_eq!(fs::read_to_string(&path).expect("it is there"), "\n\n");
    }
}
