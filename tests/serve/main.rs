//! `ream serve`: what clients send and get, on a server in this process; and the command itself.

#![cfg(all(unix, feature = "serve"))]
#![allow(clippy::unwrap_used, reason = "a test that fails here fails as it should")]

mod beside;
mod clocks;
mod command;
#[cfg(target_os = "linux")]
mod crowds;
mod groups;
mod http;
mod http_events;
mod http_heads;
mod http_live;
mod http_states;
mod http_two;
mod kills;
mod protocol;
mod pushes;
mod secrets;
mod service;
mod support;
mod tcp;
mod tls;
