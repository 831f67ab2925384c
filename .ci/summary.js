// Sums up the JSON reports of several mocha runs, named as arguments: each failure, each test of more than ten seconds,
// and in the last line the counts. A run without a report did not come to its end, and counts as one failure.
import { existsSync, readFileSync } from 'node:fs';

const SLOW_MS = 10_000;

const reports = process.argv
  .slice(2)
  .map((file) =>
    existsSync(file)
      ? JSON.parse(readFileSync(file, 'utf8'))
      : { stats: { failures: 1 }, tests: [], failures: [unfinished(file)] },
  );
const sum = (name) => reports.reduce((total, { stats }) => total + (stats[name] ?? 0), 0);

for (const { fullTitle, duration } of reports
  .flatMap(({ tests }) => tests)
  .filter(({ duration }) => duration > SLOW_MS)) {
  console.log(`slow: ${Math.round(duration / 1000)} s: ${fullTitle}`);
}
for (const { fullTitle, file, err } of reports.flatMap(({ failures }) => failures)) {
  console.log(
    `FAILED: ${fullTitle}${file ? ` (${file.replace(`${process.cwd()}/`, '')})` : ''}\n${err.stack ?? err.message}`,
  );
}
console.log(`${sum('passes')} passed, ${sum('failures')} failed, ${sum('pending')} skipped`);

function unfinished(file) {
  return { fullTitle: `the run "${file.split('/').at(-1)}"`, err: { message: 'did not come to its end' } };
}
