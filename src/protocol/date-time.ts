const shape = /^(\d{4})-(\d\d)-(\d\d)T(\d\d):(\d\d):(\d\d)(?:\.(\d+))?(Z|[+-]\d\d:\d\d)$/;
const earliestMs = Date.parse('0001-01-01T00:00:00.000Z');
const latestMs = Date.parse('9999-12-31T23:59:59.999Z');
const dayMs = 86_400_000;

/** A time as DateTime in UTC, XEP-0082 §3.2. Milliseconds are written only if they are not zero. */
export function formatDateTime(timeMs: number): string {
  if (!(timeMs >= earliestMs && timeMs <= latestMs)) throw new RangeError(`no four-digit year: ${timeMs}`);
  return new Date(timeMs).toISOString().replace('.000Z', 'Z');
}

/** Midnight of a day that exists in the proleptic Gregorian calendar. */
function dateMs(year: number, month: number, day: number): number | undefined {
  const date = new Date(0);
  date.setUTCFullYear(year, month - 1, day);
  // Date moves a day past the end of its month, and the month 13, into another month.
  return date.getUTCMonth() === month - 1 ? date.getTime() : undefined;
}

/** The milliseconds since midnight: seconds end at 59, and 24:00:00 is the end of the day, as in XML Schema. */
function timeOfDayMs(hour: number, minute: number, second: number, fraction: string): number | undefined {
  if (hour === 24) return minute === 0 && second === 0 && /^0*$/.test(fraction) ? dayMs : undefined;
  if (hour > 24 || minute > 59 || second > 59) return undefined;
  return ((hour * 60 + minute) * 60 + second) * 1000 + Number(fraction.slice(0, 3).padEnd(3, '0'));
}

/** The offset from UTC, at most 14 hours as in XML Schema. */
function zoneMs(zone: string): number | undefined {
  if (zone === 'Z') return 0;
  const minute = Number(zone.slice(4));
  const total = Number(zone.slice(1, 3)) * 60 + minute;
  if (minute > 59 || total > 14 * 60) return undefined;
  return (zone.startsWith('-') ? -total : total) * 60_000;
}

/**
 * Reads a DateTime strictly, XEP-0082 §3.2: undefined for anything else, which includes the year 0000, years of more than
 * four digits, days that do not exist, the second 60 and the old format of XEP-0091. Digits beyond milliseconds are cut off.
 */
export function parseDateTime(text: string): number | undefined {
  const match = shape.exec(text);
  if (match === null) return undefined;
  const [, year, month, day, hour, minute, second, fraction = '', zone = ''] = match;
  const date = dateMs(Number(year), Number(month), Number(day));
  const time = timeOfDayMs(Number(hour), Number(minute), Number(second), fraction);
  const offset = zoneMs(zone);
  if (date === undefined || time === undefined || offset === undefined) return undefined;
  const resultMs = date + time - offset;
  return resultMs >= earliestMs && resultMs <= latestMs ? resultMs : undefined;
}

/** Reads a DateTime whose zone is UTC, as XEP-0079 §3.3.2 and XEP-0203 §2 demand; `+00:00` and `-00:00` are UTC, too. */
export function parseUtcDateTime(text: string): number | undefined {
  return /(?:Z|[+-]00:00)$/.test(text) ? parseDateTime(text) : undefined;
}
