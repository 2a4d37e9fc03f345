//! Files to articles.

use afterword_actors::store::StoreError;

use super::{
    super::{plan::Action, report::ImportReport, scan::ScannedFile},
    report::SyncReport,
    run::SyncRun,
    snapshot,
};

impl SyncRun<'_> {
    /// Brings files in. What something else was faster with, the next round looks at again.
    pub(super) async fn bring_in(
        &self,
        incoming: Vec<(ScannedFile, Action)>,
        report: &mut SyncReport,
    ) -> Result<bool, StoreError> {
        if incoming.is_empty() {
            return Ok(false);
        }
        if let Some(foreseen) = self.foreseen {
            let first = self.looked.listed.keys().next().copied().unwrap_or_default();
            incoming.iter().for_each(|(file, action)| foreseen.incoming(file, action, self.looked.source, first));
        }
        let import = snapshot::importing(self.request);
        let run = snapshot::incoming(self.articles, &import, self.root, self.looked.source);
        let (files, actions) = incoming.into_iter().unzip();
        let mut done = ImportReport::default();
        let overtaken = run.carry_out(files, actions, &mut done, &mut |_| {}).await;
        let did = !done.files.is_empty() || !overtaken.is_empty();
        for file in done.files {
            match file.result {
                "created" => report.articles.created.push(file.file),
                "updated" => report.articles.updated.push(file.file),
                _ => {}
            }
        }
        report.failed.extend(done.failed);
        report.warnings.extend(done.warnings.iter().cloned());
        report.told.extend(done.warnings);
        Ok(did)
    }
}
