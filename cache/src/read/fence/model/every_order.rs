use shuttle::scheduler::{Schedule, Scheduler, Task, TaskId};

/// Tries every order of the threads' steps with at most `n_preemptions` interruptions of a thread
/// that could continue. All orders would be too many, and most races need one or two interruptions
/// (Musuvathi and Qadeer, "Iterative Context Bounding", PLDI 2007).
#[derive(Debug)]
pub(super) struct EveryOrder {
    n_preemptions: usize,
    left: usize,
    step: usize,
    /// For each step with a choice: the chosen index, and the number of choices.
    choices: Vec<(usize, usize)>,
    began: bool,
}

impl EveryOrder {
    pub(super) fn with_preemptions(n_preemptions: usize) -> Self {
        Self { n_preemptions, left: 0, step: 0, choices: Vec::new(), began: false }
    }

    fn choose(&mut self, n_options: usize) -> usize {
        if n_options == 1 {
            return 0;
        }
        if self.step == self.choices.len() {
            self.choices.push((0, n_options));
        }
        let (chosen, of) = self.choices[self.step];
        assert_eq!(of, n_options, "the scene is not the same each time");
        self.step += 1;
        chosen
    }
}

impl Scheduler for EveryOrder {
    fn new_execution(&mut self) -> Option<Schedule> {
        if self.began {
            while self.choices.pop_if(|(chosen, of)| *chosen + 1 == *of).is_some() {}
            self.choices.last_mut()?.0 += 1;
        }
        (self.began, self.step, self.left) = (true, 0, self.n_preemptions);
        Some(Schedule::new(0))
    }

    fn next_task(
        &mut self,
        runnable: &[&Task],
        current: Option<TaskId>,
        _is_yielding: bool,
    ) -> Option<TaskId> {
        let mut options: Vec<TaskId> = runnable.iter().map(|task| task.id()).collect();
        let Some(at) = options.iter().position(|id| Some(*id) == current) else {
            return Some(options[self.choose(options.len())]);
        };
        options.swap(0, at);
        if self.left == 0 {
            return current;
        }
        let chosen = self.choose(options.len());
        self.left -= usize::from(chosen > 0);
        Some(options[chosen])
    }

    fn next_u64(&mut self) -> u64 {
        panic!("there is chance in a scene whose every order is tried")
    }
}
