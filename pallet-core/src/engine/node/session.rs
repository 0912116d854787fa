//! A session with a node: the connection, the users, and running scripts.

use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use crate::action::CONTROLLER;
use crate::engine::Engine;
use crate::engine::connections::Key;
use crate::engine::excerpt::{Excerpt, Lines};
use crate::engine::operation::Event;
use crate::model::{Connection, Facts, Node, NodeStatus};
use crate::script::{FLAGS, flag_file};
use crate::transport::{
    self, Become, Input, InputPart, ScriptExit, ScriptOptions, Stream, Transport, TransportError,
};

/// The provider's tag for nodes that were bootstrapped.
pub const BOOTSTRAPPED_TAG: &str = "pallet-bootstrapped";

/// Pause between attempts to reach a new node.
const ANSWER_PAUSE: Duration = Duration::from_secs(1);

/// A node, the connection to it, and the user to become there.
pub(in crate::engine) struct Session {
    pub(in crate::engine) node: Node,
    transport: Option<Box<dyn Transport>>,
    /// The key under which the connection is kept.
    key: Option<Key>,
    r#become: Become,
    /// The current step, for messages.
    pub(in crate::engine) step: String,
    /// The admin user logs in, no longer the user of the image.
    bootstrapped: bool,
}

/// The output of a script.
pub(in crate::engine) enum Gathered {
    /// All of it, and the exit code.
    Whole { code: i32, output: Vec<u8>, errors: Excerpt },
    /// The output exceeded the limit.
    TooMuch,
}

impl Session {
    /// A session with a node, given its facts if known.
    pub(in crate::engine) fn new(node: Node, facts: Option<&Facts>) -> Self {
        let bootstrapped = match node.taggable {
            true => node.tags.contains_key(BOOTSTRAPPED_TAG),
            false => facts.is_some_and(|facts| facts.bootstrapped),
        };
        Session {
            node,
            transport: None,
            key: None,
            r#become: Become::Login,
            step: "reaching it".to_owned(),
            bootstrapped,
        }
    }

    /// A session outside of an operation: the facts only decide which user logs in.
    pub(in crate::engine) fn alone(engine: &Engine, node: Node) -> Self {
        let facts = match (&engine.facts_cache, &node.image_user) {
            (Some(cache), Some(_)) if !node.taggable => cache.get(&engine.project, &node.id),
            _ => None,
        };
        Session::new(node, facts.as_ref())
    }

    /// Another session with the same node.
    pub(in crate::engine) fn beside(&self) -> Self {
        Session { bootstrapped: self.bootstrapped, ..Session::new(self.node.clone(), None) }
    }

    pub(in crate::engine) fn is_bootstrapped(&self) -> bool {
        self.bootstrapped
    }

    /// Takes over the facts that the node reported.
    pub(in crate::engine) fn learn(&mut self, facts: &Facts) {
        if !self.node.taggable {
            self.bootstrapped = facts.bootstrapped;
        }
    }

    /// Marks the node as bootstrapped: from now on the admin user logs in.
    pub(in crate::engine) async fn set_bootstrapped(&mut self) {
        self.node.tags.insert(BOOTSTRAPPED_TAG.to_owned(), "true".to_owned());
        self.bootstrapped |= self.node.taggable;
        if self.node.image_user.is_some() {
            self.close().await;
        }
    }

    /// Connects, unless it is connected already.
    pub(in crate::engine) async fn connect(
        &mut self,
        engine: &Engine,
    ) -> Result<(&mut dyn Transport, &Become), TransportError> {
        let transport = match self.transport.take() {
            Some(transport) => transport,
            None => self.open(engine).await?,
        };
        Ok((self.transport.insert(transport).as_mut(), &self.r#become))
    }

    /// Connects, unless the operation is stopped first; `what` names the step for the error.
    pub(in crate::engine) async fn reach(
        &mut self,
        engine: &Engine,
        what: &str,
    ) -> Result<(), TransportError> {
        engine.unless_stopped(what, async { self.connect(engine).await.map(drop) }).await
    }

    /// The node's connection, and the user of its image if that user still logs in.
    pub(in crate::engine) fn connection(&self) -> (Connection, Option<String>) {
        let mut connection = self.node.connection.clone();
        let image_user = self.node.image_user.clone().filter(|_| !self.bootstrapped);
        if let (Some(user), Connection::Ssh(ssh)) = (&image_user, &mut connection) {
            ssh.user = Some(user.clone());
        }
        (connection, image_user)
    }

    /// Why the node cannot be asked, if that is known in advance.
    pub(in crate::engine) fn cannot_be_asked(&self) -> Option<String> {
        match self.node.status {
            NodeStatus::Stopped => Some("the node is stopped; converge starts it".to_owned()),
            NodeStatus::Starting => {
                Some("the node is still starting; try again in a moment".to_owned())
            }
            NodeStatus::Running | NodeStatus::Failed | NodeStatus::Unknown => None,
        }
    }

    async fn open(&mut self, engine: &Engine) -> Result<Box<dyn Transport>, TransportError> {
        if let Some(message) = engine.why_silent(&self.node.id) {
            return Err(TransportError::Config { message });
        }
        let (connection, image_user) = self.connection();
        let (asked, settings) = (connection.clone(), engine.connect.clone());
        // reading the ssh configuration may run commands, which must not block other nodes
        let login =
            tokio::task::spawn_blocking(move || transport::login_user(&asked, &settings)).await;
        let login =
            login.map_err(|error| TransportError::Config { message: error.to_string() })??;
        let root = match &connection {
            // a node that is entered from this machine (such as a container) is entered as root
            Connection::Exec { .. } => true,
            Connection::Local => rustix::process::geteuid().is_root(),
            _ => login.as_deref() == Some("root"),
        };
        let controller = self.node.id == CONTROLLER;
        self.r#become = match (root, image_user) {
            // whoever runs Pallet stays who they are on their own machine
            _ if controller => Become::Login,
            (true, _) => Become::Login,
            // the user of an image can become root without a password
            (false, Some(_)) => Become::Root(None),
            (false, None) if engine.admin_user.no_sudo => Become::Login,
            (false, None) => Become::Root(engine.sudo_password.clone()),
        };
        self.key = engine
            .connections
            .as_ref()
            .and_then(|_| Key::of(&self.node.id, &connection, login.as_deref()));
        if let (Some(connections), Some(key)) = (&engine.connections, &self.key)
            && let Some(kept) = connections.take(key).await
        {
            return Ok(kept);
        }
        let connected = transport::connect(&connection, &engine.connect).await?;
        engine.tell(Event::Connected { node: self.node.name.clone() });
        Ok(connected)
    }

    /// Waits until a new node answers. Its ssh server may start before the node has its keys and
    /// users. `Ok(Err(why))`: timed out.
    pub(in crate::engine) async fn wait_for_answer(
        &mut self,
        engine: &Engine,
    ) -> Result<Result<(), String>, TransportError> {
        let deadline = Instant::now() + engine.boot_timeout;
        let known_keys =
            matches!(&self.node.connection, Connection::Ssh(ssh) if !ssh.host_keys.is_empty());
        loop {
            let Err(error) = self.reach(engine, "its start").await else { return Ok(Ok(())) };
            let hopeless = match &error {
                TransportError::Cancelled
                | TransportError::Overdue { .. }
                | TransportError::Config { .. }
                | TransportError::Input { .. } => true,
                // without a known host key, waiting longer does not help
                TransportError::HostKey { .. } => !known_keys,
                _ => false,
            };
            if hopeless {
                return Err(error);
            }
            if Instant::now() + ANSWER_PAUSE > deadline {
                let limit = engine.boot_timeout.as_secs();
                return Ok(Err(format!("it did not answer within {limit} s: {error}")));
            }
            tokio::select! {
                () = sleep(ANSWER_PAUSE) => {}
                () = engine.cancel.cancelled() => {}
            }
        }
    }

    /// Runs a script on the node, unless the operation is stopped first. `agent`: forward the ssh
    /// agent of this machine.
    pub(in crate::engine) async fn run(
        &mut self,
        engine: &Engine,
        script: &str,
        agent: bool,
        output: &mut (dyn FnMut(Stream, &[u8]) + Send),
    ) -> Result<i32, TransportError> {
        let step = self.step.clone();
        let work = async {
            let (transport, r#become) = self.connect(engine).await?;
            let options = ScriptOptions { agent, ..engine.script_options() };
            transport::run_script_with(transport, r#become, script, &options, output).await
        };
        let result = engine.unless_stopped(&step, work).await;
        self.settle(&result);
        result.map(|ran| self.tell_left(engine, ran))
    }

    /// A script that sets a flag on the node, or removes it.
    pub(in crate::engine) fn flag_script(flag: &str, set: bool) -> String {
        let file = format!("{FLAGS}/{}", flag_file(flag));
        match set {
            true => format!("umask 077\nmkdir -p {FLAGS} && : >{file}\n"),
            false => format!("rm -f {file}\n"),
        }
    }

    /// Runs a script and collects its output, up to `limit` bytes. Of its standard error only an
    /// excerpt is kept.
    pub(in crate::engine) async fn gather(
        &mut self,
        engine: &Engine,
        script: &str,
        limit: usize,
    ) -> Result<Gathered, TransportError> {
        let (mut output, mut lines) = (Vec::new(), Lines::default());
        let mut errors = Excerpt::default();
        let too_much = Notify::new();
        let result = {
            let mut take = |stream, read: &[u8]| match stream {
                Stream::Out if output.len() + read.len() > limit => too_much.notify_one(),
                Stream::Out => output.extend_from_slice(read),
                Stream::Err => lines.push(read, &mut |piece| {
                    let line = engine.vault.redact_piece(piece.text, piece.begins, piece.ends);
                    errors.push(&line, piece.ends);
                }),
            };
            tokio::select! {
                result = self.run(engine, script, false, &mut take) => Some(result),
                () = too_much.notified() => None,
            }
        };
        match result {
            Some(result) => result.map(|code| Gathered::Whole { code, output, errors }),
            None => {
                // it may never end
                self.abandon();
                Ok(Gathered::TooMuch)
            }
        }
    }

    /// Uploads content to a path on the node, unless the operation is stopped first.
    pub(in crate::engine) async fn put(
        &mut self,
        engine: &Engine,
        path: &str,
        content: InputPart,
    ) -> Result<(), TransportError> {
        let (step, input) = (self.step.clone(), Input(vec![content]));
        let work = async {
            let (transport, r#become) = self.connect(engine).await?;
            transport::put_with(transport, r#become, path, input, &engine.script_options()).await
        };
        engine.unless_stopped(&step, work).await
    }

    /// Drops the connection after an error, since its state is unknown.
    pub(in crate::engine) fn settle<T, E>(&mut self, result: &Result<T, E>) {
        if result.is_err() {
            self.abandon();
        }
    }

    /// Drops the connection, which ends whatever runs on it.
    fn abandon(&mut self) {
        self.transport = None;
    }

    /// Warns about processes that a script left running, and returns its exit code.
    pub(in crate::engine) fn tell_left(&self, engine: &Engine, ran: ScriptExit) -> i32 {
        if let Some(message) = ran.left {
            engine.tell(Event::Warning { node: Some(self.node.name.clone()), message });
        }
        ran.code
    }

    /// Ends the use of the connection: it is kept for the next operation, or closed.
    pub(in crate::engine) async fn leave(&mut self, engine: &Engine) {
        self.give_back(engine);
        self.close().await;
    }

    /// Keeps the connection for the next operation, if connections are kept.
    pub(in crate::engine) fn give_back(&mut self, engine: &Engine) {
        if let (Some(connections), Some(key)) = (&engine.connections, &self.key)
            && let Some(transport) = self.transport.take()
        {
            connections.give(key.clone(), transport);
        }
    }

    /// Takes out the connection, so that the caller can close it.
    pub(in crate::engine) fn take_transport(&mut self) -> Option<Box<dyn Transport>> {
        self.transport.take()
    }

    /// Closes the connection.
    pub(in crate::engine) async fn close(&mut self) {
        if let Some(mut transport) = self.transport.take() {
            transport.close().await;
        }
    }
}
