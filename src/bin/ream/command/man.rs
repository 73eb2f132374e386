//! `ream man`.

use std::fs;
use std::path::PathBuf;

use anyhow::Context as _;
use clap::{Args, Command};

use crate::output;
use crate::refused::invalid;

/// Write the manual
///
/// Writes the page of COMMAND to standard output, in roff; with --directory all pages, a file each.
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream man | man -l -                       the page of ream
  ream man append | man -l -                the page of ream append
  ream man --directory ~/.local/share/man/man1")]
pub(crate) struct ManArgs {
    /// Whose page: `append`, `stream list`, …
    #[arg(value_name = "COMMAND")]
    command: Vec<String>,
    /// Write all pages into DIR
    #[arg(long, value_name = "DIR", conflicts_with = "command")]
    directory: Option<PathBuf>,
}

impl ManArgs {
    pub(crate) fn run(&self, mut ream: Command) -> anyhow::Result<()> {
        ream.build();
        if let Some(directory) = &self.directory {
            fs::create_dir_all(directory)
                .with_context(|| format!("can't create {}", directory.display()))?;
            return pages(&ream, "ream", &mut |name, page| {
                let path = directory.join(format!("{name}.1"));
                fs::write(&path, page).with_context(|| format!("can't write {}", path.display()))
            });
        }
        let wanted = std::iter::once("ream").chain(self.command.iter().map(String::as_str));
        let wanted = wanted.collect::<Vec<_>>().join("-");
        let mut found = None;
        pages(&ream, "ream", &mut |name, page| {
            if name == wanted {
                found = Some(page.to_vec());
            }
            Ok(())
        })?;
        let page =
            found.ok_or_else(|| invalid(format!("no command `{}`", self.command.join(" "))))?;
        output::send(&page)
    }
}

/// Gives the page of a command and those of its subcommands to `each`.
fn pages(
    command: &Command,
    name: &str,
    each: &mut dyn FnMut(&str, &[u8]) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let mut page = Vec::new();
    let source = concat!("ream ", env!("CARGO_PKG_VERSION"));
    clap_mangen::Man::new(command.clone()).source(source).render(&mut page)?;
    each(name, &page)?;
    for subcommand in command.get_subcommands().filter(|subcommand| !subcommand.is_hide_set()) {
        pages(subcommand, &format!("{name}-{}", subcommand.get_name()), each)?;
    }
    Ok(())
}
