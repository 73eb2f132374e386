//! What a server is told: what goes together, and what does not.

use std::path::{Path, PathBuf};

use super::ServeOptions;
use super::access::Access;
use super::sockets::Sockets;
use super::tcp::is_loopback;

impl ServeOptions {
    /// What of this does not go together, in words for whoever starts the server; nothing where all does.
    /// Nothing is opened for it.
    #[must_use]
    pub fn fault(&self, sockets: &Sockets) -> Option<String> {
        let made = self.tcp.iter().chain(&self.http).copied();
        let beyond = made.chain(sockets.addresses()).find(|address| !is_loopback(*address));
        if self.no_token {
            if !self.http.is_empty() || !sockets.http.is_empty() {
                return Some("HTTP needs tokens: any page in a browser could use it".into());
            }
            if let Some(address) = beyond {
                return Some(format!(
                    "without tokens only this machine may connect, and {address} is open to others"
                ));
            }
            if !self.has_ports(sockets) {
                return Some(
                    "only for TCP a token is needed, and no address of it is given".into(),
                );
            }
            if self.token_file.is_some() {
                return Some("a file of tokens is of no use where none is needed".into());
            }
        }
        if self.tls_cert.is_some() != self.tls_key.is_some() {
            return Some("a certificate and its key are needed together".into());
        }
        let has_tls = self.tls_cert.is_some();
        if has_tls && self.plain_tcp {
            return Some("TLS is asked for, and to go without it".into());
        }
        if (has_tls || self.plain_tcp) && !self.has_ports(sockets) {
            return Some(
                "no address of TCP or HTTP is given that could speak TLS, or go without it".into(),
            );
        }
        match beyond {
            Some(address) if !has_tls && !self.plain_tcp => Some(format!(
                "other machines reach {address}: it needs TLS, with a certificate and its key, or --plain-tcp, \
                 with which whoever is on the way can read the tokens and all else"
            )),
            _ => None,
        }
    }

    /// What anyone may do at most.
    pub(super) fn access(&self) -> Access {
        if self.read_only { Access::Read } else { Access::Admin }
    }

    /// Whether there is an address of TCP or HTTP.
    pub(super) fn has_ports(&self, sockets: &Sockets) -> bool {
        let made = !self.tcp.is_empty() || !self.http.is_empty();
        made || !sockets.tcp.is_empty() || !sockets.http.is_empty()
    }

    /// The Unix sockets that are made to serve the store at `store`, beside those that are open already.
    #[must_use]
    pub fn unix_sockets(&self, store: &Path, sockets: &Sockets) -> Vec<PathBuf> {
        let has_none = self.unix.is_empty() && self.tcp.is_empty() && self.http.is_empty();
        if has_none && sockets.is_empty() {
            return vec![store.join("serve.sock")];
        }
        self.unix.clone()
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;

    use super::*;

    fn fault(change: impl FnOnce(&mut ServeOptions)) -> Option<String> {
        let mut options = ServeOptions::default();
        change(&mut options);
        options.fault(&Sockets::default())
    }

    #[test]
    fn without_tokens_only_this_machine_may_connect() {
        let at = |address: &str| vec![address.parse::<SocketAddr>().unwrap()];
        for own in ["127.0.0.1:0", "127.9.9.9:1", "[::1]:7326", "[::ffff:127.0.0.1]:1"] {
            assert_eq!(fault(|options| (options.tcp, options.no_token) = (at(own), true)), None);
        }
        for open in ["0.0.0.0:0", "[::]:1", "192.168.0.1:1", "[::ffff:10.0.0.1]:1"] {
            let fault = fault(|options| (options.tcp, options.no_token) = (at(open), true));
            assert!(fault.unwrap().contains("open to others"), "{open}");
        }
        assert!(fault(|options| options.no_token = true).is_some());
        let useless = fault(|options| {
            (options.tcp, options.no_token) = (at("127.0.0.1:0"), true);
            options.token_file = Some("tokens".into());
        });
        assert!(useless.is_some());
    }

    #[test]
    fn other_machines_connect_by_tls_unless_that_is_said_to_be_plain() {
        let asked = |cert: Option<&str>, key: Option<&str>, plain, address: Option<&str>| {
            fault(|options| {
                options.tcp = address.iter().map(|address| address.parse().unwrap()).collect();
                options.tls_cert = cert.map(Into::into);
                options.tls_key = key.map(Into::into);
                options.plain_tcp = plain;
            })
        };
        let (open, own) = (Some("0.0.0.0:1"), Some("127.0.0.1:1"));
        let words = asked(None, None, false, open).unwrap();
        assert!(words.starts_with("other machines reach 0.0.0.0:1: it needs TLS"), "{words}");
        assert_eq!(asked(None, None, false, own), None);
        for address in [open, own] {
            assert_eq!(asked(Some("c"), Some("k"), false, address), None);
            assert_eq!(asked(None, None, true, address), None);
            assert!(asked(Some("c"), Some("k"), true, address).is_some());
            assert!(asked(Some("c"), None, false, address).is_some());
            assert!(asked(None, Some("k"), false, address).is_some());
        }
        assert!(asked(Some("c"), Some("k"), false, None).is_some());
        assert!(asked(None, None, true, None).is_some());
    }
}
