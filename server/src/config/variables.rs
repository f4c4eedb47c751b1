use std::env;

use clap::{Command, CommandFactory};
use tracing::warn;

use super::Cli;

const PREFIX: &str = "STRATA_";
/// What is read without being an option.
const LOG: &str = "STRATA_LOG";
/// Kubernetes sets such for a service that is called strata.
const OF_KUBERNETES: [&str; 2] = ["STRATA_SERVICE_", "STRATA_PORT"];

/// Tells of variables that are named like options and are none: a slip would go unnoticed.
pub fn tell_unknown_variables() {
    let known = known(&Cli::command());
    let names = env::vars_os().filter_map(|(name, _)| name.into_string().ok());
    for name in names.filter(|name| is_unknown(name, &known)) {
        warn!("no option has the variable {name}; it says nothing");
    }
}

fn known(command: &Command) -> Vec<String> {
    let own = command.get_arguments().filter_map(|argument| argument.get_env());
    let own = own.filter_map(|name| name.to_str()).map(str::to_owned);
    own.chain(command.get_subcommands().flat_map(known)).collect()
}

fn is_unknown(name: &str, known: &[String]) -> bool {
    name.starts_with(PREFIX)
        && name != LOG
        && !OF_KUBERNETES.iter().any(|prefix| name.starts_with(prefix))
        && !known.iter().any(|known| known == name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_variable_that_no_option_has_is_known_as_such() {
        let known = known(&Cli::command());
        for name in ["STRATA_OPERATOR_TOKN", "STRATA_", "STRATA_REDIS"] {
            assert!(is_unknown(name, &known), "{name}");
        }
        for name in [
            "STRATA_OPERATOR_TOKEN",
            "STRATA_CONFIG",
            "STRATA_ALLOWED_HOST",
            "STRATA_LOG",
            "STRATA_LOG_FORMAT",
            "STRATA_PORT_3000_TCP",
            "PATH",
        ] {
            assert!(!is_unknown(name, &known), "{name}");
        }
    }
}
