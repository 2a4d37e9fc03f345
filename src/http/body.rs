//! Bodies of answers that keep a resource while they are sent, or that end early.

use std::{
    pin::Pin,
    task::{Context, Poll},
};

use axum::body::{Body, Bytes, HttpBody};
use http_body::{Frame, SizeHint};

/// Larger pieces are divided into pieces of this size: the server takes further ones only as its client reads, but a
/// whole one at once, so the resource would be released while all of it still waits to be sent. *Units:* bytes.
const PIECE_BYTES: usize = 64 << 10;

/// Returns `body`, which keeps `kept` until all but the last pieces have been sent, or sending has ended.
pub(crate) fn keeping<T: Send + Unpin + 'static>(body: Body, kept: T) -> Body {
    Body::new(Keeping { body, rest: Bytes::new(), kept: Some(kept) })
}

/// Returns `body` until `gone`; it then ends without an error, as streams do.
pub(super) fn until(body: Body, gone: impl Future<Output = ()> + Send + 'static) -> Body {
    Body::new(Until { body, gone: Some(Box::pin(gone)) })
}

struct Keeping<T> {
    body: Body,
    /// The rest of a piece that was too large.
    rest: Bytes,
    kept: Option<T>,
}

impl<T: Unpin> HttpBody for Keeping<T> {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        if self.rest.is_empty() {
            match std::task::ready!(Pin::new(&mut self.body).poll_frame(context)) {
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => self.rest = data,
                    Err(other) => return Poll::Ready(Some(Ok(other))),
                },
                None => {
                    self.kept = None;
                    return Poll::Ready(None);
                }
                Some(failed @ Err(_)) => return Poll::Ready(Some(failed)),
            }
        }
        let length = self.rest.len().min(PIECE_BYTES);
        let piece = self.rest.split_to(length);
        Poll::Ready(Some(Ok(Frame::data(piece))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        let (body, rest) = (self.body.size_hint(), self.rest.len() as u64);
        let mut hint = SizeHint::new();
        hint.set_lower(body.lower() + rest);
        if let Some(upper) = body.upper() {
            hint.set_upper(upper + rest);
        }
        hint
    }
}

struct Until {
    body: Body,
    gone: Option<Pin<Box<dyn Future<Output = ()> + Send>>>,
}

impl HttpBody for Until {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let Some(gone) = &mut self.gone else { return Poll::Ready(None) };
        if gone.as_mut().poll(context).is_ready() {
            self.gone = None;
            self.body = Body::empty();
            return Poll::Ready(None);
        }
        Pin::new(&mut self.body).poll_frame(context)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    async fn next(body: &mut Body) -> Option<Bytes> {
        let frame = std::future::poll_fn(|context| Pin::new(&mut *body).poll_frame(context)).await?;
        frame.expect("a frame").into_data().ok()
    }

    #[tokio::test]
    async fn what_is_kept_is_kept_until_the_last_piece_however_large_the_body() {
        let held = Arc::new(());
        let text = Bytes::from(vec![b'x'; 10 * PIECE_BYTES + 1]);
        let mut body = keeping(Body::from(text.clone()), Arc::clone(&held));
        let (mut length, mut pieces) = (0, 0);
        assert_eq!(body.size_hint().exact(), Some(text.len() as u64), "the length is said as before");
        while let Some(piece) = next(&mut body).await {
            assert!(piece.len() <= PIECE_BYTES);
            assert_eq!(Arc::strong_count(&held), 2, "after {length} bytes");
            (length, pieces) = (length + piece.len(), pieces + 1);
            let left = (text.len() - length) as u64;
            assert_eq!(body.size_hint().exact(), Some(left));
        }
        assert_eq!((length, pieces), (text.len(), 11));
        assert_eq!(Arc::strong_count(&held), 1);
    }

    #[tokio::test]
    async fn a_stream_ends_when_it_may_go_on_no_longer() {
        let (end, ended) = tokio::sync::oneshot::channel::<()>();
        let endless = Body::from_stream(futures_util::stream::repeat_with(|| Ok::<_, std::io::Error>("x")));
        let mut body = until(endless, async move { drop(ended.await) });
        assert_eq!(next(&mut body).await.as_deref(), Some(&b"x"[..]));
        end.send(()).expect("somebody who listens");
        assert_eq!(next(&mut body).await, None);
        assert_eq!(next(&mut body).await, None);
    }
}
