//! The least that a proxy built on pingora does: the peer of `bench/proxy.mjs`.
//!
//! `bare_pingora LISTEN UPSTREAM`, two addresses with ports.

use async_trait::async_trait;
use pingora::Result;
use pingora::apps::HttpServerApp;
use pingora::protocols::http::ServerSession;
use pingora::proxy::{ProxyHttp, Session, http_proxy};
use pingora::server::configuration::ServerConf;
use pingora::upstreams::peer::HttpPeer;
use std::sync::Arc;
use tokio::net::TcpListener;
use tokio::sync::watch;

struct Bare(String);

#[async_trait]
impl ProxyHttp for Bare {
    type CTX = ();

    fn new_ctx(&self) {}

    async fn upstream_peer(&self, _: &mut Session, (): &mut ()) -> Result<Box<HttpPeer>> {
        Ok(Box::new(HttpPeer::new(&self.0, false, String::new())))
    }
}

#[tokio::main]
async fn main() -> std::io::Result<()> {
    let mut args = std::env::args().skip(1);
    let (Some(listen), Some(upstream)) = (args.next(), args.next()) else {
        return Err(std::io::Error::other("usage: bare_pingora LISTEN UPSTREAM"));
    };
    let listener = TcpListener::bind(listen).await?;
    let proxy = Arc::new(http_proxy(&Arc::new(ServerConf::default()), Bare(upstream)));
    let stopping = watch::Sender::new(false);
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let (proxy, stopping) = (Arc::clone(&proxy), stopping.subscribe());
        tokio::spawn(async move {
            let stream = pingora::protocols::l4::stream::Stream::from(stream);
            let mut session = ServerSession::new_http1(Box::new(stream));
            session.set_keepalive(Some(60));
            while let Some(reused) = proxy.process_new_http(session, &stopping).await {
                let (stream, settings) = reused.consume();
                session = ServerSession::new_http1(stream);
                if let Some(settings) = settings {
                    settings.apply_to_session(&mut session);
                }
            }
        });
    }
}
