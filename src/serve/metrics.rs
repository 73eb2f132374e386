//! What a server counts, for those who watch it.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::histogram::{Histogram, exponential_buckets};
use prometheus_client::registry::{Registry, Unit};

use crate::store::{Appended, Error, Stopped};

/// A name, and what has it.
type Labels = [(&'static str, String); 2];

/// What a server counts.
#[derive(Debug)]
pub(super) struct Metrics {
    registry: Registry,
    appends: Counter,
    conflicts: Counter,
    /// How long groups of events took to be stored.
    pub(super) commits: Histogram,
    /// How long requests over HTTP took until their answers began.
    pub(super) requests: Histogram,
    pub(super) connections: Gauge,
    head: Gauge,
    log: Gauge,
    lag: Family<Labels, Gauge>,
}

/// What is looked up when it is asked for.
#[derive(Debug)]
pub(super) struct Looked {
    pub(super) head: u64,
    /// How large the events' file and its log are, in bytes.
    pub(super) bytes: u64,
    /// How many events each follower is behind: its name, what it is, how many.
    pub(super) lags: Vec<(String, &'static str, u64)>,
}

impl Metrics {
    pub(super) fn new() -> Self {
        // From 50 µs to 26 s.
        let times = || Histogram::new(exponential_buckets(0.000_05, 2.0, 20));
        let mut metrics = Self {
            registry: Registry::with_prefix("ream"),
            appends: Counter::default(),
            conflicts: Counter::default(),
            commits: times(),
            requests: times(),
            connections: Gauge::default(),
            head: Gauge::default(),
            log: Gauge::default(),
            lag: Family::default(),
        };
        let Self { registry, appends, conflicts, commits, requests, connections, head, log, lag } =
            &mut metrics;
        registry.register("appends", "Events that this server stored", appends.clone());
        let help = "Appends that were refused for a wrong expected version";
        registry.register("conflicts", help, conflicts.clone());
        let help = "How long a group of events took to be stored";
        registry.register_with_unit("commit", help, Unit::Seconds, commits.clone());
        let help = "How long a request over HTTP took until its answer began";
        registry.register_with_unit("http_request", help, Unit::Seconds, requests.clone());
        registry.register("connections", "Connections, of each kind", connections.clone());
        registry.register("head", "The last position", head.clone());
        let help = "The size of the events' file and its write-ahead log";
        registry.register_with_unit("log", help, Unit::Bytes, log.clone());
        registry.register("lag", "Events that a follower has not yet done", lag.clone());
        metrics
    }

    /// Counts events that were asked for, and are stored or refused.
    pub(super) fn count(&self, done: &Result<Vec<Appended>, Stopped>) {
        match done {
            Ok(appended) => self.count_appended(appended),
            Err(stopped) => self.count_refused(&stopped.error),
        }
    }

    pub(super) fn count_appended(&self, appended: &[Appended]) {
        let stored = appended.iter().filter(|one| !one.duplicate).count();
        self.appends.inc_by(stored as u64);
    }

    pub(super) fn count_refused(&self, error: &Error) {
        if matches!(error, Error::WrongExpectedVersion { .. }) {
            self.conflicts.inc();
        }
    }

    /// All of it, as text for `OpenMetrics`.
    pub(super) fn write(&self, looked: &Looked) -> String {
        let gauge = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
        self.head.set(gauge(looked.head));
        self.log.set(gauge(looked.bytes));
        self.lag.clear();
        for (name, kind, lag) in &looked.lags {
            let labels = [("name", name.clone()), ("kind", (*kind).to_owned())];
            self.lag.get_or_create(&labels).set(gauge(*lag));
        }
        let mut text = String::new();
        // Writing into a string does not fail.
        let _ = encode(&mut text, &self.registry);
        text
    }
}
