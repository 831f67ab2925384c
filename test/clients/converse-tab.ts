import type { BrowserContext, Page } from 'playwright-core';
import { browserContext, complaintsOf } from './chromium.ts';

/** converse.js in a browser of its own, as its user sees it. */
export class ConverseTab implements AsyncDisposable {
  readonly page: Page;
  readonly complaints: readonly string[];
  readonly #context: BrowserContext;
  /** What the page has sent through its WebSockets. */
  readonly #sent: string[] = [];
  /** What came to it. */
  readonly received: string[] = [];
  #wake: (() => void) | undefined;

  private constructor(context: BrowserContext, page: Page) {
    this.#context = context;
    this.page = page;
    this.complaints = complaintsOf(page);
    page.on('websocket', (socket) => {
      socket.on('framesent', ({ payload }) => {
        this.#sent.push(String(payload));
        this.#wake?.();
      });
      socket.on('framereceived', ({ payload }) => {
        this.received.push(String(payload));
        this.#wake?.();
      });
    });
  }

  /** Opens the page and logs in. Uploads go to an address with the certificate that the server has made for itself. */
  static async logIn(address: string, jid: string, password: string): Promise<ConverseTab> {
    const context = await browserContext({ ignoreHTTPSErrors: true, viewport: { width: 1280, height: 900 } });
    const tab = new ConverseTab(context, await context.newPage());
    const { page } = tab;
    await page.goto(address);
    await page.locator('input[name=jid]').fill(jid);
    await page.locator('input[name=password]').fill(password);
    await tab.online(() => page.locator('input[name=password]').press('Enter'));
    return tab;
  }

  /** Waits until the client has begun another session: it has sent its presence. */
  async online(begin: () => Promise<unknown>): Promise<void> {
    const before = this.#sent.length;
    const isOnline = () => this.#sent.slice(before).some((frame) => /^<presence(?![^>]* (?:to|type)=)/.test(frame));
    await begin();
    await this.#until(isOnline);
  }

  /** Waits until the server has told of the devices of a user, for both versions of OMEMO. Before, the client believes that there are none. */
  async knowsDevicesOf(jid: string): Promise<void> {
    const nodes = ['eu.siacs.conversations.axolotl.devicelist', 'urn:xmpp:omemo:2:devices'];
    const isTold = (node: string) =>
      this.received.some(
        (frame) => frame.includes(`from="${jid}"`) && frame.includes(node) && frame.includes('<device '),
      );
    await this.#until(() => nodes.every(isTold));
  }

  async #until(isSo: () => boolean): Promise<void> {
    while (!isSo()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }

  /** Opens the chat with a contact. */
  async open(name: string): Promise<void> {
    await this.page.locator('.open-chat', { hasText: name }).first().click();
    await this.page.locator('.chat-textarea:visible').waitFor();
  }

  async enterRoom(name: string, nick: string): Promise<void> {
    const { page } = this;
    await page.locator('converse-rooms-list converse-dropdown button').first().click();
    await page.locator('.show-add-muc-modal').click();
    const form = page.locator('form.add-chatroom');
    await form.locator('input[name=chatroom]').fill(name);
    await form.locator('input[name=nickname]').fill(nick);
    await form.locator('input[name=join]').click();
    await page.locator('converse-muc .chat-textarea:visible').waitFor();
  }

  /** Opens a room that the user is in. */
  async openRoom(name: string): Promise<void> {
    await this.page.locator('.open-room', { hasText: name }).first().click();
    await this.page.locator('converse-muc .chat-textarea:visible').waitFor();
  }

  async say(text: string): Promise<void> {
    const field = this.page.locator('.chat-textarea:visible');
    await field.fill(text);
    await field.press('Enter');
  }

  /** Waits until the open chat has a message with this text. */
  async sees(text: string, { isEncrypted = false } = {}): Promise<void> {
    const state = isEncrypted ? '[data-encrypted=true]' : ':not([data-encrypted=true])';
    const message = this.page.locator(`.chat-msg${state}`, { hasText: text });
    await message.locator('.chat-msg__text:visible').first().waitFor();
  }

  /** Turns the encryption of the open chat on, as soon as the devices of both are known. */
  async encrypt(): Promise<void> {
    await this.page.locator('.toggle-omemo[data-disabled=false]:visible').click();
    await this.page.locator('.toggle-omemo:visible .fa-lock').waitFor();
  }

  async share(name: string, mimeType: string, buffer: Buffer): Promise<void> {
    const chat = this.page.locator('converse-chat-toolbar', { has: this.page.locator(':visible') });
    await chat.locator('input.fileupload').setInputFiles({ name, mimeType, buffer });
  }

  /** Waits until the open chat shows a picture that the browser has loaded. */
  async seesPicture(): Promise<void> {
    const picture = this.page.locator('img.chat-image:visible').first();
    await picture.waitFor();
    await picture.evaluate('(image) => image.decode()');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
  }
}
