//! Starting the application once: checks that give a plain reason, then the process with its output on a pipe.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::fs::{Access, access};
use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::process::{Child, Command};
use tokio::task::JoinHandle;

use super::{Context, exec};
use crate::platform::local::output::Output;
use crate::platform::local::process::Process;
use crate::platform::local::{environment, files, port};

/// The application, and the task that keeps what it prints.
pub(super) struct Running {
    pub(super) child: Child,
    pub(super) process: Process,
    pub(super) output: JoinHandle<()>,
}

/// Starts the application. `Err` is the reason for the operator.
pub(super) fn start(context: &Context<'_>) -> Result<Running, String> {
    let (spec, dir) = (context.spec, context.dir);
    let environment = environment::of(spec).map_err(|error| error.to_string())?;
    let program = find(Path::new(&spec.run[0]), &spec.working_dir, environment.get(OsStr::new("PATH")))?;
    if let Some(reason) = port::taken(spec.port) {
        return Err(reason);
    }
    files::remove(&dir.exec_error()).map_err(|error| error.to_string())?;

    let system = |error: io::Error| format!("cannot start a process: {error}");
    let (reader, writer) = io::pipe().map_err(system)?;
    // The link leads to this very program even when an upgrade has replaced the file.
    let mut command = Command::new("/proc/self/exe");
    command.args(["shim".as_ref(), OsStr::new(exec::FLAG), context.shim.pid.to_string().as_ref()]);
    command.arg(dir.exec_error()).arg(program).args(&spec.run[1..]);
    prepare(&mut command, &environment, &spec.working_dir, writer).map_err(system)?;
    let child = command.spawn().map_err(system)?;
    drop(command); // with its ends of the pipe
    let pid = child.id().and_then(|pid| i32::try_from(pid).ok());
    let process = pid.and_then(Process::of_child).ok_or("/proc does not show the new process")?;
    let output = keep_output(reader, Arc::clone(&context.output)).map_err(system)?;
    Ok(Running { child, process, output })
}

/// A command of the instance's: its environment, its folder, a process group of its own, its output on the pipe.
pub(super) fn prepare(
    command: &mut Command,
    environment: &BTreeMap<OsString, OsString>,
    working_dir: &Path,
    output: io::PipeWriter,
) -> io::Result<()> {
    command.env_clear().envs(environment).current_dir(working_dir).process_group(0);
    command.stdin(Stdio::null()).stdout(output.try_clone()?).stderr(output);
    Ok(())
}

/// Copies what comes out of a pipe until its last writer has gone.
pub(super) fn keep_output(reader: io::PipeReader, output: Arc<Mutex<Output>>) -> io::Result<JoinHandle<()>> {
    let mut reader = pipe::Receiver::from_owned_fd(OwnedFd::from(reader))?;
    Ok(tokio::spawn(async move {
        let mut buffer = [0; 8192];
        while let Ok(length @ 1..) = reader.read(&mut buffer).await {
            output.lock().unwrap_or_else(PoisonError::into_inner).write(&buffer[..length]);
        }
    }))
}

/// The program's path: relative to the working folder if it has a slash, else looked up in `PATH`.
pub(super) fn find(program: &Path, working_dir: &Path, path: Option<&OsString>) -> Result<PathBuf, String> {
    if !working_dir.is_dir() {
        return Err(format!("no such folder: {}", working_dir.display()));
    }
    if program.components().count() > 1 {
        let program = working_dir.join(program);
        return match program.metadata() {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                Err(format!("no such file: {}", program.display()))
            }
            Err(error) => Err(format!("cannot look at {}: {error}", program.display())),
            Ok(_) if is_program(&program) => Ok(program),
            Ok(_) => Err(format!("not an executable file: {}", program.display())),
        };
    }
    let folders = path.map(std::env::split_paths).into_iter().flatten();
    folders
        .map(|folder| folder.join(program))
        .find(|candidate| is_program(candidate))
        .ok_or_else(|| format!("no program `{}` in PATH", program.display()))
}

fn is_program(path: &Path) -> bool {
    path.is_file() && access(path, Access::EXEC_OK).is_ok()
}

/// How a process ended, in words: `exit status 1`, `killed by signal 9 (SIGKILL)`.
pub(super) fn describe(status: ExitStatus) -> String {
    match status.code() {
        Some(code) => format!("exit status {code}"),
        None => format!("killed by {}", status.to_string().replacen("signal: ", "signal ", 1)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::process::ExitStatusExt;

    #[test]
    fn a_program_is_found_or_it_is_said_why_not() {
        let check = |program: &str, expected: Result<&str, &str>| {
            let found = find(Path::new(program), Path::new("/bin"), Some(&"/nowhere:/bin".into()));
            assert_eq!(found.as_deref().map_err(String::as_str), expected.map(Path::new), "{program}");
        };
        check("sh", Ok("/bin/sh"));
        check("./sh", Ok("/bin/./sh"));
        check("/bin/sh", Ok("/bin/sh"));
        check("no-such-program", Err("no program `no-such-program` in PATH"));
        check("/srv/api/v9/api", Err("no such file: /srv/api/v9/api"));
        check("/etc/passwd", Err("not an executable file: /etc/passwd"));
        check("/etc", Err("not an executable file: /etc"));
        assert_eq!(find(Path::new("sh"), Path::new("/nowhere"), None), Err("no such folder: /nowhere".into()));
    }

    #[test]
    fn an_end_is_put_in_words() {
        assert_eq!(describe(ExitStatus::from_raw(1 << 8)), "exit status 1");
        assert_eq!(describe(ExitStatus::from_raw(9)), "killed by signal 9 (SIGKILL)");
    }
}
