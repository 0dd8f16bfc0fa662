//! A shim's life: run the application, start it again when it ends, end it when asked.

use std::process::ExitStatus;
use std::time::Duration;

use rustix::process::Signal;
use tokio::process::Command;

use super::launch::{self, Running};
use super::restart::Restarts;
use super::{Context, StopWanted, exec};
use crate::platform::local::process::{signal_group, sweep};
use crate::platform::local::protocol::{Phase, State};
use crate::platform::local::{environment, files};

/// How long the last output may take to arrive once the application has ended.
const LAST_OUTPUT: Duration = Duration::from_millis(200);

/// Returns when somebody asked for the end and nothing of the instance runs any more.
pub(super) async fn run(context: &Context<'_>, mut stop: StopWanted) {
    let mut restarts = Restarts::new(context.spec.restart);
    let mut starts = 0_u32;
    loop {
        let (reason, remains) = match launch::start(context) {
            Ok(mut running) => {
                begun(context, &running, starts);
                starts = starts.saturating_add(1);
                match watch(context, &mut running, &mut restarts, &mut stop).await {
                    Some(status) => (reason_of(context, status), Some(running)),
                    None => return end(context, running, &mut stop).await,
                }
            }
            Err(reason) => (reason, None),
        };
        let wait = restarts.ended();
        publish(context, |state| {
            state.phase = Phase::Waiting;
            state.child = None;
            state.crash_looping = restarts.is_loop();
            state.failure = Some(reason.clone());
        });
        // The visitors first: an end is news, the rest is tidying up.
        tokio::task::yield_now().await;
        if let Some(running) = remains {
            bury(context, running).await;
        }
        context.note(&reason);
        tokio::select! {
            () = tokio::time::sleep(wait) => {}
            _ = stop.requested() => return,
        }
    }
}

fn begun(context: &Context<'_>, running: &Running, starts: u32) {
    publish(context, |state| {
        state.phase = Phase::Running;
        state.child = Some(running.process.clone());
        state.restarts = starts;
    });
    context.note(&format!("started {}, pid {}", context.spec.version, running.process.pid));
}

/// Waits for the application's end; `None` when it is to be ended.
async fn watch(
    context: &Context<'_>,
    running: &mut Running,
    restarts: &mut Restarts,
    stop: &mut StopWanted,
) -> Option<ExitStatus> {
    let settled = tokio::time::sleep(context.spec.restart.settled);
    tokio::pin!(settled);
    loop {
        tokio::select! {
            status = running.child.wait() => return Some(status.unwrap_or_default()),
            _ = stop.requested() => return None,
            () = &mut settled, if !settled.is_elapsed() => {
                restarts.settled();
                publish(context, |state| {
                    state.crash_looping = false;
                    state.failure = None;
                });
            }
        }
    }
}

/// Ends the application: asks, waits, kills.
async fn end(context: &Context<'_>, mut running: Running, stop: &mut StopWanted) {
    publish(context, |state| state.phase = Phase::Stopping);
    context.note("stopping");
    let asked = ask(context, running.process.pid);
    let graceful = async { tokio::join!(running.child.wait(), asked).0 };
    let status = tokio::select! {
        status = graceful => status,
        () = stop.expired() => {
            context.note("killed: it had not ended in time");
            kill_group(running.process.pid);
            running.child.wait().await
        }
    };
    bury(context, running).await;
    context.note(&status.map_or_else(|error| error.to_string(), launch::describe));
    publish(context, |state| state.child = None);
}

/// Runs the `stop` command if there is one, else sends SIGTERM to the application's group.
async fn ask(context: &Context<'_>, leader: i32) {
    let Some(words) = &context.spec.stop else {
        let _gone_already = signal_group(leader, Signal::TERM);
        return;
    };
    if let Err(reason) = run_stop_command(context, words).await {
        context.note(&format!("the stop command failed, SIGTERM instead: {reason}"));
        let _gone_already = signal_group(leader, Signal::TERM);
    }
}

async fn run_stop_command(context: &Context<'_>, words: &[String]) -> Result<(), String> {
    let spec = context.spec;
    let environment = environment::of(spec).map_err(|error| error.to_string())?;
    let program = launch::find(words[0].as_ref(), &spec.working_dir, environment.get(std::ffi::OsStr::new("PATH")))?;
    let mut command = Command::new(program);
    let (reader, writer) = std::io::pipe().map_err(|error| error.to_string())?;
    launch::prepare(&mut command, &environment, &spec.working_dir, writer).map_err(|error| error.to_string())?;
    let mut child = command.args(&words[1..]).kill_on_drop(true).spawn().map_err(|error| error.to_string())?;
    drop(command);
    let _output = launch::keep_output(reader, context.output.clone());
    match child.wait().await {
        Ok(status) if status.success() => Ok(()),
        Ok(status) => Err(launch::describe(status)),
        Err(error) => Err(error.to_string()),
    }
}

/// After the application's end: nothing it started may keep its port or go on without it.
async fn bury(context: &Context<'_>, running: Running) {
    // The leader is reaped, but its number is not given away as long as its group has a member.
    kill_group(running.process.pid);
    sweep(&context.spec.instance);
    let _in_time = tokio::time::timeout(LAST_OUTPUT, running.output).await;
}

fn kill_group(leader: i32) {
    let _gone_already = signal_group(leader, Signal::KILL);
}

fn reason_of(context: &Context<'_>, status: ExitStatus) -> String {
    let not_run = status.code() == Some(i32::from(exec::NOT_RUN));
    let why = not_run.then(|| std::fs::read_to_string(context.dir.exec_error()).ok()).flatten();
    let _read_once = files::remove(&context.dir.exec_error());
    why.unwrap_or_else(|| launch::describe(status))
}

fn publish(context: &Context<'_>, change: impl FnOnce(&mut State)) {
    context.state.send_modify(change);
    if let Err(error) = context.leave_trace() {
        // A full disk: the trace only matters when the shim is killed, and then the environment still tells.
        eprintln!("teal shim: {error}");
    }
}
