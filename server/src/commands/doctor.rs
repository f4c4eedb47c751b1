use std::fmt::Write as _;

use anyhow::{anyhow, bail};
use strata_cache::doctor::{Diagnosis, Verdict, examine_at};

use crate::config::DoctorFlags;

/// Runs `strata doctor`: tries on a Redis what nodes need of it. Answers what to print, and the worst
/// that was found.
///
/// # Errors
/// Where no Redis is named, or its address or the namespace makes no sense.
pub async fn run_doctor(flags: DoctorFlags) -> anyhow::Result<(String, Verdict)> {
    let address = flags.redis.address().map_err(|error| anyhow!("failed to {error}"))?;
    let Some(address) = address else {
        bail!("failed to find a Redis: --redis-url or --redis-url-file tells where it is");
    };
    let examined = examine_at(&address, flags.namespace.as_deref()).await;
    let diagnosis = examined.map_err(|error| anyhow!("failed to {error}"))?;
    let text = match flags.json {
        true => format!("{}\n", serde_json::to_string_pretty(&diagnosis)?),
        false => table(&diagnosis),
    };
    Ok((text, diagnosis.verdict()))
}

fn table(diagnosis: &Diagnosis) -> String {
    let mut text = String::new();
    let width = diagnosis.findings.iter().map(|finding| finding.subject.len()).max().unwrap_or(0);
    for finding in &diagnosis.findings {
        let (verdict, subject) = (word(finding.verdict), finding.subject);
        // Writing to a string cannot fail.
        let _ = writeln!(text, "{verdict:<9} {subject:<width$}  {}", finding.seen);
        if let Some(advice) = &finding.advice {
            let _ = writeln!(text, "{:<9} {:<width$}  -> {advice}", "", "");
        }
    }
    text.push('\n');
    text.push_str(match diagnosis.verdict() {
        Verdict::Works => "Nodes can use this Redis.\n",
        Verdict::Degrades => "Nodes can use this Redis, and lack what is marked as degraded.\n",
        Verdict::Fails => "Nodes cannot use this Redis: they would go on with L1 alone.\n",
    });
    text
}

const fn word(verdict: Verdict) -> &'static str {
    match verdict {
        Verdict::Works => "works",
        Verdict::Degrades => "degraded",
        Verdict::Fails => "fails",
    }
}
