use std::fmt::Write as _;

use super::Lesson;

impl Lesson {
    /// The lesson as a page of Markdown, for those who read before they run it.
    pub fn markdown(&self) -> String {
        let mut page = format!("# {}\n", self.title);
        let mut say = |text: std::fmt::Arguments<'_>| {
            // A string takes whatever is written to it.
            let _ = page.write_fmt(text);
        };
        say(format_args!("\n{}\n", self.idea.join(" ")));
        say(format_args!("\nRun it: `/lab/{}` of a running `strata demo`.\n", self.slug));
        say(format_args!("\n## Predict\n\n{}\n\n", self.question.text));
        for answer in self.question.answers {
            say(format_args!("- {answer}\n"));
        }
        let right = self.question.answers.get(self.question.right).copied().unwrap_or_default();
        say(format_args!("\n<details><summary>The answer</summary>\n\n{right}.\n\n</details>\n"));
        say(format_args!("\n## What is compared\n\n"));
        for variant in self.variants {
            let (title, file) = (variant.title, variant.strategy.file_name());
            say(format_args!("- {title}: [`{file}`](../../lab/src/strategies/{file})\n"));
        }
        say(format_args!("\n## Watch for\n\n{}\n", self.watch_for));
        say(format_args!("\n## Learned\n\n{}\n", self.learned));
        page
    }

    /// The list of all lessons, as a page of Markdown.
    pub fn markdown_of_all() -> String {
        let mut page = "# Lessons\n\nIn the order of the tour, `/lab` of a running `strata demo`. \
                        Each runs on real moka, Redis and SQL, and a test holds it to what it \
                        claims. These pages are written from the lessons themselves.\n\n"
            .to_owned();
        for (number, lesson) in Self::ALL.iter().enumerate() {
            let (number, title, slug) = (number + 1, lesson.title, lesson.slug);
            let first = lesson.idea[0];
            let _ = writeln!(page, "{number}. [{title}]({slug}.md): {first}");
        }
        page
    }
}
