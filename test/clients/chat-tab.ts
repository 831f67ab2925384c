import type { BrowserContext, Locator, Page } from 'playwright-core';
import { complaintsOf } from './chromium.ts';

/** The chat page in one tab, as its user sees it. */
export class ChatTab {
  readonly page: Page;
  readonly complaints: readonly string[];

  private constructor(page: Page) {
    this.page = page;
    this.complaints = complaintsOf(page, ['error', 'warning']);
  }

  static async open(context: BrowserContext, address: string): Promise<ChatTab> {
    const tab = new ChatTab(await context.newPage());
    await tab.page.goto(address);
    return tab;
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

  /** Corrects the last message. */
  async correct(text: string): Promise<void> {
    await this.page.getByRole('log').getByRole('button', { name: 'Correct' }).click();
    await this.say(text);
  }

  /** The messages with a text. */
  #messages(text: string): Locator {
    return this.page.getByRole('log').locator('.message').filter({ hasText: text });
  }

  /** Takes a message of the user back: with the mouse, or from the message below it with the keyboard. */
  async remove(text: string, below?: string): Promise<void> {
    const bin = (of: string) => this.#messages(of).getByRole('button', { name: 'Remove' });
    if (below === undefined) {
      await this.#messages(text).hover();
      await bin(text).click();
    } else {
      await bin(below).press('ArrowUp');
      await this.page.keyboard.press('Enter');
    }
    await this.page.getByRole('dialog').getByRole('button', { name: 'Remove' }).click();
  }

  /** The button that sends a message again. */
  again(text: string): Locator {
    return this.page.getByRole('log').getByRole('button', { name: `Send again: ${text}` });
  }

  /** Cuts the way from the page to the server, which does not notice, or mends it. */
  async mute(isMute: boolean): Promise<void> {
    await this.page.evaluate(`{
      globalThis.send ??= WebSocket.prototype.send;
      WebSocket.prototype.send = ${isMute ? '() => undefined' : 'globalThis.send'};
    }`);
  }

  /** Opens a private conversation with somebody in the room that is open. */
  async whisper(nick: string): Promise<void> {
    await this.choose(nick);
    await this.page.getByRole('heading', { name: nick, level: 2 }).waitFor();
  }

  /** Chooses something from the menu of the conversation that is open. */
  async choose(words: string): Promise<void> {
    await this.page.locator('summary', { hasText: 'More' }).click();
    await this.page.locator('.menu').getByRole('button', { name: words, exact: true }).click();
  }

  /** Opens the settings. */
  async settings(): Promise<Locator> {
    await this.page.getByRole('button', { name: 'Settings' }).click();
    return this.page.getByRole('dialog', { name: 'Settings' });
  }

  async addContact(jid: string): Promise<void> {
    await this.page.getByRole('button', { name: 'Add contact' }).click();
    await this.page.getByRole('dialog').getByLabel('Address').fill(jid);
    await this.page.getByRole('dialog').getByRole('button', { name: 'Add' }).click();
    await this.#dialogCloses();
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
    await this.#dialogCloses();
    await this.page.getByRole('heading', { name, level: 2 }).waitFor();
  }

  /** Waits until the server has done what a dialog asked for. Until then, keys do not reach the page behind it. */
  async #dialogCloses(): Promise<void> {
    await this.page.getByRole('dialog').waitFor({ state: 'detached' });
  }

  /** Opens a conversation of the list. */
  async open(jid: string): Promise<void> {
    const line = this.page.locator(`.line[title="${jid}"]`);
    await line.click();
    await line.and(this.page.locator('[aria-current=true]')).waitFor();
  }

  /** Writes a text without sending it. */
  async write(text: string): Promise<void> {
    await this.page.getByLabel(/^Message to/).fill(text);
  }

  async say(text: string): Promise<void> {
    await this.write(text);
    await this.page.getByLabel(/^Message to/).press('Enter');
  }

  /** Chooses a rule for the next message. */
  async rule(words: string): Promise<void> {
    const form = this.page.getByRole('group', { name: 'Rules for the next message' });
    if (!(await form.isVisible())) await this.page.getByRole('button', { name: 'Rules' }).click();
    await form.getByLabel(words).check();
  }

  /** Lets the page connect now, as it does when the device gets its network back, rather than after its next pause. */
  async reconnect(): Promise<void> {
    await this.page.evaluate("dispatchEvent(new Event('online'))");
  }

  async share(name: string, mimeType: string, buffer: Buffer): Promise<void> {
    await this.page.locator('input[type=file]').setInputFiles({ name, mimeType, buffer });
  }

  /** Waits until the log of the conversation has a message with this text. Returns everything about the message. */
  async sees(text: string): Promise<string> {
    const message = this.#messages(text);
    await message.first().waitFor();
    return message.first().innerText();
  }

  /** Waits until the part of a message has this text: what became of it. */
  async seesOutcome(text: string, outcome: string): Promise<void> {
    await this.#messages(text).filter({ hasText: outcome }).waitFor();
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
