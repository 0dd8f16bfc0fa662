//! The operators' unix socket: its place taken only from a dead agent, its mode right from the first moment.

use std::io::{self, ErrorKind};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::os::unix::net::{UnixListener, UnixStream};
use std::path::Path;

use rustix::fs::{Mode, fchmod};
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType, bind, listen as listen_on, socket_with};

use super::ServeError;

/// Connections that may wait to be accepted.
const WAITING: i32 = 128;

/// Listens on `path`, for its owner and group alone. Takes the place of a socket that a dead agent left, never of one
/// that answers, nor of anything that is no socket.
pub(super) fn listen(path: &Path) -> Result<UnixListener, ServeError> {
    let failed = |error| ServeError::Socket { path: path.to_owned(), error };
    make_room(path)?;
    if let Some(folder) = path.parent().filter(|f| !f.as_os_str().is_empty()) {
        std::fs::create_dir_all(folder).map_err(failed)?;
    }
    open(path).map(UnixListener::from).map_err(failed)
}

fn make_room(path: &Path) -> Result<(), ServeError> {
    let failed = |error| ServeError::Socket { path: path.to_owned(), error };
    match std::fs::symlink_metadata(path) {
        Ok(there) if there.file_type().is_socket() => {}
        Ok(_) => return Err(ServeError::NotASocket(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(failed(error)),
    }
    match UnixStream::connect(path) {
        Ok(_) => Err(ServeError::Taken(path.to_owned())),
        Err(error) if error.kind() == ErrorKind::ConnectionRefused => std::fs::remove_file(path).map_err(failed),
        // Somebody else's, perhaps alive.
        Err(error) => Err(failed(error)),
    }
}

fn open(path: &Path) -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    let socket = socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?;
    // The file gets the socket's mode: nobody else can connect between the bind and the mode that is meant.
    fchmod(&socket, Mode::RUSR | Mode::WUSR)?;
    bind(&socket, &SocketAddrUnix::new(path)?)?;
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o660))?;
    listen_on(&socket, WAITING)?;
    Ok(socket)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_socket_is_for_its_owner_and_group_and_takes_a_dead_ones_place() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run/teal.sock");
        drop(listen(&path).unwrap());
        let second = listen(&path).unwrap();
        assert_eq!(std::fs::metadata(&path).unwrap().permissions().mode() & 0o777, 0o660);
        let error = listen(&path).unwrap_err();
        assert!(matches!(error, ServeError::Taken(_)), "{error}");
        drop(second);
    }

    #[tokio::test]
    async fn a_file_that_is_no_socket_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("precious");
        std::fs::write(&path, "data").unwrap();
        let error = listen(&path).unwrap_err();
        assert!(matches!(error, ServeError::NotASocket(_)), "{error}");
        assert_eq!(std::fs::read_to_string(&path).unwrap(), "data");
    }
}
