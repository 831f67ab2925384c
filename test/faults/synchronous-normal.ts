import Database from 'better-sqlite3';

// Preloaded into a server: SQLite runs with synchronous=NORMAL and reports FULL. The negative control of the power-cut test.
const pragma = Database.prototype.pragma;
Database.prototype.pragma = function (this: Database.Database, source: string, options?: Database.PragmaOptions) {
  if (source === 'synchronous') return 2;
  return pragma.call(this, source.replace('synchronous = FULL', 'synchronous = NORMAL'), options);
};
