const dayMs = 86_400_000;

/** Making a format takes longer than using it a hundred times, so each is made once. */
const formats = new Map<string, Intl.DateTimeFormat>();

function format(atMs: number, options: Intl.DateTimeFormatOptions): string {
  const key = JSON.stringify(options);
  const known = formats.get(key) ?? new Intl.DateTimeFormat(undefined, options);
  formats.set(key, known);
  return known.format(atMs);
}

/** The time of day, such as 2:05 PM. */
export function clockText(atMs: number): string {
  return format(atMs, { hour: 'numeric', minute: '2-digit' });
}

/** The moment in full, with its day. */
export function momentText(atMs: number): string {
  return format(atMs, { dateStyle: 'full', timeStyle: 'short' });
}

/** The day in words, such as Today, or Monday, 12 January. */
export function dayText(atMs: number, nowMs: number): string {
  const days = daysBetween(atMs, nowMs);
  if (days === 0) return 'Today';
  if (days === 1) return 'Yesterday';
  return format(atMs, { weekday: 'long', day: 'numeric', month: 'long', ...yearOf(atMs, nowMs) });
}

/** When something was, in few characters: the time if it was today, and else the day. */
export function shortText(atMs: number, nowMs: number): string {
  const days = daysBetween(atMs, nowMs);
  if (days === 0) return clockText(atMs);
  if (days === 1) return 'Yesterday';
  if (days > 1 && days < 7) return format(atMs, { weekday: 'long' });
  return format(atMs, { day: 'numeric', month: 'short', ...yearOf(atMs, nowMs) });
}

/** Identifies the day of a moment on the clock of the user. */
export function dayKey(atMs: number): number {
  return Math.round(startOfDay(atMs) / dayMs);
}

/** The days from one moment to another. Days on which clocks change are longer or shorter. */
function daysBetween(fromMs: number, toMs: number): number {
  return Math.round((startOfDay(toMs) - startOfDay(fromMs)) / dayMs);
}

function startOfDay(atMs: number): number {
  return new Date(atMs).setHours(0, 0, 0, 0);
}

function yearOf(atMs: number, nowMs: number): Intl.DateTimeFormatOptions {
  return new Date(atMs).getFullYear() === new Date(nowMs).getFullYear() ? {} : { year: 'numeric' };
}
