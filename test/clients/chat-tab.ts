import { type BrowserContext, chromium, type Page } from 'playwright-core';
import { deadlineMs } from '../support/test-connection.ts';

const executablePath = '/usr/bin/chromium';

/** A browser in which tabs show pages of the server. */
export class ChatBrowser implements AsyncDisposable {
  readonly #context: BrowserContext;

  private constructor(context: BrowserContext) {
    this.#context = context;
  }

  static async open(): Promise<ChatBrowser> {
    const browser = await chromium.launch({ executablePath, args: ['--no-sandbox'] });
    const context = await browser.newContext({ locale: 'en-US' });
    context.setDefaultTimeout(deadlineMs);
    return new ChatBrowser(context);
  }

  async tab(address: string): Promise<ChatTab> {
    const tab = new ChatTab(await this.#context.newPage());
    await tab.page.goto(address);
    return tab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.browser()?.close();
  }
}

/** The chat page in one tab, as its user sees it. */
export class ChatTab {
  readonly page: Page;
  /** What the browser complains of: errors of scripts, refusals of the content security policy, answers that are missing. */
  readonly complaints: string[] = [];

  constructor(page: Page) {
    this.page = page;
    page.on('console', (message) => {
      if (message.type() === 'error' || message.type() === 'warning') this.complaints.push(message.text());
    });
    page.on('pageerror', (error) => this.complaints.push(String(error)));
  }

  async logIn(jid: string, password: string): Promise<void> {
    await this.page.getByLabel('Address').fill(jid);
    await this.page.getByLabel('Password').fill(password);
    await this.page.getByRole('button', { name: 'Log in' }).click();
    await this.page.getByRole('button', { name: 'Log out' }).waitFor();
  }

  async logOut(): Promise<void> {
    await this.page.getByRole('button', { name: 'Log out' }).click();
    await this.page.getByRole('button', { name: 'Log in' }).waitFor();
  }

  async addContact(jid: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Add contact' }).click();
    await this.page.getByRole('dialog').getByLabel('Address').fill(jid);
    await this.page.getByRole('dialog').getByRole('button', { name: 'Add' }).click();
    const [name = ''] = jid.split('@');
    await this.page.getByRole('heading', { name, level: 2 }).waitFor();
  }

  /** Accepts the request of somebody. */
  async accept(jid: string): Promise<void> {
    await this.page.getByRole('listitem').filter({ hasText: jid }).getByRole('button', { name: 'Accept' }).click();
  }

  async enterRoom(name: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Enter room' }).click();
    await this.page.getByRole('dialog').getByLabel('Room').fill(name);
    await this.page.getByRole('dialog').getByRole('button', { name: 'Enter' }).click();
    await this.page.getByRole('heading', { name, level: 2 }).waitFor();
  }

  /** Opens a conversation of the list. */
  async open(name: string): Promise<void> {
    await this.page.getByRole('navigation').getByRole('button', { name }).click();
    await this.page.getByRole('heading', { name, level: 2 }).waitFor();
  }

  async say(text: string): Promise<void> {
    await this.page.getByLabel(/^Message to/).fill(text);
    await this.page.getByLabel(/^Message to/).press('Enter');
  }

  /** Chooses a rule for the next message. */
  async rule(words: string): Promise<void> {
    const form = this.page.getByRole('group', { name: 'Rules for the next message' });
    if (!(await form.isVisible())) await this.page.getByRole('button', { name: 'Rules' }).click();
    await form.getByLabel(words).check();
  }

  async share(name: string, mimeType: string, buffer: Buffer): Promise<void> {
    await this.page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer });
  }

  /** Waits until the log of the conversation has a message with this text. Returns everything about the message. */
  async sees(text: string): Promise<string> {
    const message = this.page.getByRole('log').locator('.message').filter({ hasText: text });
    await message.first().waitFor();
    return message.first().innerText();
  }

  /** Waits until the part of a message has this text: what became of it. */
  async seesOutcome(text: string, outcome: string): Promise<void> {
    const message = this.page.getByRole('log').locator('.message').filter({ hasText: text });
    await message.filter({ hasText: outcome }).waitFor();
  }

  /** Waits for the text under the name of the conversation. */
  async seesStatus(text: string): Promise<void> {
    await this.page.locator('.status', { hasText: text }).waitFor();
  }

  /** Waits until the log has a picture that the browser has loaded. */
  async seesPicture(name: string): Promise<void> {
    const picture = this.page.getByRole('log').getByAltText(`Picture: ${name}`);
    await picture.waitFor();
    await picture.evaluate('(image) => image.decode()');
  }
}
