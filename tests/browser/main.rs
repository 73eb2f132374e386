//! What the pages of a browser reach of a server: Chromium has a page send to its ports what a hostile one would.

#![cfg(unix)]
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod chromium;
mod server;
mod site;

use std::io::{Read as _, Write as _};
use std::net::TcpStream;

use chromium::Chromium;
use server::Server;
use site::Site;

/// Messages of REAM: whatever of them were heard would store an event.
const LINES: &str = "EVENT PUBLISH emails 2\n{}\nEVENT PUBLISH emails Sent 2\n{}\n";

/// What the page does, with `$NAME` for what differs. Each request is told as what became of it: `opaque` is an
/// answer that a page can't read, and what it can read is told with its status.
const PAGE: &str = r#"<!doctype html><meta charset="utf-8"><title>A page</title><script>
const ask = (url, options) => fetch(url, options).then(
    answer => answer.type === "opaque" ? "opaque" : `read ${answer.status}`, () => "failed")
const send = (url, body) => ask(url, { method: "POST", mode: "no-cors", body })
const auth = { "Authorization": "Bearer $TOKEN", "Content-Type": "application/json" }
// Of a body of no kind, which is taken for JSON.
const plain = text => new Blob([text])
const lines = $LINES
const event = '{"stream":"emails","type":"Sent"}'
const run = async () => {
    await send("$CONTROL/first", lines)
    const told = [
        await send("$OPEN/", lines),
        await send("$OPEN/", `TOKEN "$TOKEN"\n${lines}`),
        await send("$TCP/", lines),
        await send("$TCP/", `TOKEN "$TOKEN"\n${lines}`),
        await send("$HTTP/events", plain(event)),
        await send("$HTTP/streams/emails?type=Sent", plain("{}")),
        await ask("$HTTP/events", { mode: "no-cors" }),
        await ask("$HTTP/events"),
        await ask("$HTTP/events", { headers: auth }),
        await ask("$HTTP/events?access_token=$TOKEN", { headers: { "Accept": "text/event-stream" } }),
        await ask("$HTTP/streams/emails?type=Sent", { method: "POST", headers: auth, body: "{}" }),
        await ask("$HTTP/states/emails", { method: "PUT", headers: auth, body: "{}" }),
    ]
    await send("$CONTROL/done", told.join())
}
run()
</script>"#;

/// A page of `host`, which has a name of its own or that of the servers, does all that; what became of each request.
fn visit(host: &str, open: &Server, guarded: &Server) -> String {
    let site = Site::new();
    let http = |address: &str| format!("http://{address}");
    let page = [
        ("$CONTROL", http(&site.control().to_string())),
        ("$OPEN", http(open.tcp())),
        ("$TCP", http(guarded.tcp())),
        ("$HTTP", http(guarded.http())),
        ("$TOKEN", guarded.token()),
        ("$LINES", serde_json::to_string(LINES).unwrap()),
    ];
    let page = page.iter().fold(PAGE.to_owned(), |page, (name, value)| page.replace(name, value));
    let _browser = Chromium::at(&format!("http://{host}:{}/", site::serve(page).port()));
    // Such a request leaves the browser, whole.
    let first = site.next();
    assert_eq!((&*first.line, &*first.body), ("POST /first HTTP/1.1", LINES));
    let done = site.next();
    assert_eq!(done.line, "POST /done HTTP/1.1");
    done.body
}

#[test]
fn a_page_of_another_origin_stores_nothing_and_reads_nothing() {
    let open = Server::start(&["--tcp", "127.0.0.1:0", "--no-token"]);
    let guarded = Server::start(&["--tcp", "127.0.0.1:0", "--http", "127.0.0.1:0"]);
    for host in ["localhost", "127.0.0.1"] {
        let before = guarded.requests();
        let told = visit(host, &open, &guarded);
        // An answer of REAM is none of HTTP, and one of HTTP is not for the page.
        assert_eq!(
            told,
            "failed,failed,failed,failed,opaque,opaque,opaque,failed,failed,failed,failed,failed",
            "{host}"
        );
        assert_eq!((open.events(), guarded.events()), (String::new(), String::new()), "{host}");
        // All of them came, beside one that asked for this number; a browser may send one twice.
        assert!(guarded.requests() - before > 8, "{host}");
    }
    // Who is no page is served as before.
    open.publishes("");
    guarded.publishes(&format!("TOKEN \"{}\"\n", guarded.token()));
    assert_eq!((open.events().lines().count(), guarded.events().lines().count()), (1, 1));
}

impl Server {
    /// A client of REAM publishes an event.
    #[track_caller]
    fn publishes(&self, token: &str) {
        let mut client = TcpStream::connect(self.tcp()).unwrap();
        client.set_read_timeout(Some(site::PATIENCE)).unwrap();
        client.write_all(format!("{token}EVENT PUBLISH emails 2\n{{}}\n").as_bytes()).unwrap();
        client.shutdown(std::net::Shutdown::Write).unwrap();
        let mut told = String::new();
        client.read_to_string(&mut told).unwrap();
        assert!(told.contains("EVENT PUBLISHED"), "{told}");
    }
}
