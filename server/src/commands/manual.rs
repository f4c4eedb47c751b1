//! What a package installs beside the program.

use std::io;

use clap::CommandFactory;
use clap_complete::Shell;

use crate::config::Cli;

/// The completions of a shell.
pub fn completions(shell: Shell) -> Vec<u8> {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "strata", &mut text);
    text
}

/// The manual page, in roff: the program, then each of its commands.
///
/// # Errors
/// Those of the writer; a text in memory has none.
pub fn man_page() -> io::Result<Vec<u8>> {
    let mut text = Vec::new();
    let mut program = Cli::command();
    program.build();
    clap_mangen::Man::new(program.clone()).render(&mut text)?;
    for command in program.get_subcommands().filter(|command| command.get_name() != "help") {
        let man = clap_mangen::Man::new(command.clone());
        man.render_name_section(&mut text)?;
        man.render_synopsis_section(&mut text)?;
        man.render_options_section(&mut text)?;
    }
    Ok(text)
}
