import { cellOf, middle, type Results } from '../results.ts';
import { number } from './format.ts';
import { type Column, columns } from './servers.ts';

interface Bar {
  readonly server: Column;
  readonly value: number;
}

interface Group {
  readonly title: string;
  readonly bars: readonly Bar[];
}

const charted = [
  ['msg-50x10-plain', '50 pairs × 10 in flight, plain'],
  ['msg-50x10-tls', '50 pairs × 10 in flight, TLS'],
  ['msg-500x1-plain', '500 pairs × 1 in flight, plain'],
  ['msg-500x1-tls', '500 pairs × 1 in flight, TLS'],
] as const;

const width = 760;
const barHeight = 16;
const titleHeight = 26;
const groupGap = 14;
const headHeight = 34;
const labelWidth = 90;
const valueWidth = 70;

function groupsOf(results: Results): Group[] {
  const groups = charted.map(([name, title]) => ({
    title,
    bars: columns.flatMap((server) => {
      const value = middle(cellOf(results, name, server.name), 'perSecond');
      return value === undefined ? [] : { server, value };
    }),
  }));
  return groups.filter(({ bars }) => bars.length > 0);
}

function heightOf({ bars }: Group): number {
  return titleHeight + bars.length * (barHeight + 3) + groupGap;
}

function drawBar({ server, value }: Bar, y: number, scale: number): string {
  const length = Math.max(1, Math.round(value * scale));
  const middleY = y + barHeight - 4;
  return [
    `<text class="label" x="${labelWidth - 8}" y="${middleY}" text-anchor="end">${server.title}</text>`,
    `<rect class="${server.name}" x="${labelWidth}" y="${y}" width="${length}" height="${barHeight}" rx="2"/>`,
    `<text class="value" x="${labelWidth + length + 6}" y="${middleY}">${number(value)}</text>`,
  ].join('\n');
}

function drawGroup(group: Group, top: number, scale: number): string {
  const title = `<text class="title" x="0" y="${top + 16}">${group.title}</text>`;
  const bars = group.bars.map((bar, index) => drawBar(bar, top + titleHeight + index * (barHeight + 3), scale));
  return [title, ...bars].join('\n');
}

/** Both light and dark pages show it. */
const style = `
text { font: 12px system-ui, sans-serif; fill: #1f2328; }
.head { font-size: 15px; font-weight: 600; }
.title { font-weight: 600; }
.ampere { fill: #2f6fde; } .prosody { fill: #8a94a3; } .ejabberd { fill: #b3bac5; }
.relay { fill: none; stroke: #8a94a3; stroke-dasharray: 4 3; }
@media (prefers-color-scheme: dark) { text { fill: #e6edf3; } .ampere { fill: #5c93f5; } .ejabberd { fill: #5c6672; } }
`;

/** The messages a second as bars. */
export function messagesChart(results: Results): string {
  const groups = groupsOf(results);
  const most = Math.max(...groups.flatMap(({ bars }) => bars.map(({ value }) => value)), 1);
  const scale = (width - labelWidth - valueWidth) / most;
  let top = headHeight;
  const drawn = groups.map((group) => {
    const text = drawGroup(group, top, scale);
    top += heightOf(group);
    return text;
  });
  const head = '<text class="head" x="0" y="18">Messages a second on one core, 100-byte bodies</text>';
  const open = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${top}" width="${width}" height="${top}" role="img" aria-label="Messages a second of each server">`;
  return [open, `<style>${style}</style>`, head, ...drawn, '</svg>', ''].join('\n');
}
