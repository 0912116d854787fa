//! Serves the page until the operation ended.

use std::net::Ipv4Addr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use anyhow::Context as _;
use pallet_core::engine::Ending;
use tokio::net::TcpListener;
use tokio::time::sleep;

use super::http::Connections;
use super::site::Site;
use super::watched::{Watch, Watched};

/// How often the journal is looked at.
const LOOK: Duration = Duration::from_millis(300);

/// How long the end is served to a page that is open, and how long a page counts as open.
const LAST: Duration = Duration::from_secs(5);

/// Serves the page of an operation.
pub(crate) struct Server {
    listener: TcpListener,
    site: Site,
}

impl Server {
    /// Listens on this port of loopback; 0: on any that is free.
    pub(crate) async fn bind(watch: Watch, port: u16) -> anyhow::Result<Self> {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).await;
        let listener = listener.with_context(|| format!("cannot listen on 127.0.0.1:{port}"))?;
        let port = listener.local_addr().context("cannot listen on loopback")?.port();
        let watched = Arc::new(Mutex::new(Watched::new(watch)));
        Ok(Server { listener, site: Site { watched, token: token()?.into(), port } })
    }

    /// Where the page is. Who knows this may see it.
    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}/{}/", self.site.port, self.site.token)
    }

    /// Serves the page until the operation ended and an open page has shown that. Calls `found`
    /// once there is an operation, or with `None` if it waits for one.
    pub(crate) async fn run(
        &self,
        mut found: impl FnMut(Option<&str>),
    ) -> anyhow::Result<(String, Ending)> {
        let connections = Connections::new();
        let ended = tokio::select! {
            ended = self.follow(&mut found) => ended,
            () = connections.serve(&self.listener, self.site.clone()) => {
                anyhow::bail!("cannot serve the page")
            }
        };
        connections.end().await;
        ended
    }

    async fn follow(
        &self,
        found: &mut impl FnMut(Option<&str>),
    ) -> anyhow::Result<(String, Ending)> {
        // what `found` was told
        let mut told = None;
        loop {
            let watched = self.site.watched.clone();
            let looked = tokio::task::spawn_blocking(move || lock(&watched).look());
            let looked = looked.await.context("cannot read the journal")??;
            let operation = looked.as_ref().map(|(operation, _)| operation.clone());
            if told.as_ref() != Some(&operation) {
                found(operation.as_deref());
                told = Some(operation);
            }
            if let Some((operation, ending)) = looked
                && ending != Ending::Running
            {
                self.show_end().await;
                return Ok((operation, ending));
            }
            sleep(LOOK).await;
        }
    }

    /// Returns once a page that is open has shown the end, or if none is open.
    async fn show_end(&self) {
        let begun = Instant::now();
        loop {
            let (asked, shown) = {
                let watched = lock(&self.site.watched);
                (watched.asked, watched.has_shown_end)
            };
            let is_open = asked.is_some_and(|asked| begun.duration_since(asked) < LAST);
            if shown || !is_open || begun.elapsed() > LAST {
                return;
            }
            sleep(LOOK / 3).await;
        }
    }
}

fn lock(watched: &Mutex<Watched>) -> MutexGuard<'_, Watched> {
    watched.lock().unwrap_or_else(PoisonError::into_inner)
}

/// 128 random bits.
fn token() -> anyhow::Result<String> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes).context("cannot make a token")?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}
