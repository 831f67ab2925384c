const whole = new Intl.NumberFormat('en-US', { maximumFractionDigits: 0 });

/** A number as people read it: three digits that count, and commas. */
export function number(value: number): string {
  if (!Number.isFinite(value)) return '–';
  if (Math.abs(value) >= 100) return whole.format(value >= 10_000 ? roundTo(value, 100) : value);
  return value.toFixed(Math.abs(value) >= 10 ? 1 : 2);
}

function roundTo(value: number, step: number): number {
  return Math.round(value / step) * step;
}

/** Microseconds as milliseconds. */
export function milliseconds(us: number): string {
  return number(us / 1000);
}

/** How many times one is of the other; with fewer digits from 10 on. */
export function times(value: number, digits = 1): string {
  return `${value.toFixed(value >= 10 ? 0 : digits)} ×`;
}

/** A table of Markdown; the first column is words, the others are numbers. */
export function markdownTable(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string => `| ${cells.join(' | ')} |\n`;
  return line(head) + line(head.map((_, index) => (index === 0 ? '---' : '---:'))) + rows.map(line).join('');
}
