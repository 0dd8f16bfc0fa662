//! The HTTP client: TLS by rustls with ring, configured here and nowhere else, so that nothing global is set.

use std::path::Path;
use std::sync::Arc;

use reqwest::Client;
use reqwest::redirect::Policy;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use rustls::{ClientConfig, RootCertStore};
use rustls_platform_verifier::BuilderVerifierExt;

use super::address::Address;
use super::error::ClientError;
use super::limits::Limits;

/// Makes the client. Reads files: not for a runtime's threads.
///
/// # Errors
/// When the certificates to trust cannot be read.
pub(super) fn client(address: &Address, authority: Option<&Path>, limits: &Limits) -> Result<Client, ClientError> {
    let mut builder = Client::builder()
        .tls_backend_preconfigured(config(address.is_https(), authority)?)
        .connect_timeout(limits.connect)
        .redirect(Policy::none())
        .user_agent(concat!("teal-flags/", env!("CARGO_PKG_VERSION")));
    if address.is_loopback() {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| ClientError::Trust(error.to_string()))
}

fn config(is_https: bool, authority: Option<&Path>) -> Result<ClientConfig, ClientError> {
    let wrong = |error: rustls::Error| ClientError::Trust(error.to_string());
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions().map_err(wrong)?;
    let mut config = match authority {
        Some(path) => builder.with_root_certificates(authorities(path)?).with_no_client_auth(),
        None if is_https => builder.with_platform_verifier().map_err(wrong)?.with_no_client_auth(),
        // The system's certificates are hundreds, and nobody will ask for them.
        None => builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth(),
    };
    config.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(config)
}

/// The certificates of a PEM file.
fn authorities(path: &Path) -> Result<RootCertStore, ClientError> {
    let wrong = |problem: &dyn std::fmt::Display| ClientError::Trust(format!("{}: {problem}", path.display()));
    let pem = std::fs::read(path).map_err(|error| wrong(&error))?;
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(&pem) {
        let certificate = certificate.map_err(|error| wrong(&error))?;
        store.add(certificate).map_err(|error| wrong(&error))?;
    }
    if store.is_empty() {
        return Err(wrong(&"holds no certificate in PEM form (-----BEGIN CERTIFICATE-----)"));
    }
    Ok(store)
}

#[cfg(test)]
mod tests {
    use super::*;

    const FOLDER: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/tls");

    /// Answers one request over TLS; gives the address.
    fn server() -> Address {
        use std::io::{Read, Write};

        let read = |name: &str| std::fs::read(format!("{FOLDER}/{name}")).unwrap();
        let chain = vec![CertificateDer::from_pem_slice(&read("server.pem")).unwrap()];
        let key = rustls::pki_types::PrivateKeyDer::from_pem_slice(&read("server-key.pem")).unwrap();
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let builder =
            rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
        let config = Arc::new(builder.with_no_client_auth().with_single_cert(chain, key).unwrap());
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        std::thread::spawn(move || {
            let (socket, _) = listener.accept().unwrap();
            let mut stream = rustls::StreamOwned::new(rustls::ServerConnection::new(config).unwrap(), socket);
            // A client that does not trust us hangs up.
            let _ = stream.read(&mut [0; 4096]);
            let _ = stream.write_all(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n");
        });
        Address::parse(&format!("https://localhost:{port}"), false).unwrap()
    }

    #[tokio::test]
    async fn a_private_authority_is_trusted_and_nobody_unknown_is() {
        let authority = format!("{FOLDER}/authority.pem");
        for (authority, trusted) in [(Some(Path::new(&authority)), true), (None, false)] {
            let address = server();
            let client = client(&address, authority, &Limits::default()).unwrap();
            let answer = client.get(address.of("snapshot", None)).send().await;
            match answer {
                Ok(answer) => assert!(trusted && answer.status() == 204),
                Err(error) => {
                    let text = super::super::http::broken(error).to_string();
                    assert!(!trusted && text.contains("invalid peer certificate"), "{text}");
                }
            }
        }
        assert!(rustls::crypto::CryptoProvider::get_default().is_none(), "nothing global is set");
    }

    fn check(content: &str, expected: &str) {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        let address = Address::parse("https://flags.internal", false).unwrap();
        let error = client(&address, Some(file.path()), &Limits::default()).unwrap_err();
        assert!(error.to_string().contains(expected), "{error}");
    }

    #[test]
    fn a_file_without_a_usable_certificate_is_refused() {
        check("", "holds no certificate");
        check("-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----\n", "holds no certificate");
        check("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n", "certificates to trust");
    }

    #[test]
    fn plain_http_on_loopback_needs_no_certificates() {
        let address = Address::parse("http://127.0.0.1:1", false).unwrap();
        assert!(client(&address, None, &Limits::default()).is_ok());
    }
}
