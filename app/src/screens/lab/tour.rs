use axum::http::StatusCode;
use leptos::prelude::*;
use leptos::server_fn::ServerFn;
use strata_lab::Lesson;

use crate::addresses::at;
use crate::api::{ApiError, ForgetProgress};
use crate::screens::PageRequest;
use crate::screens::page_frame::{PageFrame, PageHtml, titled_card};

/// Draws the tour of all lessons.
pub(crate) async fn tour(request: &PageRequest) -> Result<PageHtml, ApiError> {
    Ok(draw(&request.lessons_done))
}

fn draw(done: &[&str]) -> PageHtml {
    let frame = PageFrame { class: "tour-page", every_s: None };
    frame.draw(
        StatusCode::OK,
        view! {
            <div class="page-head"><h1>"Lab"</h1></div>
            {welcome(done)}
            {more()}
            {lessons(done)}
        },
    )
}

fn welcome(done: &[&str]) -> AnyView {
    let n_done = done.len();
    let next = Lesson::ALL.iter().find(|lesson| !done.contains(&lesson.slug));
    let (text, address) = match next {
        Some(lesson) if n_done == 0 => (format!("Start: {}", lesson.title), lesson.slug),
        Some(lesson) => (format!("Next lesson: {}", lesson.title), lesson.slug),
        None => ("Start over".to_owned(), Lesson::ALL[0].slug),
    };
    let forget = (n_done > 0).then(|| {
        view! {
            <form action=at(ForgetProgress::PATH) method="post">
                <button type="submit" class="button">"Reset my progress"</button>
                <p class="failure" role="alert"></p>
            </form>
        }
    });
    titled_card(
        "welcome",
        "Learn caching on the real thing",
        "",
        view! {
            <p class="lead">"Each lesson asks you to predict what will happen, and then runs it: on real caches, a real Redis and a real database, made for you alone and removed afterwards."</p>
            <p>"Three layers take part: L1, the memory of each node, which is one running copy of a service; L2, a Redis that all nodes share; and the database."</p>
            <p data-testid="progress">{format!("{n_done} of {} lessons done.", Lesson::ALL.len())}</p>
            <progress max=Lesson::ALL.len().to_string() value=n_done.to_string() aria-label="Lessons done"></progress>
            <div class="acts">
                <a class="button strong" href=at(&format!("/lab/{address}"))>{text}</a>
                {forget}
            </div>
        },
    )
}

fn more() -> AnyView {
    titled_card(
        "lab-more",
        "More",
        "",
        view! {
            <ul class="beside">
                <li><a href=at("/lab/compare")>"Compare"</a><p>"Strategies and settings on the same requests, or on a trace of your own."</p></li>
                <li><a href=at("/lab/measured")>"Measured"</a><p>"L1, Redis and the database on this machine, now."</p></li>
            </ul>
        },
    )
}

fn lessons(done: &[&str]) -> AnyView {
    let line = |lesson: &&'static Lesson| {
        let is_done = done.contains(&lesson.slug);
        let mark = is_done.then(|| view! { <span class="badge good">"done"</span> });
        view! {
            <li>
                <div>
                    <a href=at(&format!("/lab/{}", lesson.slug))>{lesson.title}</a>
                    <p>{lesson.idea[0]}</p>
                </div>
                {mark}
            </li>
        }
    };
    let lines = Lesson::ALL.iter().map(line).collect_view();
    titled_card(
        "lessons",
        "The lessons",
        "each takes a few minutes",
        view! { <ol class="lesson-list" data-testid="lessons">{lines}</ol> },
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn html(done: &[&str]) -> String {
        Owner::new().with(|| draw(done).html)
    }

    #[test]
    fn every_lesson_is_on_the_tour() {
        let html = html(&[]);
        for lesson in Lesson::ALL {
            assert!(html.contains(&format!("href=\"/lab/{}\"", lesson.slug)), "{}", lesson.slug);
        }
        assert!(html.contains("Start: No cache") && !html.contains("Reset"));
    }

    #[test]
    fn what_is_done_is_marked_and_the_next_is_offered() {
        let html = html(&["no-cache"]);
        assert_eq!(html.matches("badge good").count(), 1);
        assert!(html.contains("Next lesson: Cache-aside") && html.contains("Reset my progress"));
    }
}
