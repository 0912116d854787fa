//! A service for tests, on loopback. Returns the given answers in order, and records requests.

use std::io::{Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use pallet_core::prelude::ServiceHost;

use super::Api;
use super::account::Account;
use super::http::Http;

pub(crate) struct Server {
    endpoint: String,
    requests: Arc<Mutex<Vec<String>>>,
}

impl Server {
    pub(crate) fn answering<T: Into<String>>(answers: impl IntoIterator<Item = (u16, T)>) -> Self {
        let answers: Vec<_> =
            answers.into_iter().map(|(status, body)| (status, body.into())).collect();
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let endpoint = format!("http://{}", listener.local_addr().unwrap());
        let requests = Arc::new(Mutex::new(Vec::new()));
        let kept = requests.clone();
        std::thread::spawn(move || {
            for (status, body) in answers {
                let Ok((mut stream, _)) = listener.accept() else { return };
                kept.lock().unwrap().push(request(&mut stream));
                let head = format!(
                    "HTTP/1.1 {status} X\r\nContent-Length: {}\r\n\
                    Connection: close\r\n\r\n",
                    body.len()
                );
                let _ = stream.write_all(format!("{head}{body}").as_bytes());
            }
        });
        Server { endpoint, requests }
    }

    pub(crate) fn api(&self) -> Api {
        let http = Http::new();
        let account = Arc::new(Account::fixed(&self.endpoint, http.clone()));
        Api {
            http,
            account,
            host: ServiceHost::default(),
            pause: Duration::from_millis(1),
            heeds: true,
        }
    }

    pub(crate) fn requests(&self) -> Vec<String> {
        self.requests.lock().unwrap().clone()
    }

    /// The requested actions.
    pub(crate) fn actions(&self) -> Vec<String> {
        let action = |request: &String| {
            request
                .split("Action=")
                .nth(1)
                .and_then(|rest| rest.split('&').next())
                .unwrap_or_default()
                .to_owned()
        };
        self.requests().iter().map(action).collect()
    }
}

fn request(stream: &mut TcpStream) -> String {
    let mut text = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let length = stream.read(&mut buffer).unwrap_or_default();
        text.extend_from_slice(&buffer[..length]);
        let so_far = String::from_utf8_lossy(&text).into_owned();
        let whole = so_far.split_once("\r\n\r\n").is_some_and(|(head, body)| {
            let length = head.lines().find_map(|line| {
                line.to_lowercase().strip_prefix("content-length: ").map(str::to_owned)
            });
            body.len() >= length.and_then(|length| length.parse().ok()).unwrap_or(0)
        });
        if whole || length == 0 {
            return so_far;
        }
    }
}
