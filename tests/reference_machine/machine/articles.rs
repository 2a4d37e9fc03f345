//! Articles: each save is one transaction that keeps the previous revision and updates the embedding task.

use afterword_actors::task::{Operation, Priority, TaskStatus};

use super::{Article, Machine, No, Past};

/// A save that was carried out.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Saved {
    pub(crate) revision: i64,
    pub(crate) task: Option<No>,
    pub(crate) changed: bool,
}

impl Machine {
    /// `None` if the name is taken.
    pub(crate) fn save(&mut self, slug: &str, content: usize, priority: Priority, skip: bool) -> Option<Saved> {
        if self.named(slug).is_some() {
            return None;
        }
        self.articles += 1;
        let no = self.articles;
        self.rows.articles.insert(no, Article { slug: slug.to_owned(), content, skip, revision: 1, updated: self.now });
        let task = (!skip).then(|| self.promise(no, Operation::Create, priority));
        Some(Saved { revision: 1, task, changed: true })
    }

    pub(crate) fn edit(&mut self, no: No, content: usize, skip: bool, priority: Priority) -> Saved {
        let present = self.rows.articles[&no].clone();
        if (present.content, present.skip) == (content, skip) {
            return Saved { revision: present.revision, task: None, changed: false };
        }
        let revision = self.succeed(no);
        let article = self.rows.articles.get_mut(&no).expect("the article");
        (article.content, article.skip) = (content, skip);
        let task = if skip {
            self.withdraw(no, "embedding skipped");
            self.rows.vectors.retain(|(article, _), _| *article != no);
            self.promised.remove(&no);
            None
        } else if content == present.content && !present.skip {
            None
        } else {
            Some(self.promise(no, Operation::Update, priority))
        };
        Saved { revision, task, changed: true }
    }

    pub(crate) fn rename(&mut self, no: No, slug: &str) -> Option<Saved> {
        let present = self.rows.articles[&no].clone();
        if present.slug == slug {
            return Some(Saved { revision: present.revision, task: None, changed: false });
        }
        if self.named(slug).is_some_and(|owner| owner != no) {
            return None;
        }
        let revision = self.succeed(no);
        self.rows.aliases.remove(slug);
        self.rows.aliases.insert(present.slug, no);
        self.rows.articles.get_mut(&no).expect("the article").slug = slug.to_owned();
        Some(Saved { revision, task: None, changed: true })
    }

    pub(crate) fn delete(&mut self, no: No) {
        self.archive(no, true);
        self.withdraw(no, "article deleted");
        self.rows.articles.remove(&no);
        self.rows.aliases.retain(|_, owner| *owner != no);
        self.rows.vectors.retain(|(article, _), _| *article != no);
        self.promised.remove(&no);
        self.note(Some(no), "article deleted");
    }

    /// The last revision of a deleted article; of a present article the last one with another text, if there is one.
    pub(crate) fn restore(&mut self, slug: &str) -> Option<Saved> {
        let deleted = || {
            let named = self.rows.past.iter().filter(|(_, past)| past.deleted && past.slug == slug);
            named.max_by_key(|(_, past)| past.since).map(|((no, _), _)| *no)
        };
        let no = self.named(slug).or_else(deleted)?;
        let mut newest_first = self.rows.past.range((no, 0)..=(no, i64::MAX)).rev();
        if let Some(present) = self.rows.articles.get(&no) {
            let other = newest_first.clone().find(|(_, past)| past.content != present.content);
            let (_, past) = other.or_else(|| newest_first.next())?;
            let (content, skip) = (past.content, present.skip);
            return Some(self.edit(no, content, skip, Priority::Normal));
        }
        let (&(_, last), past) = newest_first.next()?;
        let past = past.clone();
        if self.named(&past.slug).is_some() {
            return None;
        }
        let revision = last + 1;
        let Past { slug, content, skip, .. } = past;
        self.rows.articles.insert(no, Article { slug, content, skip, revision, updated: self.now });
        let mut former = Vec::new();
        for (_, past) in self.rows.past.range_mut((no, 0)..=(no, i64::MAX)) {
            past.deleted = false;
            former.push(past.slug.clone());
        }
        for slug in former {
            if self.named(&slug).is_none() {
                self.rows.aliases.insert(slug, no);
            }
        }
        self.note(Some(no), "article restored");
        let task = (!skip).then(|| self.promise(no, Operation::Create, Priority::Normal));
        Some(Saved { revision, task, changed: true })
    }

    /// The article with this name, present or former.
    fn named(&self, slug: &str) -> Option<No> {
        let present = self.rows.articles.iter().find(|(_, article)| article.slug == slug).map(|(&no, _)| no);
        present.or_else(|| self.rows.aliases.get(slug).copied())
    }

    fn archive(&mut self, no: No, deleted: bool) {
        let Article { slug, content, skip, revision, .. } = self.rows.articles[&no].clone();
        self.rows.past.insert((no, revision), Past { slug, content, skip, since: self.now, deleted });
    }

    fn succeed(&mut self, no: No) -> i64 {
        self.archive(no, false);
        let article = self.rows.articles.get_mut(&no).expect("the article");
        article.revision += 1;
        article.updated = self.now;
        article.revision
    }

    /// Queues what a person saved.
    fn promise(&mut self, no: No, operation: Operation, priority: Priority) -> No {
        self.promised.insert(no);
        self.enqueue(no, operation, priority)
    }

    fn withdraw(&mut self, no: No, cause: &str) {
        if let Some(task) = self.task_of(no, TaskStatus::Pending) {
            self.end(task, TaskStatus::Cancelled, cause);
        }
    }
}
