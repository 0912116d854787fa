//! Turns: who may work on its node now, in the order of the nodes.

use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A line for a limited number of places.
#[derive(Clone)]
pub(super) struct Turns(Arc<Semaphore>);

/// A held place; the next in line gets it when this is dropped.
pub(super) type Turn = Option<OwnedSemaphorePermit>;

impl Turns {
    pub(super) fn of(places: usize) -> Self {
        Turns(Arc::new(Semaphore::new(places.max(1))))
    }

    /// Joins the line now, whoever awaits the result first.
    pub(super) fn join(&self) -> impl Future<Output = Turn> + Send + use<> {
        let mut turn = Box::pin(self.0.clone().acquire_owned());
        // a semaphore serves in the order in which it was polled
        let first = turn.as_mut().poll(&mut Context::from_waker(Waker::noop()));
        async move {
            match first {
                Poll::Ready(turn) => turn.ok(),
                Poll::Pending => turn.await.ok(),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn whoever_joins_first_is_served_first() {
        let turns = Turns::of(1);
        let (first, second) = (turns.join(), turns.join());
        let second = tokio::spawn(second);
        tokio::time::sleep(Duration::from_millis(10)).await;
        assert!(!second.is_finished());
        let place = first.await;
        assert!(place.is_some() && !second.is_finished());
        drop(place);
        assert!(second.await.unwrap().is_some());
    }

    #[tokio::test]
    async fn whoever_leaves_the_line_blocks_nobody() {
        let turns = Turns::of(1);
        let (first, second, third) = (turns.join(), turns.join(), turns.join());
        drop(second);
        drop(first);
        assert!(third.await.is_some());
    }
}
