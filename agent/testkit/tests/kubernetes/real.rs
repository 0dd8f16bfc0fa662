//! A real control plane, as envtest starts one: etcd and kube-apiserver in a folder of their own, on free ports of loopback.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use k8s_openapi::api::core::v1::Namespace;
use kube::api::{Api, ListParams};
use kube::config::{AuthInfo, Config};
use teal_testkit::{Folder, folder, free_port};
use tokio::process::{Child, Command};

/// Runs until it is stopped; what it writes is in a folder that goes with it.
pub(crate) struct ControlPlane {
    etcd: Child,
    server: Child,
    port: u16,
    _folder: Folder,
}

/// Token, name, uid, groups: the user `admin` may do everything, `alice` nothing.
const TOKENS: &str = "admin,admin,1,system:masters\nalice,alice,2\n";

impl ControlPlane {
    pub(crate) async fn start(assets: &Path) -> Self {
        let folder = folder();
        let at = |name: &str| folder.path().join(name).display().to_string();
        let [etcd_port, peer_port, port] = [free_port(), free_port(), free_port()];
        let etcd_url = format!("http://127.0.0.1:{etcd_port}");
        let peer_url = format!("http://127.0.0.1:{peer_port}");
        let etcd = command(&assets.join("etcd"), &at("etcd.log"))
            .args(["--data-dir", &at("etcd"), "--unsafe-no-fsync"])
            .args(["--listen-client-urls", &etcd_url, "--advertise-client-urls", &etcd_url])
            .args(["--listen-peer-urls", &peer_url, "--initial-advertise-peer-urls", &peer_url])
            .args(["--initial-cluster", &format!("default={peer_url}")])
            .spawn()
            .unwrap();
        let key = rcgen::KeyPair::generate().unwrap();
        fs::write(at("service-accounts.key"), key.serialize_pem()).unwrap();
        fs::write(at("service-accounts.pub"), key.public_key_pem()).unwrap();
        fs::write(at("tokens.csv"), TOKENS).unwrap();
        let server = command(&assets.join("kube-apiserver"), &at("server.log"))
            .args(["--etcd-servers", &etcd_url, "--cert-dir", &at("certificates")])
            .args(["--bind-address", "127.0.0.1", "--secure-port", &port.to_string()])
            .args(["--authorization-mode", "RBAC", "--token-auth-file", &at("tokens.csv")])
            .args(["--service-account-issuer", "https://localhost"])
            .args(["--service-account-key-file", &at("service-accounts.pub")])
            .args(["--service-account-signing-key-file", &at("service-accounts.key")])
            .args(["--service-cluster-ip-range", "10.96.0.0/16", "--disable-admission-plugins", "ServiceAccount"])
            .spawn()
            .unwrap();
        let plane = Self { etcd, server, port, _folder: folder };
        let namespaces = Api::<Namespace>::all(plane.client("admin"));
        let is_up = async || namespaces.list(&ListParams::default()).await.ok().filter(|list| !list.items.is_empty());
        teal_testkit::until("the control plane is up", is_up).await;
        plane
    }

    pub(crate) fn client(&self, token: &str) -> kube::Client {
        let mut config = Config::new(format!("https://127.0.0.1:{}", self.port).parse().unwrap());
        // Its certificate is its own, made a moment ago; it is asked over loopback only.
        config.accept_invalid_certs = true;
        config.default_retry = false;
        config.auth_info = AuthInfo { token: Some(token.to_owned().into()), ..AuthInfo::default() };
        kube::Client::try_from(config).unwrap()
    }

    pub(crate) async fn stop(mut self) {
        self.server.kill().await.unwrap();
        self.etcd.kill().await.unwrap();
    }
}

fn command(program: &Path, log: &str) -> Command {
    let mut command = Command::new(program);
    let log = fs::File::create(log).unwrap();
    command.kill_on_drop(true).stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    command
}
