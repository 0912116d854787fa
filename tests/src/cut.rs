//! A proxy for a local TCP server that counts bytes, and dies after a given number of them.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

/// A proxy that can die. It forwards everything until then.
#[derive(Debug)]
pub struct CutNetwork {
    address: String,
    state: Arc<State>,
}

#[derive(Debug)]
struct State {
    /// The number of bytes that may still come from the server.
    left: AtomicU64,
    passed: AtomicU64,
}

impl CutNetwork {
    /// Starts a proxy for a server: `127.0.0.1:PORT`.
    pub fn before(server: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap().to_string();
        let state = Arc::new(State { left: AtomicU64::new(u64::MAX), passed: AtomicU64::new(0) });
        let (server, shared) = (server.to_owned(), state.clone());
        // it ends with the test's process
        std::thread::spawn(move || {
            for client in listener.incoming().flatten() {
                // a dead proxy accepts no connections
                if shared.left.load(Ordering::SeqCst) == 0 {
                    continue;
                }
                let Ok(upstream) = TcpStream::connect(&server) else { continue };
                let shared = shared.clone();
                std::thread::spawn(move || pass(client, upstream, &shared));
            }
        });
        CutNetwork { address, state }
    }

    /// Its address: `127.0.0.1:PORT`.
    pub fn host(&self) -> &str {
        &self.address
    }

    /// Forwards this many bytes from the server, and then dies. Resets the counter.
    pub fn die_after(&self, bytes: u64) {
        self.state.passed.store(0, Ordering::SeqCst);
        self.state.left.store(bytes, Ordering::SeqCst);
    }

    /// Works again, and resets the counter.
    pub fn revive(&self) {
        self.die_after(u64::MAX);
    }

    /// How many bytes have come from the server.
    pub fn passed(&self) -> u64 {
        self.state.passed.load(Ordering::SeqCst)
    }
}

fn pass(client: TcpStream, upstream: TcpStream, state: &State) {
    let (mut from_client, mut to_server) =
        (client.try_clone().unwrap(), upstream.try_clone().unwrap());
    std::thread::spawn(move || {
        // either side may be gone
        let _ = std::io::copy(&mut from_client, &mut to_server);
        let _ = to_server.shutdown(Shutdown::Write);
    });
    let (mut client, mut upstream) = (client, upstream);
    let mut buffer = [0; 16 << 10];
    while let Ok(count @ 1..) = upstream.read(&mut buffer) {
        let take = |left: u64| Some(left.saturating_sub(count as u64));
        let left =
            state.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, take).unwrap_or_default();
        let count = count.min(usize::try_from(left).unwrap_or(usize::MAX));
        if count == 0 || client.write_all(&buffer[..count]).is_err() {
            break;
        }
        state.passed.fetch_add(count as u64, Ordering::SeqCst);
    }
    let _ = client.shutdown(Shutdown::Both);
    let _ = upstream.shutdown(Shutdown::Both);
}
