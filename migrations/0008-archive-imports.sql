-- The ids that other servers gave to messages before they were imported: clients know the messages by them.
CREATE TABLE archive_imported_ids (
  archive INTEGER NOT NULL,
  id INTEGER NOT NULL,
  imported_id TEXT NOT NULL,
  PRIMARY KEY (archive, id)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX archive_imported_ids_by_text ON archive_imported_ids (archive, imported_id);
