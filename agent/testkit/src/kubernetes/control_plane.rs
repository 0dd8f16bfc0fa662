//! A real control plane, as envtest starts one: etcd and kube-apiserver in a folder of their own, on free ports of loopback.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};
use kube::config::{AuthInfo, Config};
use tokio::process::{Child, Command};

use crate::{Folder, folder, free_port};

/// The folder with `etcd` and `kube-apiserver`, as envtest names it.
const ASSETS: &str = "KUBEBUILDER_ASSETS";

/// Who may do everything.
const ADMIN: &str = "admin";

/// Runs until it is stopped or dropped; what it writes is in a folder that goes with it.
#[derive(Debug)]
pub struct ControlPlane {
    assets: PathBuf,
    etcd_url: String,
    etcd: Child,
    server: Option<Child>,
    port: u16,
    folder: Folder,
}

impl ControlPlane {
    /// Starts one where `$KUBEBUILDER_ASSETS` says what to start; else says in one line that it does not. Besides `admin`,
    /// who may do everything, it knows `users`, who have what roles give them; each comes with its name as token.
    ///
    /// # Panics
    /// When it does not come up.
    pub async fn start_if_named(users: &[&str]) -> Option<Self> {
        let Some(assets) = std::env::var_os(ASSETS) else {
            println!("{ASSETS} is not set: this ran against the fake only");
            return None;
        };
        Some(Self::start(assets.as_ref(), users).await)
    }

    async fn start(assets: &Path, users: &[&str]) -> Self {
        let folder = folder();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let [etcd_port, peer_port, port] = [free_port(), free_port(), free_port()];
        let etcd_url = format!("http://127.0.0.1:{etcd_port}");
        let peer_url = format!("http://127.0.0.1:{peer_port}");
        let mut etcd = command(&assets.join("etcd"), &at("etcd.log"));
        etcd.args(["--data-dir", &at("etcd"), "--unsafe-no-fsync"])
            .args(["--listen-client-urls", &etcd_url, "--advertise-client-urls", &etcd_url])
            .args(["--listen-peer-urls", &peer_url, "--initial-advertise-peer-urls", &peer_url])
            .args(["--initial-cluster", &format!("default={peer_url}")]);
        make_key(&at("service-accounts.key"), &at("service-accounts.pub"));
        let mut tokens = format!("{ADMIN},{ADMIN},{ADMIN},system:masters\n");
        for user in users {
            let _ = writeln!(tokens, "{user},{user},{user}");
        }
        write(&at("tokens.csv"), &tokens);
        let etcd = spawn(etcd);
        let mut plane = Self { assets: assets.to_owned(), etcd_url, etcd, server: None, port, folder };
        plane.start_server().await;
        plane
    }

    /// Starts the API server again after [`Self::stop_server`], on the same port, with what it had.
    ///
    /// # Panics
    /// When it runs already, or does not come up.
    pub async fn start_server(&mut self) {
        assert!(self.server.is_none(), "the API server runs already");
        let at = |name: &str| self.folder.path().join(name).display().to_string();
        let mut server = command(&self.assets.join("kube-apiserver"), &at("server.log"));
        server
            .args(["--etcd-servers", &self.etcd_url, "--cert-dir", &at("certificates")])
            .args(["--bind-address", "127.0.0.1", "--secure-port", &self.port.to_string()])
            .args(["--authorization-mode", "RBAC", "--token-auth-file", &at("tokens.csv")])
            .args(["--service-account-issuer", "https://localhost"])
            .args(["--service-account-key-file", &at("service-accounts.pub")])
            .args(["--service-account-signing-key-file", &at("service-accounts.key")])
            .args(["--service-cluster-ip-range", "10.96.0.0/16", "--disable-admission-plugins", "ServiceAccount"]);
        self.server = Some(spawn(server));
        let namespaces = Api::<Namespace>::all(self.client(ADMIN));
        let is_up = async || namespaces.list(&ListParams::default()).await.ok().filter(|list| !list.items.is_empty());
        crate::until("the control plane is up", is_up).await;
    }

    /// Kills the API server; etcd keeps what it had.
    pub async fn stop_server(&mut self) {
        if let Some(mut server) = self.server.take() {
            let _ = server.kill().await;
        }
    }

    /// A client of `admin` or one of the users.
    ///
    /// # Panics
    /// When called outside of a tokio runtime.
    #[must_use]
    pub fn client(&self, user: &str) -> kube::Client {
        let url = format!("https://127.0.0.1:{}", self.port);
        let mut config = Config::new(url.parse().unwrap_or_else(|error| panic!("{url}: {error}")));
        // Its certificate is its own, made a moment ago; it is asked over loopback only.
        config.accept_invalid_certs = true;
        config.default_retry = false;
        config.auth_info = AuthInfo { token: Some(user.to_owned().into()), ..AuthInfo::default() };
        kube::Client::try_from(config).unwrap_or_else(|error| panic!("cannot make a client for {url}: {error}"))
    }

    /// A kubeconfig by which a program reaches it as `user`.
    #[must_use]
    pub fn kubeconfig(&self, user: &str) -> String {
        let port = self.port;
        format!(
            "apiVersion: v1\nkind: Config\ncurrent-context: real\nclusters:\n- name: real\n  cluster: \
             {{server: \"https://127.0.0.1:{port}\", insecure-skip-tls-verify: true}}\nusers:\n- name: real\n  user: \
             {{token: \"{user}\"}}\ncontexts:\n- name: real\n  context: {{cluster: real, user: real}}\n"
        )
    }

    /// The minor version of Kubernetes that it is: 36 for 1.36.
    ///
    /// # Panics
    /// When it does not say.
    pub async fn minor(&self) -> u32 {
        let version = self.client(ADMIN).apiserver_version().await;
        let version = version.unwrap_or_else(|error| panic!("the control plane does not say its version: {error}"));
        let minor = version.git_version.split('.').nth(1).and_then(|minor| minor.parse().ok());
        minor.unwrap_or_else(|| panic!("`{}` is no version", version.git_version))
    }

    /// Ends it.
    pub async fn stop(mut self) {
        self.stop_server().await;
        let _ = self.etcd.kill().await;
    }
}

/// The key that service accounts' tokens are signed by.
fn make_key(private: &str, public: &str) {
    let key = rcgen::KeyPair::generate().unwrap_or_else(|error| panic!("cannot make a key: {error}"));
    write(private, &key.serialize_pem());
    write(public, &key.public_key_pem());
}

fn write(path: &str, text: &str) {
    fs::write(path, text).unwrap_or_else(|error| panic!("cannot write {path}: {error}"));
}

fn command(program: &Path, log: &str) -> Command {
    let mut command = Command::new(program);
    let log = fs::File::options().create(true).append(true).open(log).and_then(|log| Ok((log.try_clone()?, log)));
    let (output, errors) = log.unwrap_or_else(|error| panic!("cannot log what {} says: {error}", program.display()));
    command.kill_on_drop(true).stdin(Stdio::null()).stdout(output).stderr(errors);
    command
}

fn spawn(mut command: Command) -> Child {
    command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}"))
}
