//! A server in the network of a bed that keeps every request: a stand-in for a collector of traces,
//! and for webhooks.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::os::fd::AsFd;
use std::sync::{Arc, Mutex};

use serde_json::Value;

use crate::Bed;

/// The server. Its thread ends with the tests.
#[derive(Debug)]
pub struct Collector {
    port: u16,
    received: Arc<Mutex<Vec<Received>>>,
}

/// A request.
#[derive(Debug, Clone)]
pub struct Received {
    /// The first line and the headers, in lower case.
    pub head: String,
    /// The body, which is JSON.
    pub body: Value,
}

impl Collector {
    /// Starts it. It answers `/refused` with status 500, and everything else with 200.
    pub fn on(bed: &Bed) -> Self {
        let network = std::fs::File::open(bed.network()).unwrap();
        // a separate thread, because a thread that has entered another namespace stays there
        let listener = std::thread::spawn(move || {
            rustix::thread::move_into_link_name_space(
                network.as_fd(),
                Some(rustix::thread::LinkNameSpaceType::Network),
            )
            .unwrap();
            TcpListener::bind("127.0.0.1:0").unwrap()
        });
        let listener = listener.join().unwrap();
        let port = listener.local_addr().unwrap().port();
        let received: Arc<Mutex<Vec<Received>>> = Arc::default();
        let kept = received.clone();
        std::thread::spawn(move || {
            for stream in listener.incoming() {
                let kept = kept.clone();
                std::thread::spawn(move || answer(&stream.unwrap(), &kept));
            }
        });
        Collector { port, received }
    }

    /// The URL of a path.
    pub fn url(&self, path: &str) -> String {
        format!("http://127.0.0.1:{}{path}", self.port)
    }

    /// All requests so far.
    pub fn received(&self) -> Vec<Received> {
        self.received.lock().unwrap().clone()
    }

    /// The bodies of all requests to a path so far.
    pub fn bodies(&self, path: &str) -> Vec<Value> {
        let first = format!("post {path} http/1.1\n");
        let all = self.received().into_iter();
        all.filter(|one| one.head.starts_with(&first)).map(|one| one.body).collect()
    }
}

fn answer(stream: &TcpStream, kept: &Mutex<Vec<Received>>) {
    let mut reader = BufReader::new(stream);
    let (mut head, mut length) = (String::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or_default() == 0 || line.trim().is_empty() {
            break;
        }
        let line = line.trim().to_lowercase();
        if let Some(number) = line.strip_prefix("content-length:") {
            length = number.trim().parse().unwrap();
        }
        head += &format!("{line}\n");
    }
    let mut body = vec![0; length];
    if head.is_empty() || reader.read_exact(&mut body).is_err() {
        return;
    }
    let status = if head.starts_with("post /refused ") { "500 No" } else { "200 OK" };
    let body = serde_json::from_slice(&body).unwrap_or_default();
    kept.lock().unwrap().push(Received { head, body });
    let mut stream = stream;
    // the client may be gone
    let _ =
        write!(stream, "HTTP/1.1 {status}\r\nContent-Length: 2\r\nConnection: close\r\n\r\n{{}}");
}
