//! Who is heard over HTTP: what is judged by the head of a request alone.

use ream::serve::ServeOptions;

use crate::http::Browser;
use crate::support::Home;

fn home() -> Home {
    Home::with_http(ServeOptions::default())
}

#[test]
fn health_needs_no_token_and_all_else_needs_one_that_is_enough() {
    let home = home();
    let mut browser = home.browser();
    browser.asks("GET /health", "", "").is(200, "");
    let none = browser.asks("GET /nothing", "", "");
    none.is_problem(401, "unauthorized");
    assert_eq!(none.header("www-authenticate"), Some("Bearer"));
    for head in
        ["Authorization: Bearer t-", "Authorization: Bearer", "Authorization: Basic t-admin"]
    {
        browser.asks("GET /nothing", head, "").is_problem(401, "unauthorized");
    }
    for token in ["t-rea", "t-reads"] {
        let wrong = browser.asks("GET /nothing", &format!("Authorization: Bearer {token}"), "");
        assert_eq!(wrong.header("www-authenticate"), Some("Bearer error=\"invalid_token\""));
    }
    let twice = "Authorization: Bearer t-read\nAuthorization: Bearer t-read";
    browser.asks("GET /nothing", twice, "").is_problem(401, "unauthorized");
    for (method, token, status) in [
        ("GET", "t-read", 404),
        ("POST", "t-read", 403),
        ("POST", "t-append", 404),
        ("PUT", "t-append", 404),
        ("DELETE", "t-append", 403),
        ("PATCH", "t-append", 403),
        ("DELETE", "t-admin", 404),
    ] {
        let answer = home.asks(token, &format!("{method} /nothing"), "");
        assert_eq!(answer.status, status, "{method} {token}: {answer:?}");
    }
    browser.asks("POST /health", "", "").is_problem(405, "method-not-allowed");
}

#[test]
fn a_request_for_another_host_or_from_another_origin_is_refused_before_its_token() {
    let mut options = ServeOptions::default();
    options.allow_origins = vec!["https://shop.test".into()];
    options.allow_hosts = vec!["shop.test".into()];
    let home = Home::with_http(options);
    let mut browser = home.browser();
    browser.send("GET /health HTTP/1.1\r\nHost: evil.test\r\n\r\n");
    browser.answer().is_problem(403, "forbidden");
    browser.send("GET /health HTTP/1.1\r\nHost: shop.test:80\r\n\r\n");
    browser.answer().is(200, "");
    browser.send("GET /health HTTP/1.1\r\n\r\n");
    browser.answer().is_problem(400, "bad-request");
    browser.send("GET http://evil.test/health HTTP/1.1\r\nHost: localhost\r\n\r\n");
    browser.answer().is_problem(400, "bad-request");
    for head in ["Origin: null", "Origin: https://evil.test", "Sec-Fetch-Site: cross-site"] {
        browser.asks("GET /health", head, "").is_problem(403, "forbidden");
        let answer = browser.asks("OPTIONS /health", head, "");
        answer.is_problem(403, "forbidden");
        assert_eq!(answer.header("access-control-allow-origin"), None);
    }
    // It is refused without its body, of which nothing is sent.
    let mut sender = home.browser();
    let body = "Content-Length: 1000000\r\n\r\n";
    sender.send(format!("POST /events HTTP/1.1\r\nHost: localhost\r\nOrigin: null\r\n{body}"));
    sender.answer().is_problem(403, "forbidden");

    let origin = "Origin: https://shop.test";
    let asked = browser.asks("OPTIONS /events", origin, "");
    asked.is(204, "");
    assert_eq!(asked.header("access-control-allow-origin"), Some("https://shop.test"));
    assert!(asked.header("access-control-allow-headers").unwrap().contains("Authorization"));
    let answer = browser.asks("GET /health", origin, "");
    answer.is(200, "");
    assert_eq!(answer.header("access-control-allow-origin"), Some("https://shop.test"));
    assert_eq!(answer.header("vary"), Some("Origin"));
    let refused = browser.asks("GET /nothing", origin, "");
    refused.is_problem(401, "unauthorized");
    assert_eq!(refused.header("access-control-allow-origin"), Some("https://shop.test"));
}

#[test]
fn requests_sent_ahead_are_answered_in_order_and_none_is_smuggled() {
    let home = home();
    let get = "GET /health HTTP/1.1\r\nHost: localhost\r\n\r\n";
    let unknown = "GET /x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t-read\r\n\r\n";
    let mut browser = home.browser();
    browser.send(format!("{get}{unknown}{get}"));
    browser.answer().is(200, "");
    browser.answer().is_problem(404, "not-found");
    browser.answer().is(200, "");
    for lengths in [
        "Content-Length: 5\r\nTransfer-Encoding: chunked",
        "Transfer-Encoding: chunked\r\nContent-Length: 5",
        "Content-Length: 5\r\nContent-Length: 5",
    ] {
        let mut browser = home.browser();
        let head = format!("POST /health HTTP/1.1\r\nHost: localhost\r\n{lengths}\r\n\r\n");
        browser.send(format!("{get}{head}0\r\n\r\n{get}"));
        browser.answer().is(200, "");
        browser.answer().is_problem(400, "bad-request");
        assert_eq!(browser.rest(), "", "{lengths}");
    }
    // What follows a body in chunks is not answered: the connection ends.
    let mut browser = home.browser();
    let chunked = "POST /x HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    browser.send(format!("{chunked}0\r\n\r\n{get}"));
    let answer = browser.answer();
    answer.is_problem(401, "unauthorized");
    assert_eq!(answer.header("connection"), Some("close"));
    assert_eq!(browser.rest(), "");
    let mut browser = home.browser();
    browser.send(format!("GET / HTTP/1.1\r\n{}", "x: y\r\n".repeat(4000)));
    browser.answer().is_problem(431, "head-too-large");
    assert_eq!(browser.rest(), "");
}

#[test]
fn one_connection_too_many_is_told_so_and_closed() {
    let mut options = ServeOptions::default();
    options.max_connections = 2;
    let home = Home::with_http(options);
    let mut first = home.browser();
    first.asks("GET /health", "", "").is(200, "");
    // Connections of each kind count.
    let second = home.client();
    let mut third = Browser::at(home.address());
    let refused = third.answer();
    refused.is_problem(503, "busy");
    assert_eq!(refused.header("connection"), Some("close"));
    assert_eq!(third.rest(), "");
    first.asks("GET /health", "", "").is(200, "");
    drop(second);
    // The next one is taken once the server has seen that.
    let taken = || Browser::at(home.address()).asks("GET /health", "", "").status == 200;
    while !taken() {
        std::thread::yield_now();
    }
}

#[test]
fn a_server_that_ends_answers_what_it_has_taken() {
    let home = home();
    let (mut idle, mut asking) = (home.browser(), home.browser());
    idle.asks("GET /health", "", "").is(200, "");
    asking.send("GET /x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer t-read\r\n\r\n");
    asking.answer().is_problem(404, "not-found");
    home.stop();
    assert_eq!((idle.rest(), asking.rest()), (String::new(), String::new()));
    home.end();
}
