//! Answers of which a client takes nothing more. In HTTP/1 that is seen by the socket; in HTTP/2 a client may go on
//! with other requests, and say that it is there.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::pin::Pin;
use std::rc::Rc;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Bytes, HttpBody};
use hyper::body::{Frame, SizeHint};
use tokio::time::{Instant, sleep_until};

/// How much is given at once, in bytes: who takes that goes on.
const GIVEN: usize = 16 << 10;

/// The answers of a connection of which something has been given, and no more has been asked for yet: since when, by
/// their numbers.
#[derive(Debug, Default)]
pub(super) struct Stalls {
    since: RefCell<HashMap<u64, Instant>>,
    last: Cell<u64>,
}

impl Stalls {
    /// A body whose client is watched.
    pub(super) fn watch<B>(self: &Rc<Self>, body: B) -> Watched<B> {
        self.last.set(self.last.get() + 1);
        Watched { body, rest: Bytes::new(), number: self.last.get(), stalls: Rc::clone(self) }
    }

    /// Waits until nothing has been taken of an answer for so long.
    pub(super) async fn stalled(&self, patience: Duration) {
        loop {
            let now = Instant::now();
            let since = self.since.borrow().values().min().copied().unwrap_or(now);
            if since + patience <= now {
                return;
            }
            sleep_until(since + patience).await;
        }
    }

    fn is_given(&self, number: u64) {
        self.since.borrow_mut().insert(number, Instant::now());
    }

    fn is_taken(&self, number: u64) {
        self.since.borrow_mut().remove(&number);
    }
}

/// A body whose client is watched.
#[derive(Debug)]
pub(super) struct Watched<B> {
    body: B,
    /// What of a piece has not been given yet.
    rest: Bytes,
    number: u64,
    stalls: Rc<Stalls>,
}

impl<B: HttpBody<Data = Bytes> + Unpin> HttpBody for Watched<B> {
    type Data = Bytes;
    type Error = B::Error;

    fn poll_frame(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, B::Error>>> {
        let this = self.get_mut();
        this.stalls.is_taken(this.number);
        if this.rest.is_empty() {
            let frame = Pin::new(&mut this.body).poll_frame(context);
            let Poll::Ready(Some(Ok(frame))) = frame else { return frame };
            match frame.into_data() {
                Ok(bytes) => this.rest = bytes,
                Err(frame) => return Poll::Ready(Some(Ok(frame))),
            }
        }
        let given = this.rest.split_to(GIVEN.min(this.rest.len()));
        if !this.is_end_stream() {
            this.stalls.is_given(this.number);
        }
        Poll::Ready(Some(Ok(Frame::data(given))))
    }

    fn is_end_stream(&self) -> bool {
        self.rest.is_empty() && self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        if self.rest.is_empty() { self.body.size_hint() } else { SizeHint::default() }
    }
}

impl<B> Drop for Watched<B> {
    fn drop(&mut self) {
        self.stalls.is_taken(self.number);
    }
}

#[cfg(test)]
mod tests {
    use std::task::Waker;

    use axum::body::Body;

    use super::*;

    /// What is given next, of how many bytes it is; nothing at the end.
    fn next(body: &mut Watched<Body>) -> Option<usize> {
        let mut context = Context::from_waker(Waker::noop());
        match Pin::new(body).poll_frame(&mut context) {
            Poll::Ready(frame) => frame.map(|frame| frame.unwrap().into_data().unwrap().len()),
            Poll::Pending => panic!("the body is whole"),
        }
    }

    #[test]
    fn an_answer_is_given_bit_by_bit_and_watched_up_to_its_end() {
        let stalls = Rc::new(Stalls::default());
        let mut body = stalls.watch(Body::from(vec![0; 2 * GIVEN + 1]));
        assert_eq!(body.size_hint().exact(), Some(2 * GIVEN as u64 + 1));
        for (length, watched) in [(GIVEN, 1), (GIVEN, 1), (1, 0)] {
            assert_eq!(next(&mut body), Some(length));
            assert_eq!(stalls.since.borrow().len(), watched);
        }
        assert_eq!(next(&mut body), None);
        let mut others = [(); 2].map(|()| stalls.watch(Body::from(vec![0; GIVEN + 1])));
        for other in &mut others {
            assert_eq!(next(other), Some(GIVEN));
        }
        assert_eq!(stalls.since.borrow().len(), 2);
        drop(others);
        assert!(stalls.since.borrow().is_empty());
    }

    #[test]
    fn who_takes_nothing_for_long_is_given_up_and_who_takes_something_is_not() {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (stalls, patience) = (Rc::new(Stalls::default()), Duration::from_millis(20));
            let is_over = |patience| tokio::time::timeout(patience, stalls.stalled(patience / 3));
            assert!(is_over(patience).await.is_err());
            let mut body = stalls.watch(Body::from(vec![0; 2 * GIVEN]));
            assert_eq!(next(&mut body), Some(GIVEN));
            stalls.stalled(patience).await;
            assert_eq!(next(&mut body), Some(GIVEN));
            assert!(is_over(patience).await.is_err());
        });
    }
}
