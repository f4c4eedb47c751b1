use std::hash::{BuildHasher, RandomState};
use std::time::SystemTime;

use axum::http::StatusCode;
use leptos::prelude::*;
use strata_lab::{Lab, Lesson, Phase};

use super::view::{LessonRun, LessonView};
use super::{code, contenders, predict, results, run_controls, stack};
use crate::addresses::at;
use crate::api::ApiError;
use crate::screens::PageRequest;
use crate::screens::page_frame::{PageFrame, PageHtml, titled_card};

/// Draws the page of one lesson. Nothing of a result is shown before somebody has predicted it.
pub(crate) async fn lesson(request: &PageRequest) -> Result<PageHtml, ApiError> {
    let slug = request.name();
    let lesson = Lesson::find(slug)
        .ok_or_else(|| ApiError::NotFound(format!("find a lesson named {slug:?}")))?;
    let lab = request.lab.as_ref().ok_or_else(|| ApiError::Away("find the lab".to_owned()))?;
    let view = look(request, lab, lesson).await;
    let is_done = view.run.as_ref().is_some_and(|run| run.state.phase == Phase::Done);
    let learned = is_done.then_some(lesson.slug);
    Ok(PageHtml { learned, ..draw(&view, request.failure()) })
}

async fn look(request: &PageRequest, lab: &Lab, lesson: &'static Lesson) -> LessonView {
    let wanted = request.field("run");
    let run = wanted.and_then(|id| lab.run(id)).filter(|run| run.request().topic == lesson.slug);
    let settings = run.as_ref().map_or_else(lesson.settings, |run| run.request().settings.clone());
    let is_gone = wanted.is_some() && run.is_none();
    let refusal = request.refusal();
    // A visitor who may not control a run does not keep it waiting either.
    if let (Some(run), None) = (&run, &refusal) {
        run.look();
    }
    let run = match run {
        Some(run) => Some(LessonRun {
            id: run.id().to_owned(),
            guess: run.request().guess,
            pace: run.request().step_mode,
            state: run.state().await,
        }),
        None => None,
    };
    let has_redis = lab.has_redis();
    LessonView { lesson, settings, run, is_gone, has_redis, ticket: ticket(), refusal }
}

fn draw(view: &LessonView, failure: Option<String>) -> PageHtml {
    let running = view.run.as_ref().is_some_and(LessonRun::is_running);
    let frame = PageFrame { class: "lesson-page", every_s: running.then_some(1) };
    let failure = failure.map(|why| view! { <div class="banner" role="alert"><p>{why}</p></div> });
    let gone = view.is_gone.then(|| {
        view! {
            <div class="banner" role="alert">
                <p>"This run is gone: Strata was restarted, or newer runs replaced it. Predict again and run it."</p>
            </div>
        }
    });
    frame.draw(
        StatusCode::OK,
        view! {
            {head(view.lesson)}
            {failure}
            {gone}
            {idea(view.lesson)}
            {stack::card(view)}
            {view.run.is_none().then(|| predict::card(view))}
            {view.run.as_ref().map(|run| of_run(view, run))}
            {code::card(view)}
        },
    )
}

fn of_run(view: &LessonView, run: &LessonRun) -> AnyView {
    view! {
        {run_controls::card(view, run)}
        {results::card(view, run)}
        {contenders::cards(view, run)}
        {(!run.is_running()).then(|| predict::run_again(view, run))}
    }
    .into_any()
}

fn head(lesson: &Lesson) -> impl IntoView + use<> {
    let number = Lesson::ALL.iter().take_while(|each| each.slug != lesson.slug).count() + 1;
    view! {
        <div class="page-head">
            <h1>{lesson.title}</h1>
            <p class="small">
                {format!("Lesson {number} of {} · ", Lesson::ALL.len())}<a href=at("/lab")>"All lessons"</a>
            </p>
        </div>
    }
}

fn idea(lesson: &Lesson) -> AnyView {
    let sentences = lesson.idea.map(|sentence| view! { <p>{sentence}</p> });
    titled_card("idea", "The idea", "", sentences.into_iter().collect_view())
}

/// What makes one run of two presses.
pub(in crate::screens::lab) fn ticket() -> String {
    format!("{:016x}", RandomState::new().hash_one(SystemTime::now()))
}

#[cfg(test)]
pub(super) mod tests {
    use strata_lab::{
        ContenderRun, Level, LineKind, NextStep, ResultRow, RunState, Step, StepMode, StrategyKind,
        TraceLine,
    };

    use super::*;

    pub(crate) fn stampede() -> LessonView {
        let lesson = Lesson::find("stampede").expect("it is a lesson");
        LessonView {
            lesson,
            settings: (lesson.settings)(),
            run: None,
            is_gone: false,
            has_redis: true,
            ticket: "t".to_owned(),
            refusal: None,
        }
    }

    pub(crate) fn performance(title: &str, queries: u64) -> ContenderRun {
        let line = TraceLine {
            at_us: 10,
            node: Some(2),
            level: Level::Source,
            command: "read 1: loaded, version 1".to_owned(),
            took_us: 201_000,
            kind: LineKind::Request,
        };
        let text = "All readers ask at once.".to_owned();
        ContenderRun {
            title: title.to_owned(),
            strategy: StrategyKind::CacheAside,
            settings: stampede().settings,
            result: ResultRow { queries, ..ResultRow::default() },
            steps: vec![Step { text, lines: vec![line], left_out: 9, commands_left_out: 0 }],
            is_over: true,
        }
    }

    pub(crate) fn run(phase: Phase) -> LessonRun {
        let next_step = (phase == Phase::Running)
            .then(|| NextStep { played: 1, text: "They ask once more.".to_owned() });
        LessonRun {
            id: "3-9f2a1c".to_owned(),
            guess: Some(0),
            pace: StepMode::StepByStep,
            state: RunState {
                phase,
                contenders: vec![performance("By hand", 50), performance("Cache-aside", 1)],
                next_step,
                faults: Vec::new(),
                broken_by_hand: Vec::new(),
            },
        }
    }

    fn page(view: &LessonView) -> String {
        Owner::new().with(|| draw(view, None).html)
    }

    #[test]
    fn nothing_of_the_result_is_shown_before_a_prediction() {
        let view = stampede();
        let html = page(&view);
        assert!(html.contains("required"), "a prediction must be given");
        for told in [view.lesson.learned, view.lesson.watch_for, "Results", "data-every-s"] {
            assert!(!html.contains(told), "{told}");
        }
    }

    #[test]
    fn a_run_that_goes_on_is_drawn_again_and_has_nothing_to_fill_in() {
        let view = LessonView { run: Some(run(Phase::Running)), ..stampede() };
        let html = page(&view);
        assert!(html.contains("data-every-s=\"1\"") && html.contains("Play step 2"));
        assert!(!html.contains("type=\"radio\"") && !html.contains(view.lesson.learned));
    }

    #[test]
    fn what_was_learned_comes_with_the_result() {
        let view = LessonView { run: Some(run(Phase::Done)), ..stampede() };
        let html = page(&view);
        assert!(html.contains(view.lesson.learned) && html.contains("You were right"));
        assert!(!html.contains("data-every-s"));
        assert!(!html.contains("style="), "the policy of the page blocks inline styles");
    }

    #[test]
    fn a_run_that_is_gone_can_be_run_again() {
        let html = page(&LessonView { is_gone: true, ..stampede() });
        assert!(html.contains("This run is gone") && html.contains("Run it"));
    }

    #[test]
    fn who_may_not_act_is_told_why() {
        let refusal = Some("Only an operator may.".to_owned());
        let html = page(&LessonView { refusal, ..stampede() });
        assert!(html.contains("Only an operator may.") && html.contains("disabled"));
    }
}
