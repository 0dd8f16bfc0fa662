//! Notices a part of the agent that ended although nobody told it to: an agent without it must end, not linger.
//!
//! A controller or an edge that panicked would leave a process that answers, looks alive, and takes nothing back. Its
//! end is loud instead, so that systemd starts a whole agent again; HAProxy and the application go on meanwhile.

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::task::JoinHandle;

/// Tells of parts that ended. Cheap to clone.
#[derive(Clone, Debug)]
pub(super) struct Watch(UnboundedSender<String>);

/// Where they are told, by name.
pub(super) type Ends = UnboundedReceiver<String>;

/// A watch and where it tells.
pub(super) fn watch() -> (Watch, Ends) {
    let (sender, receiver) = unbounded_channel();
    (Watch(sender), receiver)
}

impl Watch {
    /// Watches over a part: `end` completes when the part has ended, well or by a panic. So does the handle.
    pub(super) fn over(&self, part: String, end: impl Future<Output = ()> + Send + 'static) -> JoinHandle<()> {
        let ends = self.0.clone();
        tokio::spawn(async move {
            end.await;
            // While the agent stops, everything ends and nobody listens.
            let _ = ends.send(part);
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_part_that_panics_is_told_by_name() {
        let (watch, mut ends) = watch();
        let lasting = tokio::spawn(std::future::pending::<()>());
        let broken = tokio::spawn(async { panic!("on purpose") });
        let over = |handle: JoinHandle<()>| async move {
            let _ = handle.await;
        };
        let _lasting = watch.over("prod: the store's writer".into(), over(lasting));
        let broken = watch.over("prod: the controller".into(), over(broken));
        assert_eq!(ends.recv().await.as_deref(), Some("prod: the controller"));
        broken.await.unwrap();
        assert!(ends.try_recv().is_err(), "the other part still runs");
    }
}
