//! `ream init`.

use std::path::PathBuf;

use clap::Args;
use ream::Store;
use serde::Serialize;

use crate::args::{DEFAULT_STORE, Format, Global};
use crate::environment::Environment;
use crate::output::{Output, to_line};

/// Make a store
///
/// Makes a store in DIR, which must be missing or empty. On an existing store it says so and
/// changes nothing.
#[derive(Debug, Args)]
pub(crate) struct InitArgs {
    /// Directory of the store [default: --store, $REAM_STORE or .ream]
    #[arg(value_name = "DIR")]
    directory: Option<PathBuf>,
}

impl InitArgs {
    pub(crate) fn run(&self, global: &Global, environment: &Environment) -> anyhow::Result<()> {
        let named =
            self.directory.as_ref().or(global.store.as_ref()).or(environment.store.as_ref());
        let path = named.cloned().unwrap_or_else(|| PathBuf::from(DEFAULT_STORE));
        let (store, created) = Store::init(&path, &global.options(environment))?;
        global.note_mended(&store);
        let output = Output::new(global);
        let shown = path.to_string_lossy();
        let message = match output.format {
            Format::Table if created => format!("made the store {} in {shown}", store.id()).into(),
            Format::Table => format!("the store {} is in {shown} already", store.id()).into(),
            _ => to_line(&InitJson { store: store.id(), path: &shown, created })?,
        };
        output.done(&[message, b"\n".into()].concat())
    }
}

/// What was done, as JSON, with its fields in this order.
#[derive(Serialize)]
struct InitJson<'s> {
    store: &'s str,
    path: &'s str,
    created: bool,
}
