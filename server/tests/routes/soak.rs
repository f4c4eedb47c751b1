//! What anonymous clients may ask of a whole program, from several addresses. It takes minutes:
//! `cargo nextest run --workspace --exclude strata-browser --run-ignored only -E 'test(soak::)'`.

mod attackers;
mod program;

use std::time::Duration;

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
use strata_server::ServingLimits;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{Instant, sleep, timeout};

use self::attackers::{MANY_SOURCES, half_request, search, stuck_reader, wrong_log_in};
use self::program::Program;

const STUCK_READERS: usize = 2_000;
const HALF_REQUESTS: usize = 1_000;
const SEARCHES: usize = 300;
const WRONG_LOG_INS: usize = 10_000;

/// The timers are 30 s; on a busy machine what they end may take longer to be ended.
const GIVEN_BACK_WITHIN: Duration = Duration::from_secs(120);

/// How many times as long reads may take beside searches, than while the same searches are asked of
/// another program on the machine.
const SLOWER_AT_MOST: f64 = 1.5;

/// What that factor is taken of at least. A read that wakes waits until the turn of another thread
/// ends, and a turn is 3 ms to 4 ms long where the kernel ticks 250 times a second: shorter times tell
/// of the kernel and not of the program. A quarter of the reads ask Redis, which searches ask as well.
const LEAST_TAKEN: Duration = Duration::from_millis(2);

/// The median, so that a busy machine decides nothing. With a release build on a quiet one the slowest
/// in a hundred took 0.5 ms.
const HEALTH_WITHIN: Duration = Duration::from_millis(100);

/// Wrong log-ins of an address that are looked at: so many at once, and one more after each of these.
const WRONG_AT_ONCE: u64 = 10;
const WRONG_EVERY: Duration = Duration::from_secs(6);

/// How many times the memory at first 3 000 connections may take.
const MEMORY_AT_MOST: f64 = 1.5;

/// How many times the memory at first is taken once all that was held is given back. The allocator
/// returns what is free within seconds, but for what lies beside something that is still used.
const MEMORY_KEPT_AT_MOST: f64 = 1.1;

/// Rounds of each kind.
const ROUNDS: usize = 9;
const READS: usize = 300;
const HEALTH_CHECKS: usize = 200;

/// The time that so many parts of a hundred stay below.
fn percentile(mut times: Vec<Duration>, percent: usize) -> Duration {
    times.sort_unstable();
    times[(times.len() * percent).div_ceil(100).max(1) - 1]
}

/// Of reads one after the other, for as long as something goes on, and at least so many.
async fn p99_of_reads(program: &Program, goes_on: impl Fn() -> bool) -> Duration {
    // Its own, since the program closes what is idle while searches end.
    let mut client = program.client().await;
    let mut times = Vec::new();
    while times.len() < READS || goes_on() {
        let began = Instant::now();
        client.read_user(times.len()).await;
        times.push(began.elapsed());
    }
    percentile(times, 99)
}

/// The median p99 of reads of the service.
struct Reads {
    /// While nothing else is asked.
    quiet: Duration,
    /// While anonymous clients search in another program. These searches take the same share of the machine's
    /// processors, and nothing else of what this program has.
    beside_another: Duration,
    /// While anonymous clients search in this program.
    loud: Duration,
}

impl Reads {
    /// In rounds by turns, so that a machine which is busy for a while is so for all three.
    async fn measure(programs: (&Program, &Program), strangers: Strangers) -> Self {
        let (program, another) = programs;
        let elsewhere = strangers.threads();
        let [mut quiet, mut beside_another, mut loud] = [const { Vec::new() }; 3];
        for _ in 0..ROUNDS {
            quiet.push(p99_of_reads(program, || false).await);
            for (searched, times) in [(another, &mut beside_another), (program, &mut loud)] {
                let searches = Searches::begin(searched, elsewhere.handle());
                times.push(p99_of_reads(program, || searches.go_on()).await);
                searches.end().await;
            }
        }
        elsewhere.shutdown_background();
        let [quiet, beside_another, loud] =
            [quiet, beside_another, loud].map(|times| percentile(times, 50));
        let reads = Self { quiet, beside_another, loud };
        reads.tell(strangers);
        reads
    }

    /// What the factor is taken of.
    fn taken(&self) -> Duration {
        self.quiet.max(self.beside_another).max(LEAST_TAKEN)
    }

    fn tell(&self, strangers: Strangers) {
        let Self { quiet, beside_another, loud } = self;
        let times = |of: Duration| loud.as_secs_f64() / of.as_secs_f64();
        eprintln!(
            "p99 of reads, {SEARCHES} searches from threads {strangers:?}: {quiet:?} without; \
             {beside_another:?} while another program is searched; {loud:?} while this one is. Ratios: \
             {:.2} of quiet, {:.2} of beside another, {:.2} of what is bounded",
            times(*quiet),
            times(*beside_another),
            times(self.taken()),
        );
    }
}

/// Anonymous searches that are under way.
struct Searches {
    running: JoinSet<u16>,
    each: Vec<AbortHandle>,
}

impl Searches {
    fn begin(program: &Program, threads: &Handle) -> Self {
        let mut running = JoinSet::new();
        let begin = |n| running.spawn_on(search(program.address.clone(), n), threads);
        let each = (0..SEARCHES).map(begin).collect();
        Self { running, each }
    }

    /// Whether one of them has no answer yet.
    fn go_on(&self) -> bool {
        self.each.iter().any(|search| !search.is_finished())
    }

    async fn end(self) {
        let statuses = self.running.join_all().await;
        let n_found = statuses.iter().filter(|status| **status == 200).count();
        let n_refused = statuses.iter().filter(|status| **status == 429).count();
        assert_eq!(n_found + n_refused, SEARCHES, "{statuses:?}");
        assert!(n_found > 0, "somebody is answered");
    }
}

/// Where those run who search.
#[derive(Clone, Copy, Debug)]
enum Strangers {
    /// As on other machines: they take no processor from the reader whose reads are timed, nor from most
    /// of the program. They run where the program answers them.
    OnTheLastProcessor,
    /// As on this machine: they also take processors from the reader.
    OnAnyProcessor,
}

impl Strangers {
    fn threads(self) -> Runtime {
        Builder::new_multi_thread()
            .worker_threads(1)
            .enable_all()
            .on_thread_start(move || {
                rustix::process::setpriority_process(None, 19).unwrap();
                if let Self::OnTheLastProcessor = self {
                    stay_on_the_last_processor();
                }
            })
            .build()
            .unwrap()
    }
}

fn stay_on_the_last_processor() {
    let mut last = CpuSet::new();
    let allowed = sched_getaffinity(None).unwrap();
    last.set((0..CpuSet::MAX_CPU).rfind(|cpu| allowed.is_set(*cpu)).unwrap());
    sched_setaffinity(None, &last).unwrap();
}

/// How long health checks took.
async fn health_checks(program: &Program) -> Vec<Duration> {
    let mut times = Vec::new();
    for _ in 0..HEALTH_CHECKS {
        let began = Instant::now();
        let answer = program.get("/healthz").await;
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
        times.push(began.elapsed());
    }
    times
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes minutes: the timers are those of the program"]
async fn anonymous_searches_slow_no_read_of_the_service() {
    let dirs = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    let program = Program::start(dirs[0].path()).await;
    let another = Program::start(dirs[1].path()).await;
    // Told only: what strangers on the same machine take from the reader is the machine's.
    Reads::measure((&program, &another), Strangers::OnAnyProcessor).await;
    let reads = Reads::measure((&program, &another), Strangers::OnTheLastProcessor).await;
    let (loud, taken) = (reads.loud, reads.taken());
    assert!(loud <= taken.mul_f64(SLOWER_AT_MOST), "{loud:?} after {taken:?}");
    assert!(!program.get("/readyz").await.contains(r#""l2_breaker_open":true"#));
}

/// Waits until the program has given memory back; what it has then.
async fn memory_given_back(program: &Program, at_first: u64) -> u64 {
    let most = at_first as f64 * MEMORY_KEPT_AT_MOST;
    let given_back = async {
        while program.resident() as f64 > most {
            sleep(Duration::from_millis(250)).await;
        }
    };
    let waited = timeout(GIVEN_BACK_WITHIN, given_back).await;
    let after = program.resident();
    assert!(waited.is_ok(), "{after} MB are left of what was {at_first} MB at first");
    after
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes minutes: the timers are those of the program"]
async fn what_anonymous_clients_hold_is_bounded_and_given_back() {
    // The test holds as many connections as the program: this raises its limit of descriptors.
    assert!(ServingLimits::default().max_connections > STUCK_READERS + HALF_REQUESTS);
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path()).await;
    let descriptors = program.metric("process_open_fds").await;
    let (resident, quiet) = (program.resident(), health_checks(&program).await);
    let (quiet, slowest) = (percentile(quiet.clone(), 50), percentile(quiet, 99));
    eprintln!("health at first: median {quiet:?}, p99 {slowest:?}");
    let mut held = Vec::new();
    for n in 0..STUCK_READERS {
        held.push(stuck_reader(&program.address, n).await);
    }
    for n in 0..HALF_REQUESTS {
        held.push(half_request(&program.address, n).await);
    }
    let health = health_checks(&program).await;
    let (health, slowest) = (percentile(health.clone(), 50), percentile(health, 99));
    eprintln!("health beside what is held: median {health:?}, p99 {slowest:?}");
    let most = program.metric("strata_connections_max").await;
    assert!(program.metric("strata_connections").await <= most);
    let mut highest = program.resident();
    let given_back = async {
        while program.metric("strata_event_streams").await > 0.0
            || program.metric("process_open_fds").await > descriptors + 10.0
        {
            highest = highest.max(program.resident());
            sleep(Duration::from_millis(250)).await;
        }
    };
    timeout(GIVEN_BACK_WITHIN, given_back).await.expect("what they held is given back");
    let after = memory_given_back(&program, resident).await;
    eprintln!("MB: {resident} at first, {highest} at most, {after} after");
    assert!(health <= quiet.max(HEALTH_WITHIN), "{health:?} after {quiet:?}");
    let most = resident as f64 * MEMORY_AT_MOST;
    assert!(highest as f64 <= most, "{highest} MB after {resident} MB");
    let answer = program.get("/demo/users/1").await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    drop(held);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "it takes minutes: the timers are those of the program"]
async fn wrong_log_ins_are_slowed_down_and_push_out_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let program = Program::start(dir.path()).await;
    let resident = program.resident();
    let mut health = Vec::new();
    let mut statuses = std::collections::BTreeMap::<u16, usize>::new();
    let first = Instant::now();
    for n in 0..WRONG_LOG_INS {
        *statuses.entry(wrong_log_in(&program.address, n).await).or_default() += 1;
        if n % 100 == 0 {
            let began = Instant::now();
            program.get("/healthz").await;
            health.push(began.elapsed());
        }
    }
    let gained = first.elapsed().as_secs() / WRONG_EVERY.as_secs() + 1;
    let most = MANY_SOURCES as u64 * (WRONG_AT_ONCE + gained);
    let health = percentile(health, 50);
    let after = memory_given_back(&program, resident).await;
    eprintln!("{statuses:?}; health median {health:?}; MB: {resident} at first, {after} after");
    assert_eq!(statuses.keys().copied().collect::<Vec<_>>(), [403, 429], "{statuses:?}");
    assert!(statuses[&403] as u64 <= most, "{statuses:?}, and {most} may be looked at");
    assert!(health <= HEALTH_WITHIN, "{health:?}");
    let audit = program.get_as_operator("/api/v1/audit?limit=1000").await;
    assert!(audit.matches(r#""refused":true"#).count() <= 200, "{audit}");
    assert!(audit.contains("invalidate_key"), "what was done before is still there: {audit}");
}
