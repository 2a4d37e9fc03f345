//! Lists of articles, of folders and of names.

use super::{
    ArticleError, ArticleSummary, Articles, DeletedArticle, DeletedPage, FolderCount, Page,
    cursor::{Cursor, ListName},
    deleted,
    folder::Folder,
    list_query::{ListPlan, ListQuery, Size},
    list_row::{self, ListRow},
    properties::Filter,
    row, subfolders,
};
use crate::time::Timestamp;
use afterword_actors::store::sql::Sql;

impl Articles {
    /// Returns a page of articles in `folder` and below, the last saved first.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if the cursor did not come from here, or so much was saved since the first page that
    /// the list has to be begun again.
    pub async fn list(&self, folder: &Folder, cursor: Option<&str>, limit: u32) -> Result<Page, ArticleError> {
        self.list_where(folder, &Filter::default(), cursor, limit).await
    }

    /// A page of the articles that match `filter`.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if the cursor did not come from here.
    pub async fn list_where(
        &self,
        folder: &Folder,
        filter: &Filter,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<Page, ArticleError> {
        self.list_fitting(folder, filter, cursor, limit, <[_]>::len).await
    }

    /// The same, of which only the first are listed: `fitting` says how many there is room for. The next page begins
    /// behind them.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if the cursor did not come from here.
    pub async fn list_fitting(
        &self,
        folder: &Folder,
        filter: &Filter,
        cursor: Option<&str>,
        limit: u32,
        fitting: impl FnOnce(&[ArticleSummary]) -> usize,
    ) -> Result<Page, ArticleError> {
        let listed = ListQuery::new(folder.as_ref(), filter);
        let Size { total, way } = listed.size(self.database.reader()).await?;
        let (articles, next_cursor) = self.page(&listed, way, cursor, limit, fitting).await?;
        Ok(Page { articles, total, next_cursor })
    }

    /// Returns a page of articles in `folder` and below, the last saved first, and where the next one begins. They are
    /// not counted in total, so the cost depends only on the page.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if the cursor did not come from here.
    pub async fn newest(
        &self,
        folder: &Folder,
        cursor: Option<&str>,
        limit: u32,
    ) -> Result<(Vec<ArticleSummary>, Option<String>), ArticleError> {
        let everything = Filter::default();
        let listed = ListQuery::new(folder.as_ref(), &everything);
        self.page(&listed, ListPlan::InOrder, cursor, limit, <[_]>::len).await
    }

    /// Returns a page; `fitting` says how many of its articles there is room for. A list is in the order of its first
    /// page: what is saved while a client goes from page to page keeps its place, and is not missed.
    async fn page(
        &self,
        listed: &ListQuery<'_>,
        way: ListPlan,
        cursor: Option<&str>,
        limit: u32,
        fitting: impl FnOnce(&[ArticleSummary]) -> usize,
    ) -> Result<(Vec<ArticleSummary>, Option<String>), ArticleError> {
        let reader = self.database.reader();
        let list = listed.name();
        let after = match cursor.map(|cursor| Cursor::of_list(cursor, list)).transpose()? {
            Some(cursor) => Some(list_row::brought_up(reader, cursor).await?),
            None => None,
        };
        let mut rows = listed.page(reader, way, after, limit.saturating_add(1)).await?;
        let found = rows.len();
        rows.truncate(limit as usize);
        let places: Vec<_> = rows.iter().map(ListRow::place).collect();
        let began = after.map_or_else(|| rows.first().map(|row| row.read_at), |after| after.began);
        let mut articles = row::summaries_with_tags(reader, rows.into_iter().map(|row| row.summary).collect()).await?;
        articles.truncate(fitting(&articles));
        let last = places[..articles.len()].last().filter(|_| found > articles.len());
        Ok((articles, last.map(|&(at, id)| Cursor { at, id, began }.encode(list))))
    }

    /// Returns the first articles of `folder` and below that were deleted, at `since` or later, and can be restored;
    /// the last deleted first.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn deleted(
        &self,
        folder: &Folder,
        since: Option<Timestamp>,
        limit: u32,
    ) -> Result<DeletedPage, ArticleError> {
        self.deleted_after(folder, since, (None, limit), <[_]>::len).await
    }

    /// The same, behind a cursor, if there is one. `fitting` says how many of them there is room for.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if the cursor did not come from here.
    pub async fn deleted_after(
        &self,
        folder: &Folder,
        since: Option<Timestamp>,
        (cursor, limit): (Option<&str>, u32),
        fitting: impl FnOnce(&[DeletedArticle]) -> usize,
    ) -> Result<DeletedPage, ArticleError> {
        let reader = self.database.reader();
        let list = ListName::of_deleted(folder.as_ref());
        let after = cursor.map(|cursor| Cursor::of_deleted(cursor, list)).transpose()?;
        let rows = deleted::deleted(reader, folder, since, after, limit.saturating_add(1)).await?;
        let found = rows.len();
        let (places, mut articles): (Vec<_>, Vec<_>) = rows.into_iter().take(limit as usize).unzip();
        articles.truncate(fitting(&articles));
        let last = places[..articles.len()].last().filter(|_| found > articles.len());
        let total = deleted::count_deleted(reader, folder, since).await?;
        Ok(DeletedPage { articles, total, next_cursor: last.map(|last| last.encode(list)) })
    }

    /// Returns up to `limit` folders directly below `folder` that contain articles, themselves or further below, in
    /// order. Each costs a look or two into an index, however many articles there are.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn subfolders(&self, folder: &Folder, limit: usize) -> Result<Vec<Folder>, ArticleError> {
        Ok(subfolders::of(self.database.reader(), folder, limit).await?)
    }

    /// Returns all folders that contain articles, in order.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn folders(&self) -> Result<Vec<FolderCount>, ArticleError> {
        let sql = "SELECT folder, count(*) AS articles FROM articles GROUP BY folder ORDER BY folder";
        let folders: Vec<(String, i64)> = self.database.reader().rows(sql, []).await?;
        Ok(folders.into_iter().map(|(folder, articles)| FolderCount { folder, articles }).collect())
    }

    /// Returns up to `limit` slugs that begin with `start`, in order.
    ///
    /// # Errors
    /// [`ArticleError::Store`]
    pub async fn slugs(&self, start: &str, limit: usize) -> Result<Vec<String>, ArticleError> {
        // Slugs are ASCII: those that begin with a text sort between it and it followed by the last character.
        let sql = "SELECT slug FROM articles WHERE slug >= $1 AND slug < $2 ORDER BY slug LIMIT $3 + 0";
        let end = format!("{start}\u{7f}");
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        Ok(self.database.reader().rows(sql, [start.into(), end.into(), limit.into()]).await?)
    }
}
