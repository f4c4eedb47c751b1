use super::changing::{
    events, invalidation, pattern, tags, time_to_live, write_behind, write_through,
};
use super::lesson::Lesson;
use super::levels::{eviction, redis_away, two_levels};
use super::reading::{
    batch, cache_aside, negative, no_cache, read_through, refresh_ahead, repository, stampede,
};

impl Lesson {
    /// All lessons, in the order of the tour.
    pub const ALL: &[&'static Self] = &[
        &no_cache::LESSON,
        &cache_aside::LESSON,
        &read_through::LESSON,
        &write_through::LESSON,
        &write_behind::LESSON,
        &two_levels::LESSON,
        &time_to_live::LESSON,
        &invalidation::LESSON,
        &events::LESSON,
        &pattern::LESSON,
        &tags::LESSON,
        &stampede::LESSON,
        &negative::LESSON,
        &refresh_ahead::LESSON,
        &batch::LESSON,
        &eviction::LESSON,
        &redis_away::LESSON,
        &repository::LESSON,
    ];

    /// The lesson of this name.
    pub fn find(slug: &str) -> Option<&'static Self> {
        Self::ALL.iter().copied().find(|lesson| lesson.slug == slug)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::lab::Lab;

    #[test]
    fn every_lesson_is_found_by_its_name_and_can_run_as_it_is() {
        for &lesson in Lesson::ALL {
            assert!(Lesson::find(lesson.slug).is_some_and(|found| std::ptr::eq(found, lesson)));
            assert_eq!((lesson.settings)().check(), Ok(()), "{}", lesson.slug);
            assert!(lesson.question.right < lesson.question.answers.len(), "{}", lesson.slug);
            let n_variants = lesson.variants.len();
            assert!((1..=Lab::MAX_CONTENDERS).contains(&n_variants), "{}", lesson.slug);
        }
    }
}
