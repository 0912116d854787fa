//! One node in one operation: who logs in, waiting for a node that was just made, and running
//! scripts.

use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::connections::Key;
use super::event::Event;
use super::node_run::{BOOTSTRAPPED_TAG, NodeRun};
use super::{Engine, NodeError};
use crate::model::{Connection, NodeStatus};
use crate::transport::{self, Become, Ran, Stream, Transport, TransportError, Turn};

/// How long a new node that does not answer is left alone before it is tried again.
const ANSWER_PAUSE: Duration = Duration::from_secs(1);

impl NodeRun {
    /// Connects, if that was not done yet.
    pub(super) async fn connect(
        &mut self,
        engine: &Engine,
    ) -> Result<(&mut dyn Transport, &Become), TransportError> {
        let transport = match self.transport.take() {
            Some(transport) => transport,
            None => self.open(engine).await?,
        };
        Ok((self.transport.insert(transport).as_mut(), &self.r#become))
    }

    /// Connects, so that this is done when something is asked.
    pub(super) async fn reach(&mut self, engine: &Engine) {
        if let Err(error) =
            unless_stopped(engine, "reaching it", async { self.connect(engine).await.map(drop) })
                .await
        {
            self.fail(NodeError::new(error.to_string()));
        }
    }

    /// How the node is reached, and the user of its image if that logs in still.
    pub(super) fn connection(&self) -> (Connection, Option<String>) {
        let mut connection = self.node.connection.clone();
        let image_user = self.node.image_user.clone().filter(|_| !self.bootstrapped());
        if let (Some(user), Connection::Ssh(ssh)) = (&image_user, &mut connection) {
            ssh.user = Some(user.clone());
        }
        (connection, image_user)
    }

    /// Why it is no use to ask the node anything, if that is known before.
    pub(super) fn cannot_be_asked(&self) -> Option<String> {
        match self.node.status {
            NodeStatus::Stopped => Some("the node is stopped; converge starts it".to_owned()),
            NodeStatus::Starting => {
                Some("the node is still starting; try again in a moment".to_owned())
            }
            NodeStatus::Running | NodeStatus::Failed | NodeStatus::Unknown => None,
        }
    }

    async fn open(&mut self, engine: &Engine) -> Result<Box<dyn Transport>, TransportError> {
        let (connection, image_user) = self.connection();
        let (asked, settings) = (connection.clone(), engine.connect.clone());
        // the ssh configuration may name commands, which nobody else should wait for
        let login =
            tokio::task::spawn_blocking(move || transport::login_user(&asked, &settings)).await;
        let login =
            login.map_err(|error| TransportError::Config { message: error.to_string() })??;
        let root = match &connection {
            // a node that is entered from this machine is entered as its root
            Connection::Exec { .. } => true,
            Connection::Local => rustix::process::geteuid().is_root(),
            _ => login.as_deref() == Some("root"),
        };
        self.r#become = match (root, image_user) {
            (true, _) => Become::Login,
            // images let their user become root without a password
            (false, Some(_)) => Become::Root(None),
            (false, None) if engine.admin_user.no_sudo => Become::Login,
            (false, None) => Become::Root(engine.sudo_password.clone()),
        };
        self.kept_as = engine
            .connections
            .as_ref()
            .and_then(|_| Key::of(&self.node.id, &connection, login.as_deref()));
        if let (Some(connections), Some(key)) = (&engine.connections, &self.kept_as)
            && let Some(kept) = connections.take(key).await
        {
            return Ok(kept);
        }
        let connected = transport::connect(&connection, &engine.connect).await?;
        engine.tell(Event::Connected { node: self.node.name.clone() });
        Ok(connected)
    }

    /// Waits until a new node answers. Its ssh server may be up before it has its keys and its
    /// users.
    pub(super) async fn answer(&mut self, engine: &Engine) {
        let deadline = Instant::now() + engine.boot_timeout;
        let known_keys =
            matches!(&self.node.connection, Connection::Ssh(ssh) if !ssh.host_keys.is_empty());
        loop {
            let error = match unless_stopped(engine, "its start", async {
                self.connect(engine).await.map(drop)
            })
            .await
            {
                Ok(()) => return,
                Err(error) => error,
            };
            let hopeless = match &error {
                TransportError::Cancelled
                | TransportError::Overdue { .. }
                | TransportError::Config { .. }
                | TransportError::Input { .. } => true,
                // of which key it should have, nobody will know more later
                TransportError::HostKey { .. } => !known_keys,
                _ => false,
            };
            if hopeless {
                return self.fail(NodeError::new(error.to_string()));
            }
            if Instant::now() + ANSWER_PAUSE > deadline {
                self.silent = true;
                return self.fail(NodeError::new(format!(
                    "it did not answer within {} s: {error}",
                    engine.boot_timeout.as_secs()
                )));
            }
            tokio::select! {
                () = sleep(ANSWER_PAUSE) => {}
                () = engine.cancel.cancelled() => {}
            }
        }
    }

    /// From now on the admin user logs in.
    pub(super) async fn is_bootstrapped(&mut self) {
        self.node.tags.insert(BOOTSTRAPPED_TAG.to_owned(), "true".to_owned());
        if self.node.image_user.is_some() {
            self.close().await;
        }
    }

    /// Runs a script on the node, unless the operation is stopped first.
    pub(super) async fn run(
        &mut self,
        engine: &Engine,
        script: &str,
        output: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<i32, TransportError> {
        self.run_with(engine, script, false, output).await
    }

    /// The same for a script that uses the ssh agent of this machine, if it does.
    pub(super) async fn run_with(
        &mut self,
        engine: &Engine,
        script: &str,
        agent: bool,
        output: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<i32, TransportError> {
        let step = self.step.clone();
        let work = async {
            let (transport, r#become) = self.connect(engine).await?;
            let turn = Turn { agent, ..engine.turn() };
            transport::run_script_in_turn(transport, r#become, script, &turn, output).await
        };
        let result = unless_stopped(engine, &step, work).await;
        if result.is_err() {
            // whatever state the connection is in, it is not used again
            self.transport = None;
        }
        result.map(|ran| self.tell_left(engine, ran))
    }

    /// Tells what a script left running, and gives its exit code.
    pub(super) fn tell_left(&self, engine: &Engine, ran: Ran) -> i32 {
        if let Some(message) = ran.left {
            engine.tell(Event::Warning { node: Some(self.node.name.clone()), message });
        }
        ran.code
    }

    /// Keeps the connection for the next operation where connections are kept.
    pub(super) fn give_back(&mut self, engine: &Engine) {
        if let (Some(connections), Some(key)) = (&engine.connections, &self.kept_as)
            && let Some(transport) = self.transport.take()
        {
            connections.give(key.clone(), transport);
        }
    }

    /// Needs the connection no more: it is kept for the next operation, or ends.
    pub(super) async fn leave(&mut self, engine: &Engine) {
        self.give_back(engine);
        self.close().await;
    }

    /// Ends the connection.
    pub(super) async fn close(&mut self) {
        if let Some(mut transport) = self.transport.take() {
            transport.close().await;
        }
    }
}

/// Does some work, unless the operation is stopped first; `what` is what was not done then.
pub(super) async fn unless_stopped<T>(
    engine: &Engine,
    what: &str,
    work: impl Future<Output = Result<T, TransportError>>,
) -> Result<T, TransportError> {
    tokio::select! {
        result = work => result,
        () = engine.cancel.cancelled() => Err(engine.why_stopped(what)),
    }
}
