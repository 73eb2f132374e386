//! What was measured, as a table and as JSON.

use std::fmt;
use std::fs;
use std::io;
use std::path::{Path, PathBuf};
use std::thread;
use std::time::Duration;

use comfy_table::{Table, presets};
use serde::Serialize;

/// What a figure must be.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Required {
    AtMost(f64),
    AtLeast(f64),
}

impl Required {
    fn holds(self, value: f64) -> bool {
        match self {
            Self::AtMost(bound) => value <= bound,
            Self::AtLeast(bound) => value >= bound,
        }
    }
}

impl fmt::Display for Required {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::AtMost(bound) => write!(f, "≤ {bound}"),
            Self::AtLeast(bound) => write!(f, "≥ {bound}"),
        }
    }
}

/// A figure.
#[derive(Debug, Serialize)]
struct Figure {
    name: String,
    value: f64,
    required: Required,
    holds: bool,
    /// What the value was made of.
    of: String,
}

/// The figures of a group.
#[derive(Debug, Serialize)]
pub(crate) struct Report {
    group: &'static str,
    machine: String,
    figures: Vec<Figure>,
}

impl Report {
    pub(crate) fn new(group: &'static str) -> Self {
        Self { group, machine: machine(), figures: Vec::new() }
    }

    pub(crate) fn add(
        &mut self,
        name: impl Into<String>,
        value: f64,
        required: Required,
        of: impl Into<String>,
    ) {
        let (name, of) = (name.into(), of.into());
        self.figures.push(Figure { name, value, required, holds: required.holds(value), of });
    }

    /// A ratio of two durations.
    pub(crate) fn ratio(
        &mut self,
        name: impl Into<String>,
        above: Duration,
        below: Duration,
        required: Required,
    ) {
        let value = above.as_secs_f64() / below.as_secs_f64();
        self.add(name, value, required, format!("{above:.2?} / {below:.2?}"));
    }

    /// Writes the figures as JSON.
    pub(crate) fn write(&self) -> io::Result<PathBuf> {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).with_file_name("bench");
        fs::create_dir_all(&directory)?;
        let path = directory.join(format!("{}.json", self.group));
        fs::write(&path, serde_json::to_vec_pretty(self)?)?;
        Ok(path)
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut table = Table::new();
        table.load_style(presets::NOTHING);
        table.set_header(["FIGURE", "MEASURED", "REQUIRED", "", "OF"]);
        for figure in &self.figures {
            let holds = if figure.holds { "" } else { "missed" };
            table.add_row([
                figure.name.clone(),
                format!("{:.3}", figure.value),
                figure.required.to_string(),
                holds.to_owned(),
                figure.of.clone(),
            ]);
        }
        writeln!(f, "{}: {}\n", self.group, self.machine)?;
        table.lines().try_for_each(|line| writeln!(f, "{}", line.trim()))
    }
}

/// The machine, in a line.
fn machine() -> String {
    let cpus = thread::available_parallelism().map_or(1, usize::from);
    let info = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = info
        .lines()
        .find_map(|line| line.strip_prefix("model name"))
        .map_or("", |name| name.trim_start_matches([' ', '\t', ':']));
    let kernel = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    format!("{cpus} × {model}, Linux {}", kernel.trim())
}

/// The middle of some measurements.
pub(crate) fn median(times: &[Duration]) -> Duration {
    quantile(times, 0.5)
}

/// What a share of some measurements does not exceed.
pub(crate) fn quantile(times: &[Duration], share: f64) -> Duration {
    let mut sorted = times.to_vec();
    sorted.sort_unstable();
    #[allow(
        clippy::cast_possible_truncation,
        clippy::cast_precision_loss,
        clippy::cast_sign_loss,
        reason = "the index of one of some thousand measurements"
    )]
    let index = ((sorted.len() - 1) as f64 * share).round() as usize;
    sorted[index]
}

pub(crate) fn mean(times: &[Duration]) -> Duration {
    times.iter().sum::<Duration>() / u32::try_from(times.len()).unwrap()
}
