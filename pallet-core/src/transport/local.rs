//! This machine as a node: runs `sh -c COMMAND` here.

use super::{ConnectSettings, Exec};

/// A transport that runs commands on this machine as the current user.
pub(super) fn local(settings: &ConnectSettings) -> Exec {
    Exec::with_prefix(Vec::new(), "this machine".to_owned(), settings)
        .with_agent(settings.agent.clone())
}

#[cfg(test)]
mod tests {
    use super::super::{ConnectSettings, Input, Stream, connect};
    use crate::model::Connection;

    #[tokio::test]
    async fn runs_a_command_here() {
        let mut local = connect(&Connection::Local, &ConnectSettings::default())
            .await
            .expect("local needs nothing");
        let mut seen = Vec::new();
        let code = local
            .exec("cat; echo no >&2; exit 3", "hello".into(), &mut |stream, bytes| {
                seen.push((stream, bytes.to_vec()))
            })
            .await;
        seen.sort_by_key(|(stream, _)| *stream == Stream::Err);
        assert_eq!(code.expect("it ran"), 3);
        assert_eq!(seen, [(Stream::Out, b"hello".to_vec()), (Stream::Err, b"no\n".to_vec())]);
        assert_eq!(
            local.exec("kill -TERM $$", Input::none(), &mut |_, _| {}).await.expect("it ran"),
            143
        );
        local.close().await;
    }
}
