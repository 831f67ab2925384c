import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from 'playwright-core';
import { deadlineMs } from '../support/test-connection.ts';

const executablePath = '/usr/bin/chromium';

/** The one browser of all tests. It starts with the first test that needs it. */
let running: Promise<Browser> | undefined;

after(async () => {
  await (await running)?.close();
});

/** Skips the tests of a suite where there is no Chromium, and says so. */
export function needsChromium(): void {
  before(function () {
    if (existsSync(executablePath)) return;
    console.log('    skipped: not installed: chromium');
    this.skip();
  });
}

/** A profile of its own in the browser, with no cookies, storage and pages. Close it. */
export async function browserContext(options: BrowserContextOptions = {}): Promise<BrowserContext> {
  running ??= chromium.launch({ executablePath, args: ['--no-sandbox'] });
  const context = await (await running).newContext({ locale: 'en-US', ...options });
  context.setDefaultTimeout(deadlineMs);
  return context;
}

/** Collects what the browser complains of: errors of scripts, refusals by the content security policy, files that are missing. */
export function complaintsOf(page: Page, types: readonly string[] = ['error']): string[] {
  const complaints: string[] = [];
  page.on('console', (message) => {
    if (types.includes(message.type())) complaints.push(message.text());
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  return complaints;
}

/** A moment as pages show it to somebody in a time zone: with the year if that is not the current one. */
export function localTime(moment: Date, timeZone: string): RegExp {
  const shown = (parts: Intl.DateTimeFormatOptions) =>
    moment.toLocaleString('en-US', { ...parts, timeZone }).replaceAll(/\s/g, '\\s');
  const day = shown({ month: 'short', day: 'numeric' });
  return new RegExp(`^${day},\\s(\\d{4},\\s)?${shown({ hour: 'numeric', minute: '2-digit' })}$`);
}

/** A picture to share: a PNG of one pixel. */
export const rose = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8BQDwAEhQGAhKmMIQAAAABJRU5ErkJggg==',
  'base64',
);

/** What axe-core finds, as far as the tests look at it. */
interface Violation {
  readonly id: string;
  readonly impact: string | null;
  readonly nodes: readonly { readonly html: string }[];
}

let axe: Promise<string> | undefined;

/** The serious and critical findings of axe-core about a page. */
export async function axeFindings(page: Page): Promise<string[]> {
  axe ??= readFile(fileURLToPath(import.meta.resolve('axe-core/axe.min.js')), 'utf8');
  if (await page.evaluate('!globalThis.axe')) await page.evaluate(await axe);
  const run = "axe.run({ resultTypes: ['violations'] })";
  const { violations }: { violations: Violation[] } = await page.evaluate(run);
  const serious = violations.filter(({ impact }) => impact === 'serious' || impact === 'critical');
  return serious.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(' | ')}`);
}
