//! Lists of articles, of folders and of names.

use afterword_actors::store::sql::Sql;
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

use super::{
    ArticleError, ArticleSummary, Articles, FolderCount, Page,
    folder::Folder,
    listed::{Listed, Size, Way},
    properties::Filter,
    row, subfolders,
};
use crate::api::NOT_A_CURSOR;

impl Articles {
    /// Returns a page of articles in `folder` and below, the last saved first.
    ///
    /// # Errors
    /// [`ArticleError::Invalid`] if the cursor did not come from here.
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
        let listed = Listed::new(folder.as_ref(), filter);
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
        let listed = Listed::new(folder.as_ref(), &everything);
        self.page(&listed, Way::InOrder, cursor, limit, <[_]>::len).await
    }

    /// Returns a page; `fitting` says how many of its articles there is room for.
    async fn page(
        &self,
        listed: &Listed<'_>,
        way: Way,
        cursor: Option<&str>,
        limit: u32,
        fitting: impl FnOnce(&[ArticleSummary]) -> usize,
    ) -> Result<(Vec<ArticleSummary>, Option<String>), ArticleError> {
        let after = cursor.map(decode_cursor).transpose()?;
        let reader = self.database.reader();
        let mut rows = listed.page(reader, way, after, limit.saturating_add(1)).await?;
        let found = rows.len();
        rows.truncate(limit as usize);
        let ends: Vec<_> = rows.iter().map(|row| (row.updated_at, row.id)).collect();
        let mut articles = row::summaries_with_tags(reader, rows).await?;
        articles.truncate(fitting(&articles));
        let last = ends[..articles.len()].last().filter(|_| found > articles.len());
        Ok((articles, last.map(|(updated_at, id)| encode_cursor(*updated_at, *id))))
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

fn encode_cursor(updated_at: i64, id: i64) -> String {
    URL_SAFE_NO_PAD.encode(format!("{updated_at}:{id}"))
}

fn decode_cursor(cursor: &str) -> Result<(i64, i64), ArticleError> {
    let decoded = URL_SAFE_NO_PAD.decode(cursor).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    decoded
        .and_then(|text| text.split_once(':').and_then(|(at, id)| Some((at.parse().ok()?, id.parse().ok()?))))
        .ok_or_else(|| ArticleError::invalid("cursor", NOT_A_CURSOR))
}
