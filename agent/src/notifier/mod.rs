//! The notifier port: tells people, and is never waited for.
//!
//! ```text
//!                      +-- queue --> command (argv, message on stdin)      each channel has its own queue
//! Outbox --> Receiver -+                                                   and time limits: one that hangs
//!  never blocks        +-- queue --> webhook (POST, bounded retries)       delays nobody else
//! ```
//! A full queue drops the message and counts it. What is still queued when the agent ends gets a short grace.

mod command;
mod message;
mod outbox;
mod settings;
mod webhook;

use std::time::Duration;

use tokio::sync::mpsc::{self, Receiver};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

pub use message::{Kind, Message};
pub use outbox::{Counters, Outbox, channel};
pub use settings::{Channel, CommandSettings, Settings, SettingsError, WebhookSettings};

/// How long deliveries under way and still queued may take once the agent ends.
pub const GRACE: Duration = Duration::from_secs(2);

/// Messages that wait for one channel; more are dropped.
const QUEUE: usize = 64;

/// Why a message did not arrive. The text holds neither the webhook's URL nor the message.
#[derive(Debug, thiserror::Error)]
pub enum DeliveryError {
    /// The command could not be started.
    #[error("notify.command: cannot start `{program}`: {error}")]
    Start {
        /// Its first word.
        program: String,
        /// Why not.
        error: std::io::Error,
    },
    /// It ended, but not well.
    #[error("notify.command: `{program}` ended with {status}{}", said(stderr))]
    Command {
        /// Its first word.
        program: String,
        /// How it ended.
        status: std::process::ExitStatus,
        /// The last line it wrote to its standard error, cut to 200 characters; may be empty.
        stderr: String,
    },
    /// It did not end, and was killed with everything it had started.
    #[error("notify.command: `{program}` did not end within {limit:?} and was killed")]
    CommandTimedOut {
        /// Its first word.
        program: String,
        /// The limit.
        limit: Duration,
    },
    /// No answer, or none in time.
    #[error("notify.webhook: {reason} (tried {attempts}x)")]
    Unreachable {
        /// The innermost reason.
        reason: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// An answer that is no success.
    #[error("notify.webhook: answered {status} (tried {attempts}x)")]
    Refused {
        /// The last status.
        status: u16,
        /// How often it was tried.
        attempts: u32,
    },
}

/// Delivers what arrives on `messages` through every configured channel, in order for each channel, until all senders
/// are gone or `cancel` fires, and then for at most [`GRACE`] longer. Failures are logged and counted.
#[must_use = "the handle tells when the last message is out"]
pub fn spawn(
    settings: Settings,
    mut messages: Receiver<Message>,
    counters: Counters,
    cancel: CancellationToken,
) -> JoinHandle<()> {
    tokio::spawn(async move {
        let (queues, workers): (Vec<_>, Vec<_>) = settings
            .channels()
            .into_iter()
            .map(|channel| {
                let (queue, waiting) = mpsc::channel(QUEUE);
                (queue, AbortOnDropHandle::new(tokio::spawn(work(channel, waiting, counters.clone()))))
            })
            .unzip();
        let hand_out = |message: Message| {
            for queue in &queues {
                if queue.try_send(message.clone()).is_err() {
                    counters.count_drop();
                }
            }
        };
        while let Some(Some(message)) = cancel.run_until_cancelled(messages.recv()).await {
            hand_out(message);
        }
        while let Ok(message) = messages.try_recv() {
            hand_out(message);
        }
        drop(queues);
        let done = async {
            for worker in workers {
                // A worker that panicked has nothing more to deliver.
                let _ = worker.await;
            }
        };
        if timeout(GRACE, done).await.is_err() {
            tracing::warn!("notifications were still under way when the agent ended");
        }
    })
}

/// Sends one message through every channel at once and returns what failed: `teal notify test`.
pub async fn deliver(settings: &Settings, message: &Message) -> Vec<DeliveryError> {
    let sent = settings.channels().into_iter().map(async |channel| channel.deliver(message).await.err());
    futures_util::future::join_all(sent).await.into_iter().flatten().collect()
}

async fn work(channel: Channel, mut waiting: Receiver<Message>, counters: Counters) {
    while let Some(message) = waiting.recv().await {
        match channel.deliver(&message).await {
            Ok(()) => counters.count_delivery(),
            Err(error) => {
                counters.count_failure();
                tracing::warn!(environment = message.environment, release = message.release, "not told: {error}");
            }
        }
    }
}

fn said(stderr: &str) -> String {
    if stderr.is_empty() { String::new() } else { format!(", saying `{stderr}`") }
}

#[cfg(test)]
mod tests;
