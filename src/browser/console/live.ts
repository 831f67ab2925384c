import { drawChart } from './chart.ts';

/** The figures as the server gives them. */
interface History {
  readonly stepMs: number;
  readonly endMs: number;
  readonly series: Readonly<Record<string, readonly number[]>>;
}

const pollMs = 5000;
const room = { hour: 720, day: 1440 } as const;
/** A young server has few values: the charts begin with less room. */
const leastRoom = 60;

const charts = document.querySelector<HTMLElement>('.charts');
const span = charts?.dataset['span'] === 'day' ? 'day' : 'hour';
let history: History | undefined;

const formats: Readonly<Record<string, (value: number) => string>> = {
  '': short,
  '/s': (value) => `${short(value)}/s`,
  '%': (value) => `${short(value)} %`,
  ms: (value) => (value < 1000 ? `${short(value)} ms` : `${short(value / 1000)} s`),
  bytes: (value) => {
    const power = value < 1 ? 0 : Math.min(4, Math.floor(Math.log2(value) / 10));
    return `${short(value / 1024 ** power)} ${['B', 'KiB', 'MiB', 'GiB', 'TiB'][power]}`;
  },
};

function short(value: number): string {
  if (value >= 10_000) return value.toLocaleString('en', { notation: 'compact', maximumFractionDigits: 1 });
  return value.toLocaleString('en', { maximumFractionDigits: value < 10 ? 1 : 0 });
}

function formatOf(element: HTMLElement): (value: number) => string {
  return formats[element.dataset['unit'] ?? ''] ?? short;
}

async function read(query: Readonly<Record<string, string>>): Promise<History | undefined> {
  const response = await fetch(`/console/history?${new URLSearchParams(query)}`);
  return response.ok ? response.json() : undefined;
}

/** The values that were there, followed by new ones. */
function joined(before: History, after: History): History {
  const series = Object.entries(after.series).map(
    ([name, values]) => [name, [...(before.series[name] ?? []), ...values].slice(-room[span])] as const,
  );
  return { ...after, series: Object.fromEntries(series) };
}

function show(data: History): void {
  for (const figure of document.querySelectorAll<HTMLElement>('.chart')) {
    const { series = '', names = '', scale = '1' } = figure.dataset;
    const plot = figure.querySelector<HTMLElement>('.plot');
    const lines = series.split(' ').map((name, index) => ({
      name: names.split(' ')[index] ?? name,
      values: (data.series[name] ?? []).map((value) => value * Number(scale)),
    }));
    const title = figure.querySelector('figcaption span')?.textContent ?? '';
    const shown = Math.max(leastRoom, ...lines.map(({ values }) => values.length));
    const unitFactor = figure.dataset['unit'] === 'bytes' ? 1024 : 1000;
    if (plot) drawChart(plot, title, { ...data, lines, room: shown, format: formatOf(figure), unitFactor });
  }
}

/** The tiles show the latest values, whatever the charts show. */
function showTiles(data: History): void {
  for (const tile of document.querySelectorAll<HTMLElement>('[data-live]')) {
    const latest = data.series[tile.dataset['live'] ?? '']?.at(-1);
    if (latest !== undefined) tile.textContent = formatOf(tile)(latest);
  }
}

/** Reads what is new. A page that nobody sees asks for nothing. */
async function poll(): Promise<void> {
  if (document.hidden) return;
  const added = await read({ span, ...(history && { after: String(history.endMs) }) });
  if (!added) return;
  history = history ? joined(history, added) : added;
  show(history);
  const latest = span === 'hour' ? history : await read({ span: 'hour', after: String(Date.now() - 2 * pollMs) });
  if (latest) showTiles(latest);
}

/** Whatever fails is tried again with the next poll. */
function pollAgain(): void {
  poll().catch(() => undefined);
}

pollAgain();
setInterval(pollAgain, pollMs);
document.addEventListener('visibilitychange', pollAgain);
addEventListener('resize', () => history && show(history));
