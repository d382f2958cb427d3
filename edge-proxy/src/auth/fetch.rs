//! Fetches a document over HTTP/1.1, with TLS if the URL is `https`.
//!
//! Invariant: reads at most [`LARGEST_DOCUMENT`] bytes. Redirects are refused: the operator configures the final URL.

use crate::config::Upstream;
use bytes::Bytes;
use http::{Request, StatusCode, Uri, header};
use http_body_util::{BodyExt, Empty, Limited};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use rustls::crypto::aws_lc_rs;
use rustls::pki_types::ServerName;
use rustls::{ClientConfig, RootCertStore};
use std::error::Error as StdError;
use std::sync::Arc;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

/// Documents of keys have a few hundred bytes per key.
const LARGEST_DOCUMENT: usize = 256 * 1024;

pub(super) type FetchError = Box<dyn StdError + Send + Sync>;

/// The body of the response to GET, whose status must be 200.
pub(super) async fn get(url: &Uri) -> Result<Bytes, FetchError> {
    let server = Upstream::from_uri(url).ok_or("the URL has no host")?;
    let connection = connect(&server).await?;
    if !server.tls {
        return exchange(connection, url, &server).await;
    }
    let name = ServerName::try_from(server.host.clone())?;
    let encrypted = TlsConnector::from(tls()?).connect(name, connection).await;
    let encrypted = encrypted.map_err(|error| format!("TLS with {} failed: {error}", server.authority))?;
    exchange(encrypted, url, &server).await
}

/// Tries each address of the host.
async fn connect(server: &Upstream) -> Result<TcpStream, FetchError> {
    let mut last = "the host has no address".to_owned();
    for address in tokio::net::lookup_host((server.host.as_str(), server.port)).await? {
        match TcpStream::connect(address).await {
            Ok(connection) => return Ok(connection),
            Err(error) => last = format!("connecting to {address} failed: {error}"),
        }
    }
    Err(last.into())
}

/// Trusts the authorities of this machine.
fn tls() -> Result<Arc<ClientConfig>, FetchError> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    let builder = ClientConfig::builder_with_provider(Arc::new(aws_lc_rs::default_provider()));
    let builder = builder.with_safe_default_protocol_versions()?;
    Ok(Arc::new(builder.with_root_certificates(roots).with_no_client_auth()))
}

async fn exchange<C>(connection: C, url: &Uri, server: &Upstream) -> Result<Bytes, FetchError>
where
    C: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let (mut requests, connection) = http1::handshake(TokioIo::new(connection)).await?;
    // It ends when the sender of requests and the body are dropped, and reports its errors to them.
    tokio::spawn(connection);
    let path = url.path_and_query().map_or("/", http::uri::PathAndQuery::as_str);
    let request = Request::get(path)
        .header(header::HOST, &server.authority)
        .header(header::ACCEPT, "application/json")
        .header(header::USER_AGENT, concat!("dossier-edge/", env!("CARGO_PKG_VERSION")))
        .body(Empty::<Bytes>::new())?;
    let response = requests.send_request(request).await?;
    if response.status() != StatusCode::OK {
        return Err(format!("the response has status {}", response.status().as_u16()).into());
    }
    Ok(Limited::new(response.into_body(), LARGEST_DOCUMENT).collect().await?.to_bytes())
}
