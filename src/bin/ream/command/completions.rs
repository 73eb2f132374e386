//! `ream completions`.

use clap::{Args, Command};
use clap_complete::Shell;

use crate::output;

/// Write the completions for a shell
#[derive(Debug, Args)]
#[command(after_help = "\
Examples:
  ream completions bash > ~/.local/share/bash-completion/completions/ream
  ream completions fish > ~/.config/fish/completions/ream.fish")]
pub(crate) struct CompletionsArgs {
    /// Which shell
    shell: Shell,
}

impl CompletionsArgs {
    pub(crate) fn run(&self, mut ream: Command) -> anyhow::Result<()> {
        let mut script = Vec::new();
        clap_complete::generate(self.shell, &mut ream, "ream", &mut script);
        output::send(&script)
    }
}
