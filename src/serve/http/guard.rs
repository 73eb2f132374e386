//! Who is heard at all, by the head of a request alone: before a token is asked for and a body is read.
//!
//! A page of another origin, or one whose name was made to lead here, has no business with a store.

use std::net::{IpAddr, SocketAddr};

use axum::http::header::{self, HeaderMap, HeaderName, HeaderValue};
use axum::http::{Method, Request, StatusCode, Uri, Version};
use axum::response::{IntoResponse as _, Response};

use super::address::{ACCESS_TOKEN, decoded};
use super::problem::{Header, Problem};
use crate::serve::access::{Access, Holder, Tokens};

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// What is heard beside what goes without saying.
#[derive(Debug, Default, Clone)]
pub(super) struct Rules {
    /// Names, beside the address that a connection came to, and this machine's own.
    pub(super) hosts: Vec<String>,
    /// Origins, such as `https://example.com`.
    pub(super) origins: Vec<String>,
}

impl Rules {
    /// Whether a request that came to the address `local` is heard; with the origin to answer, where it has one.
    pub(super) fn judge<B>(
        &self,
        request: &Request<B>,
        local: SocketAddr,
    ) -> Result<Option<HeaderValue>, Problem> {
        self.judge_host(request, local.ip())?;
        self.judge_origin(request.headers())
    }

    fn judge_host<B>(&self, request: &Request<B>, local: IpAddr) -> Result<(), Problem> {
        let (uri, mut hosts) = (request.uri(), request.headers().get_all(header::HOST).iter());
        let host = match (hosts.next(), hosts.next(), uri.authority()) {
            (Some(host), None, _) => host.to_str().unwrap_or_default(),
            // There the target says it (RFC 9113, section 8.3.1).
            (None, _, Some(authority)) if request.version() == Version::HTTP_2 => {
                authority.as_str()
            }
            _ => return Err(Problem::usage("a request has exactly one `Host`")),
        };
        let host = host.to_ascii_lowercase();
        if let Some(authority) = uri.authority()
            && !authority.as_str().eq_ignore_ascii_case(&host)
        {
            return Err(Problem::usage("the request's target names another host than its `Host`"));
        }
        let name = without_port(&host);
        let is_local = |name: &str| {
            let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']'));
            let address = address.unwrap_or(name).parse::<IpAddr>().ok();
            address.is_some_and(|address| address.to_canonical() == local.to_canonical())
        };
        let is_heard = name.is_some_and(|name| {
            ["localhost", "127.0.0.1", "[::1]"].contains(&name)
                || self.hosts.iter().any(|host| host.eq_ignore_ascii_case(name))
                || is_local(name)
        });
        if is_heard {
            return Ok(());
        }
        let problem = forbidden("no request is taken for this `Host`");
        Err(problem.with_detail("a name that leads here is allowed with --allow-host"))
    }

    fn judge_origin(&self, headers: &HeaderMap) -> Result<Option<HeaderValue>, Problem> {
        let mut origins = headers.get_all(header::ORIGIN).iter();
        let (origin, more) = (origins.next(), origins.next());
        let is_allowed = |origin: &HeaderValue| {
            let origin = origin.to_str().unwrap_or_default();
            self.origins.iter().any(|allowed| allowed.eq_ignore_ascii_case(origin))
        };
        let detail = "an origin whose pages may use this store is allowed with --allow-origin";
        match origin {
            Some(origin) if more.is_none() && is_allowed(origin) => Ok(Some(origin.clone())),
            Some(_) => Err(forbidden("no request is taken from this `Origin`").with_detail(detail)),
            None => {
                let mut sites = headers.get_all(SEC_FETCH_SITE).iter();
                if sites.any(|site| site.as_bytes().eq_ignore_ascii_case(b"cross-site")) {
                    let problem = forbidden("no request is taken from a page of another site");
                    return Err(problem.with_detail(detail));
                }
                Ok(None)
            }
        }
    }
}

fn forbidden(title: &str) -> Problem {
    Problem::new(StatusCode::FORBIDDEN, "forbidden", 1, title)
}

/// A host without its port; nothing where it is none.
fn without_port(host: &str) -> Option<&str> {
    let end = if host.starts_with('[') {
        host.find(']')? + 1
    } else {
        host.find(':').unwrap_or(host.len())
    };
    let (name, port) = host.split_at(end);
    let is_port = port.is_empty()
        || port
            .strip_prefix(':')
            .is_some_and(|port| port.bytes().all(|byte| byte.is_ascii_digit()));
    (is_port && !name.is_empty()).then_some(name)
}

/// Lets a page of an allowed origin read an answer.
pub(super) fn share(response: &mut Response, origin: HeaderValue) {
    let headers = response.headers_mut();
    headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    let exposed = HeaderValue::from_static("ETag, Retry-After");
    headers.insert(header::ACCESS_CONTROL_EXPOSE_HEADERS, exposed);
}

/// What a page of an allowed origin is told, which asks whether it may ask.
pub(super) fn preflight() -> Response {
    let methods = HeaderValue::from_static("GET, POST, PUT, DELETE");
    let headers = HeaderValue::from_static(
        "Authorization, Content-Type, Accept, If-Match, If-None-Match, Last-Event-ID",
    );
    let told = [
        (header::ACCESS_CONTROL_ALLOW_METHODS, methods),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, headers),
        (header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600")),
    ];
    (StatusCode::NO_CONTENT, told).into_response()
}

/// Who sends a request, by its token.
pub(super) fn holder(
    tokens: &Tokens,
    method: &Method,
    uri: &Uri,
    headers: &HeaderMap,
) -> Result<Holder, Problem> {
    let unauthorized = |title: &str, challenge| {
        let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthorized", 1, title);
        let problem = problem.with_header(challenge);
        problem.with_detail("send the header `Authorization: Bearer TOKEN`")
    };
    let mut given = headers.get_all(header::AUTHORIZATION).iter();
    let token = match (given.next(), given.next()) {
        (Some(one), None) => one.to_str().ok().and_then(bearer).map(str::to_owned),
        (None, None) => token_in(method, uri, headers),
        _ => None,
    };
    let Some(token) = token else {
        return Err(unauthorized("a token is needed", Header::Challenge));
    };
    let holder = tokens.find(&token);
    let holder =
        holder.ok_or_else(|| unauthorized("no one has this token", Header::InvalidToken))?;
    let needed = needed(method);
    if holder.access < needed {
        let title =
            format!("this token lets its holder {}, and this needs {needed}", holder.access);
        let problem = forbidden(&title).text("access", &holder.access.to_string());
        return Err(problem.text("needed", &needed.to_string()));
    }
    Ok(holder)
}

/// The token in a header that has one.
fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("Bearer").then(|| token.trim_matches(' '))
}

/// The token in an address: in a browser nothing that follows a stream of events has a header to put it in.
fn token_in(method: &Method, uri: &Uri, headers: &HeaderMap) -> Option<String> {
    if *method != Method::GET || !wants_stream(headers) {
        return None;
    }
    let mut tokens = uri.query()?.split('&').filter_map(|part| {
        part.split_once('=').filter(|(name, _)| *name == ACCESS_TOKEN).map(|(_, token)| token)
    });
    let token = tokens.next().and_then(|token| decoded(token, true));
    token.filter(|_| tokens.next().is_none())
}

/// Whether an answer is to be a stream of events as they come.
pub(super) fn wants_stream(headers: &HeaderMap) -> bool {
    accepts(headers, "text/event-stream")
}

/// Whether a kind of content is named as one that is taken.
pub(super) fn accepts(headers: &HeaderMap, kind: &str) -> bool {
    let values = headers.get_all(header::ACCEPT).iter().filter_map(|value| value.to_str().ok());
    let mut kinds = values.flat_map(|value| value.split(','));
    kinds.any(|one| one.split(';').next().unwrap_or_default().trim().eq_ignore_ascii_case(kind))
}

/// What a request's sender has to be let do.
fn needed(method: &Method) -> Access {
    match *method {
        Method::GET | Method::HEAD | Method::OPTIONS => Access::Read,
        Method::POST | Method::PUT => Access::Append,
        _ => Access::Admin,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn heads(text: &str) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for line in text.lines() {
            let (name, value) = line.split_once(": ").unwrap();
            let name: HeaderName = name.parse().unwrap();
            headers.append(name, value.parse().unwrap());
        }
        headers
    }

    fn rules() -> Rules {
        Rules { hosts: vec!["shop.test".into()], origins: vec!["https://shop.test".into()] }
    }

    /// The status, 200 where it is heard.
    fn judged(target: &str, head: &str) -> u16 {
        judged_in(Version::HTTP_11, target, head)
    }

    fn judged_in(version: Version, target: &str, head: &str) -> u16 {
        let local = "192.0.2.7:7327".parse().unwrap();
        let mut request = Request::new(());
        *request.uri_mut() = target.parse().unwrap();
        *request.headers_mut() = heads(head);
        *request.version_mut() = version;
        let answer = rules().judge(&request, local);
        answer.map_or_else(|problem| problem.status.as_u16(), |_| 200)
    }

    #[test]
    fn one_host_that_leads_here_is_heard() {
        for host in [
            "localhost",
            "LOCALHOST:1",
            "127.0.0.1:7327",
            "[::1]",
            "[::1]:9",
            "192.0.2.7",
            "Shop.test:80",
        ] {
            assert_eq!(judged("/", &format!("host: {host}")), 200, "{host}");
        }
        for host in [
            "example.com",
            "127.0.0.2",
            "localhost.example.com",
            "localhost:x",
            "localhost@example.com",
            "[::1",
            "[::1]x",
            "::1",
            ":80",
            "192.0.2.7.",
            "shop.test.evil",
        ] {
            assert_eq!(judged("/", &format!("host: {host}")), 403, "{host}");
        }
        assert_eq!(judged("/", ""), 400);
        assert_eq!(judged("/", "host: localhost\nhost: localhost"), 400);
        assert_eq!(judged("http://localhost/", "host: localhost"), 200);
        assert_eq!(judged("http://localhost/", "host: localhost:80"), 400);
        assert_eq!(judged("http://example.com/", "host: localhost"), 400);
        assert_eq!(judged("http://localhost/", ""), 400);
    }

    #[test]
    fn in_http_2_the_target_may_name_the_host() {
        let judged = |target, head| judged_in(Version::HTTP_2, target, head);
        assert_eq!(judged("https://localhost:1/", ""), 200);
        assert_eq!(judged("https://example.com/", ""), 403);
        assert_eq!(judged("https://me@localhost/", ""), 403);
        assert_eq!(judged("https://localhost/", "host: localhost"), 200);
        assert_eq!(judged("https://localhost/", "host: localhost:1"), 400);
        assert_eq!(judged("https://localhost/", "host: localhost\nhost: localhost"), 400);
        assert_eq!(judged("/", ""), 400);
    }

    #[test]
    fn pages_of_other_origins_are_not_heard() {
        let page = |head: &str| judged("/", &format!("host: localhost\n{head}"));
        assert_eq!(page("origin: https://shop.test"), 200);
        assert_eq!(page("origin: https://shop.test\nsec-fetch-site: cross-site"), 200);
        for head in [
            "origin: null",
            "origin: http://shop.test",
            "origin: https://shop.test:444",
            "origin: https://shop.test\norigin: https://shop.test",
            "origin: http://localhost",
            "sec-fetch-site: cross-site",
            "sec-fetch-site: Cross-Site",
        ] {
            assert_eq!(page(head), 403, "{head}");
        }
        for head in ["sec-fetch-site: same-origin", "sec-fetch-site: none"] {
            assert_eq!(page(head), 200, "{head}");
        }
    }

    #[test]
    fn a_token_is_in_its_header_and_for_streams_in_the_address() {
        assert_eq!(bearer("Bearer abc"), Some("abc"));
        assert_eq!(bearer("bearer  abc "), Some("abc"));
        assert_eq!(bearer("Basic abc"), None);
        assert_eq!(bearer("Bearerabc"), None);
        let uri: Uri = "/events?after=1&access_token=a%2Bb".parse().unwrap();
        let stream = heads("accept: text/html, text/event-stream;q=0.9");
        assert_eq!(token_in(&Method::GET, &uri, &stream), Some("a+b".into()));
        assert_eq!(token_in(&Method::POST, &uri, &stream), None);
        assert_eq!(token_in(&Method::GET, &uri, &heads("accept: */*")), None);
        let twice: Uri = "/events?access_token=a&access_token=b".parse().unwrap();
        assert_eq!(token_in(&Method::GET, &twice, &stream), None);
    }
}
