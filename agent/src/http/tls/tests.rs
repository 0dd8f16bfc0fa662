use std::os::unix::fs::symlink;

use rcgen::{CertificateParams, Issuer, KeyPair, SanType};
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use teal_testkit::until;
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsConnector;

use super::*;

/// An authority, and how many certificates it gave out.
struct Authority {
    issuer: Issuer<'static, KeyPair>,
    roots: RootCertStore,
}

impl Authority {
    fn new() -> Self {
        let mut params = CertificateParams::new(Vec::new()).unwrap();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let key = KeyPair::generate().unwrap();
        let own = params.self_signed(&key).unwrap();
        let mut roots = RootCertStore::empty();
        roots.add(own.der().clone()).unwrap();
        Self { issuer: Issuer::new(params, key), roots }
    }

    /// A pair for localhost, as (certificate, key) in PEM form.
    fn pair(&self) -> (String, String) {
        let key = KeyPair::generate().unwrap();
        let mut params = CertificateParams::new(vec!["localhost".to_owned()]).unwrap();
        params.subject_alt_names.push(SanType::IpAddress([127, 0, 0, 1].into()));
        (params.signed_by(&key, &self.issuer).unwrap().pem(), key.serialize_pem())
    }

    fn client(&self, versions: &[&'static rustls::SupportedProtocolVersion]) -> TlsConnector {
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder = ClientConfig::builder_with_provider(provider).with_protocol_versions(versions).unwrap();
        TlsConnector::from(Arc::new(builder.with_root_certificates(self.roots.clone()).with_no_client_auth()))
    }
}

/// Shakes hands with whoever comes.
async fn door(tls: Tls) -> std::net::SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    tokio::spawn(async move {
        while let Ok((stream, _)) = listener.accept().await {
            let tls = tls.clone();
            tokio::spawn(async move { tls.accept(stream).await });
        }
    });
    address
}

/// The certificate that a client is shown.
async fn shown(address: std::net::SocketAddr, client: &TlsConnector) -> io::Result<Vec<u8>> {
    let stream = TcpStream::connect(address).await?;
    let stream = client.connect(ServerName::try_from("localhost").unwrap(), stream).await?;
    Ok(stream.get_ref().1.peer_certificates().unwrap()[0].to_vec())
}

#[tokio::test]
async fn a_new_pair_is_used_and_a_broken_one_keeps_the_old() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    // As a Secret is mounted: files -> ..data -> a folder for each version.
    let version = |name: &str, (certificate, key): (String, String)| {
        let path = folder.path().join(name);
        std::fs::create_dir(&path).unwrap();
        std::fs::write(path.join("tls.crt"), certificate).unwrap();
        std::fs::write(path.join("tls.key"), key).unwrap();
        let link = folder.path().join("..new");
        symlink(name, &link).unwrap();
        std::fs::rename(link, folder.path().join("..data")).unwrap();
    };
    let in_data = |name: &str| folder.path().join("..data").join(name);
    version("1", authority.pair());
    let files = TlsFiles { certificate: in_data("tls.crt"), key: in_data("tls.key") };
    let (tls, task) = Tls::start(files, CancellationToken::new()).await.unwrap();
    let (address, client) = (door(tls.clone()).await, authority.client(rustls::ALL_VERSIONS));
    let first = shown(address, &client).await.unwrap();

    version("2", authority.pair());
    let second = until("the new certificate is shown", || async {
        Some(shown(address, &client).await.unwrap()).filter(|shown| *shown != first)
    })
    .await;

    // A key that is another one's.
    version("3", (authority.pair().0, authority.pair().1));
    let mut configs = tls.configs.clone();
    configs.mark_unchanged();
    assert!(tokio::time::timeout(3 * LOOK, configs.changed()).await.is_err(), "the pair was taken");
    assert_eq!(shown(address, &client).await.unwrap(), second);

    version("4", authority.pair());
    until("the next whole pair is shown", || async {
        Some(shown(address, &client).await.unwrap()).filter(|shown| *shown != second)
    })
    .await;
    task.abort();
}

#[tokio::test]
async fn tls_1_2_and_1_3_are_spoken() {
    let folder = tempfile::tempdir().unwrap();
    let authority = Authority::new();
    let files = TlsFiles { certificate: folder.path().join("crt"), key: folder.path().join("key") };
    let (certificate, key) = authority.pair();
    std::fs::write(&files.certificate, certificate).unwrap();
    std::fs::write(&files.key, key).unwrap();
    let (tls, _task) = Tls::start(files, CancellationToken::new()).await.unwrap();
    let address = door(tls).await;
    for version in [&rustls::version::TLS12, &rustls::version::TLS13] {
        shown(address, &authority.client(&[version])).await.unwrap();
    }
    let stranger = shown(address, &Authority::new().client(rustls::ALL_VERSIONS)).await;
    assert!(stranger.is_err(), "another authority does not vouch for it");
}

#[tokio::test]
async fn what_is_wrong_with_a_pair_is_said_by_file() {
    let folder = tempfile::tempdir().unwrap();
    let (certificate, key) = Authority::new().pair();
    let check = async |certificate: Option<&str>, key: Option<&str>, expected: &str| {
        let files = TlsFiles { certificate: folder.path().join("the.crt"), key: folder.path().join("the.key") };
        for (path, text) in [(&files.certificate, certificate), (&files.key, key)] {
            let _ = std::fs::remove_file(path);
            if let Some(text) = text {
                std::fs::write(path, text).unwrap();
            }
        }
        let error = Tls::start(files, CancellationToken::new()).await.unwrap_err().to_string();
        assert!(error.contains(expected), "{error}");
    };
    check(None, Some(&key), "the.crt cannot be read").await;
    check(Some(&certificate), None, "the.key cannot be read").await;
    check(Some(&key), Some(&key), "the.crt holds no certificate").await;
    check(Some(&certificate), Some(&certificate), "the.key holds no private key").await;
    check(Some(&certificate), Some(&Authority::new().pair().1), "cannot be used together").await;
}
