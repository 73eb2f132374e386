//! HTTP/2, which is spoken where a client asks for it in its handshake.

use std::future::Future;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Bytes;
use axum::http::{Method, Request, Response, StatusCode};
use h2::RecvStream;
use h2::client::SendRequest;
use ream::serve::ServeOptions;
use tokio::net::TcpStream;
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_rustls::client::TlsStream;

use crate::support::{Home, PATIENCE};
use crate::tls::{Shown, config};

fn home(shown: &Shown) -> Home {
    home_with(shown, ServeOptions::default())
}

fn home_with(shown: &Shown, mut options: ServeOptions) -> Home {
    (options.tls_cert, options.tls_key) = (Some(shown.cert()), Some(shown.key()));
    Home::with_http(options)
}

fn run<T>(test: impl Future<Output = T>) -> T {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async { timeout(PATIENCE, test).await.unwrap() })
}

/// A connection behind its handshake, in which the client would speak these protocols.
async fn encrypted(home: &Home, protocols: &[&[u8]]) -> TlsStream<TcpStream> {
    let mut config = config("one.cert");
    config.alpn_protocols = protocols.iter().map(|name| name.to_vec()).collect();
    let stream = TcpStream::connect(home.address()).await.unwrap();
    let connector = TlsConnector::from(Arc::new(config));
    connector.connect("localhost".try_into().unwrap(), stream).await.unwrap()
}

/// A client, and how its connection ends.
async fn client(home: &Home) -> (SendRequest<Bytes>, JoinHandle<Result<(), h2::Error>>) {
    let stream = encrypted(home, &[b"h2", b"http/1.1"]).await;
    assert_eq!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
    let (client, connection) = h2::client::handshake(stream).await.unwrap();
    (client, tokio::spawn(connection))
}

/// Whether a connection ended by a word of the server. The client's own last word may find it closed.
fn is_in_order(ended: &Result<(), h2::Error>) -> bool {
    ended.as_ref().map_or_else(h2::Error::is_io, |()| true)
}

/// Sends a request by who may do everything, with a body where there is one.
async fn ask(
    client: &mut SendRequest<Bytes>,
    (method, target): (Method, &str),
    accept: &str,
    body: &str,
) -> Response<RecvStream> {
    let request = Request::builder().method(method).uri(target);
    let request = request.header("authorization", "Bearer t-admin").header("accept", accept);
    let request = request.body(()).unwrap();
    std::future::poll_fn(|context| client.poll_ready(context)).await.unwrap();
    let (response, mut sent) = client.send_request(request, body.is_empty()).unwrap();
    if !body.is_empty() {
        sent.send_data(Bytes::copy_from_slice(body.as_bytes()), true).unwrap();
    }
    response.await.unwrap()
}

/// What of an answer comes up to such a text; all of it where there is no such.
async fn up_to(response: &mut Response<RecvStream>, text: &str) -> String {
    let mut received = String::new();
    while text.is_empty() || !received.contains(text) {
        let Some(bytes) = response.body_mut().data().await else { break };
        let bytes = bytes.unwrap();
        response.body_mut().flow_control().release_capacity(bytes.len()).unwrap();
        received.push_str(std::str::from_utf8(&bytes).unwrap());
    }
    received
}

#[test]
fn requests_of_one_connection_are_answered_beside_each_other() {
    let shown = Shown::new();
    let home = home(&shown);
    let ended = run(async {
        let (mut client, connection) = client(&home).await;
        let live = (Method::GET, "https://localhost/events");
        let mut live = ask(&mut client, live, "text/event-stream", "").await;
        assert_eq!(live.status(), StatusCode::OK);
        for number in 1..=3 {
            let append = (Method::POST, "https://localhost/streams/s?type=T");
            let mut appended = ask(&mut client, append, "*/*", &number.to_string()).await;
            let told = up_to(&mut appended, "").await;
            assert!(told.contains(&format!("\"position\":{number},")), "{told}");
            let event = up_to(&mut live, "\n\n").await;
            assert!(event.contains(&format!("\"version\":{number},")), "{event}");
        }
        let mut read = ask(&mut client, (Method::GET, "https://127.0.0.1/events"), "*/*", "").await;
        assert_eq!(up_to(&mut read, "").await.lines().count(), 3);
        home.stop();
        let rest = up_to(&mut live, "").await;
        assert!(rest.contains("the server is ending"), "{rest}");
        connection.await.unwrap()
    });
    assert!(is_in_order(&ended), "{ended:?}");
    home.end();
}

#[test]
fn a_request_is_judged_by_its_head_as_in_http_1() {
    let shown = Shown::new();
    let home = home(&shown);
    run(async {
        let (mut client, _connection) = client(&home).await;
        for (target, status) in [
            ("https://localhost/status", StatusCode::OK),
            ("https://example.com/status", StatusCode::FORBIDDEN),
            ("https://me@localhost/status", StatusCode::FORBIDDEN),
            ("https://localhost/nothing", StatusCode::NOT_FOUND),
        ] {
            let mut response = ask(&mut client, (Method::GET, target), "*/*", "").await;
            assert_eq!(response.status(), status, "{target}: {}", up_to(&mut response, "").await);
        }
        // One that is turned away need not have its body read, and the next one is answered all the same.
        let long = "1".repeat(1 << 20);
        let append = (Method::POST, "https://example.com/streams/s?type=T");
        let refused = ask(&mut client, append, "*/*", &long).await;
        assert_eq!(refused.status(), StatusCode::FORBIDDEN);
        let append = (Method::POST, "https://localhost/streams/s?type=T");
        let mut appended = ask(&mut client, append, "*/*", &format!("\"{long}\"")).await;
        assert!(up_to(&mut appended, "").await.contains("\"position\":1,"));
    });
    home.end();
}

#[test]
fn who_takes_nothing_of_an_answer_is_given_up_though_it_says_that_it_is_there() {
    let shown = Shown::new();
    let mut options = ServeOptions::default();
    (options.keep_alive, options.ping_timeout) = (PATIENCE / 60, PATIENCE / 60);
    let home = home_with(&shown, options);
    let long = format!("\"{}\"", "x".repeat(100_000));
    (0..20).for_each(|_| home.append("s", &long));
    run(async {
        let (mut client, connection) = client(&home).await;
        let events = (Method::GET, "https://localhost/events");
        // Not a byte of it is taken beyond what may be sent ahead.
        let _unread = ask(&mut client, events.clone(), "*/*", "").await;
        assert!(connection.await.unwrap().is_err());
        let (mut client, connection) = self::client(&home).await;
        let mut read = ask(&mut client, events, "*/*", "").await;
        assert_eq!(up_to(&mut read, "").await.lines().count(), 20);
        assert!(!connection.is_finished());
    });
    home.end();
}

#[test]
fn who_asks_for_no_protocol_speaks_http_1_and_who_asks_nothing_is_turned_away() {
    let shown = Shown::new();
    let home = home(&shown);
    run(async {
        for protocols in [&[][..], &[&b"http/1.1"[..]]] {
            let stream = encrypted(&home, protocols).await;
            assert_ne!(stream.get_ref().1.alpn_protocol(), Some(&b"h2"[..]));
        }
        let begun = Instant::now();
        let silent = encrypted(&home, &[b"h2"]).await;
        let (_client, connection) = client(&home).await;
        let (_silent, speaks_no_more) = h2::client::handshake(silent).await.unwrap();
        assert!(is_in_order(&speaks_no_more.await));
        assert!(is_in_order(&connection.await.unwrap()));
        let took = begun.elapsed();
        assert!((Duration::from_secs(9)..Duration::from_secs(30)).contains(&took), "{took:?}");
    });
    home.end();
}
