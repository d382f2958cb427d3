//! A client's connection, as pingora reads and writes it. It closes so that the response arrives.
//!
//! If a server closes a connection while bytes are still arriving, the kernel sends a reset. A reset destroys data that the
//! client has not read yet: the very response that refused the body. So the connection first sends FIN, then reads and
//! discards some of the remaining bytes, then stops reading so that the client's sending stalls, and only then closes.
//! Invariant: the discarded bytes are limited in number and in time. A refused body is never read completely.
//! Invariant: a client that does not read what is sent to it is cut off, whatever it is that is sent.

use super::admission::{Admitted, Phase};
use async_trait::async_trait;
use pingora::protocols::l4::ext::set_snd_buf;
use pingora::protocols::raw_connect::ProxyDigest;
use pingora::protocols::{
    GetProxyDigest, GetSocketDigest, GetTimingDigest, Peek, Shutdown, SocketDigest, Ssl, Stream,
    TimingDigest, UniqueID, UniqueIDType,
};
use std::io;
use std::os::fd::AsRawFd;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, BufWriter, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::Sleep;
use tokio_util::task::TaskTracker;

/// The limits of a connection.
#[derive(Debug, Clone)]
pub(super) struct ConnectionLimits {
    /// How long the head of a request may take, from its first byte to its last.
    pub(super) head: Duration,
    /// How long a client may not read what is sent to it.
    pub(super) unread: Duration,
    pub(super) linger_bytes: u64,
    pub(super) linger: Duration,
    /// Tracks connections that are closing.
    pub(super) closing: TaskTracker,
}

/// How much is read at a time. Pingora holds up to six pieces of a body for a slower receiver, each as large as one read.
/// With 64 KiB, a waiting upload would hold half a megabyte there.
const PIECE: usize = 16 * 1024;

/// How much of a response is gathered before it is sent: a head with a short body is one packet and one system call. Pingora
/// flushes whatever must not wait.
const GATHERED: usize = 4 * 1024;

/// What the kernel may hold of an event stream for its client. Linux doubles it for its own bookkeeping.
const EVENT_SEND_BUFFER: usize = 32 * 1024;

/// No head is being read.
const NO_HEAD: u64 = u64::MAX;
/// The first byte of a head has not arrived yet.
const BEFORE_HEAD: u64 = u64::MAX - 1;

/// A client's connection.
#[derive(Debug)]
pub(super) struct Connection {
    /// `None` once the connection is dropped.
    stream: Option<BufWriter<TcpStream>>,
    limits: ConnectionLimits,
    accepted: Instant,
    digest: Arc<SocketDigest>,
    /// When the current head began, in milliseconds since `accepted`.
    head_began: AtomicU64,
    peer_has_closed: bool,
    /// What is written from now on is flushed at once, so the buffer can go.
    gathers_no_more: AtomicBool,
    /// Since nothing could be written: when the patience ends.
    unread: Option<Pin<Box<Sleep>>>,
    admitted: Arc<Admitted>,
}

impl Connection {
    pub(super) fn new(stream: TcpStream, limits: ConnectionLimits, admitted: Admitted) -> Self {
        let digest = Arc::new(SocketDigest::from_raw_fd(stream.as_raw_fd()));
        Self {
            stream: Some(BufWriter::with_capacity(GATHERED, stream)),
            limits,
            accepted: Instant::now(),
            digest,
            head_began: AtomicU64::new(BEFORE_HEAD),
            peer_has_closed: false,
            gathers_no_more: AtomicBool::new(false),
            unread: None,
            admitted: Arc::new(admitted),
        }
    }

    /// The connection inside a stream of pingora.
    pub(super) fn of(stream: &Stream) -> Option<&Self> {
        stream.as_any().downcast_ref()
    }

    /// The next bytes are the head of another request.
    pub(super) fn expect_head(&self) {
        self.admitted.enter(Phase::Idle);
        self.head_began.store(BEFORE_HEAD, Ordering::Relaxed);
    }

    /// The next bytes belong to a body, if there is one.
    pub(super) fn head_is_read(&self, has_body: bool) {
        self.admitted.enter(if has_body { Phase::Waiting } else { Phase::Busy });
        self.head_began.store(NO_HEAD, Ordering::Relaxed);
    }

    /// All of the body has arrived.
    pub(super) fn body_is_read(&self) {
        self.admitted.enter(Phase::Busy);
    }

    /// An event stream begins. It limits what the kernel holds for a client that does not read, which grows to megabytes
    /// otherwise, and gives back the buffer: streams are many, and mostly idle.
    pub(super) fn begin_events(&self) {
        self.gathers_no_more.store(true, Ordering::Relaxed);
        let Some(stream) = &self.stream else { return };
        if let Err(error) = set_snd_buf(stream.get_ref().as_raw_fd(), EVENT_SEND_BUFFER) {
            tracing::debug!("setting the send buffer failed: {error}");
        }
    }

    /// Whether the current head takes too long.
    fn head_is_late(&self) -> bool {
        let began = self.head_began.load(Ordering::Relaxed);
        if began == NO_HEAD {
            return false;
        }
        let now = u64::try_from(self.accepted.elapsed().as_millis()).unwrap_or(BEFORE_HEAD - 1);
        if began == BEFORE_HEAD {
            self.head_began.store(now, Ordering::Relaxed);
            return false;
        }
        u128::from(now - began) > self.limits.head.as_millis()
    }

    /// The outcome of a write, or an error if the client has not read anything for too long.
    fn unless_unread<T>(
        &mut self,
        cx: &mut Context<'_>,
        outcome: Poll<io::Result<T>>,
    ) -> Poll<io::Result<T>> {
        if outcome.is_ready() {
            self.unread = None;
            return outcome;
        }
        if self.unread.is_none() {
            self.admitted.enter(Phase::Waiting);
        }
        let patience = self.limits.unread;
        let end = self.unread.get_or_insert_with(|| Box::pin(tokio::time::sleep(patience)));
        ready!(end.as_mut().poll(cx));
        // The bytes in the buffer are not sent either.
        self.peer_has_closed = true;
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }

    fn stream(&mut self) -> io::Result<Pin<&mut BufWriter<TcpStream>>> {
        self.stream.as_mut().map(Pin::new).ok_or_else(|| io::ErrorKind::NotConnected.into())
    }
}

impl Drop for Connection {
    fn drop(&mut self) {
        let Some(stream) = self.stream.take() else { return };
        let admitted = Arc::clone(&self.admitted);
        // Closed for another connection, it does not stay. Without a runtime, nothing can.
        let is_replaced = admitted.close().is_cancelled();
        if !self.peer_has_closed && !is_replaced && tokio::runtime::Handle::try_current().is_ok() {
            // It keeps its place, so that nobody has more connections by breaking them off. Another one may have it at once.
            admitted.enter(Phase::Idle);
            let (bytes, time) = (self.limits.linger_bytes, self.limits.linger);
            self.limits.closing.spawn(async move {
                admitted.close().run_until_cancelled(linger(stream, bytes, time)).await;
            });
        }
    }
}

/// Closes `stream` so that everything written to it arrives.
pub(super) async fn linger(mut stream: BufWriter<TcpStream>, bytes: u64, time: Duration) {
    let closing = async {
        if stream.shutdown().await.is_err() {
            return;
        }
        let mut discarded = [0; 4096];
        let mut discarded_bytes = 0;
        while discarded_bytes < bytes {
            match stream.read(&mut discarded).await {
                Ok(0) | Err(_) => return,
                Ok(read) => discarded_bytes += read as u64,
            }
        }
        std::future::pending::<()>().await;
    };
    // After that, a client that still sends is cut off.
    let _ = tokio::time::timeout(time, closing).await;
}

impl AsyncRead for Connection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let mut piece = buf.take(PIECE);
        ready!(self.stream()?.poll_read(cx, &mut piece))?;
        let read = piece.filled().len();
        // SAFETY: `piece` is the unfilled beginning of `buf`, and `read` bytes of it were just written.
        unsafe { buf.assume_init(read) };
        buf.advance(read);
        if read == 0 {
            self.peer_has_closed = true;
        } else if self.head_is_late() {
            return Poll::Ready(Err(io::ErrorKind::TimedOut.into()));
        }
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for Connection {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write(cx, buf);
        self.unless_unread(cx, written)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        let written = self.stream()?.poll_write_vectored(cx, bufs);
        self.unless_unread(cx, written)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.as_ref().is_some_and(AsyncWrite::is_write_vectored)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        let flushed = self.stream()?.poll_flush(cx);
        ready!(self.unless_unread(cx, flushed))?;
        if self.gathers_no_more.swap(false, Ordering::Relaxed) {
            // It is empty now.
            self.stream = self.stream.take().map(|stream| BufWriter::with_capacity(0, stream.into_inner()));
        }
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.stream()?.poll_shutdown(cx)
    }
}

#[async_trait]
impl Shutdown for Connection {
    async fn shutdown(&mut self) {
        if let Some(stream) = &mut self.stream {
            // A failure means that the connection is already closed.
            let _ = stream.shutdown().await;
        }
    }
}

impl UniqueID for Connection {
    fn id(&self) -> UniqueIDType {
        self.stream.as_ref().map_or(-1, |stream| stream.get_ref().as_raw_fd())
    }
}

impl GetSocketDigest for Connection {
    fn get_socket_digest(&self) -> Option<Arc<SocketDigest>> {
        Some(Arc::clone(&self.digest))
    }
}

impl GetTimingDigest for Connection {
    fn get_timing_digest(&self) -> Vec<Option<TimingDigest>> {
        Vec::new()
    }
}

impl GetProxyDigest for Connection {
    fn get_proxy_digest(&self) -> Option<Arc<ProxyDigest>> {
        None
    }
}

impl Ssl for Connection {}
impl Peek for Connection {}
