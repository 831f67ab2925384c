import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { BrowserContext, Page } from 'playwright-core';
import { deadlineMs } from '../support/test-connection.ts';
import { browserContext, complaintsOf } from './chromium.ts';

const library = fileURLToPath(import.meta.resolve('strophe.js')).replace(/[^/]+$/, 'strophe.umd.min.js');

/** Web pages with Strophe.js in a real browser, from an origin of their own. */
export class StrophePages implements AsyncDisposable {
  readonly #context: BrowserContext;
  readonly #site: Server;

  private constructor(context: BrowserContext, site: Server) {
    this.#context = context;
    this.#site = site;
  }

  static async open(): Promise<StrophePages> {
    const script = await readFile(library);
    const site = createServer((request, response) => {
      if (request.url === '/strophe.js') response.setHeader('content-type', 'text/javascript').end(script);
      else response.setHeader('content-type', 'text/html').end('<!doctype html><script src="/strophe.js"></script>');
    });
    site.listen(0, '127.0.0.1');
    await once(site, 'listening');
    return new StrophePages(await browserContext({ ignoreHTTPSErrors: true }), site);
  }

  /** A page that has logged in and is available. */
  async visit(service: string, jid: string, password: string): Promise<StrophePage> {
    const visitor = new StrophePage(await this.#context.newPage());
    await visitor.load(`http://localhost:${(this.#site.address() as AddressInfo).port}/`);
    await visitor.login(service, jid, password);
    return visitor;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#context.close();
    this.#site.close();
  }
}

/** One client in a page. */
export class StrophePage {
  readonly #page: Page;
  readonly #heard: string[] = [];
  /** What the browser complains of, such as an answer that the page may not read. */
  readonly complaints: readonly string[];
  #wake: (() => void) | undefined;

  constructor(page: Page) {
    this.#page = page;
    this.complaints = complaintsOf(page);
  }

  async load(address: string): Promise<void> {
    await this.#page.exposeFunction('heard', (line: string) => {
      this.#heard.push(line);
      this.#wake?.();
    });
    await this.#page.goto(address);
  }

  async login(service: string, jid: string, password: string): Promise<void> {
    const script = `(() => {
      const { Strophe, $pres } = window.Strophe.Strophe ? window.Strophe : window;
      const connection = new Strophe.Connection(${JSON.stringify(service)});
      window.connection = connection;
      connection.addHandler((stanza) => {
        const body = stanza.getElementsByTagName('body')[0];
        if (body) window.heard('message ' + body.textContent);
        return true;
      }, null, 'message');
      connection.connect(${JSON.stringify(jid)}, ${JSON.stringify(password)}, (status) => {
        if (status === Strophe.Status.CONNECTED) {
          connection.send($pres());
          window.heard('connected');
        }
        if (status === Strophe.Status.DISCONNECTED) window.heard('disconnected');
        if (status === Strophe.Status.CONNFAIL || status === Strophe.Status.AUTHFAIL) window.heard('failed');
      });
    })()`;
    await this.#page.evaluate(script);
    await this.hears('connected');
  }

  async tells(to: string, body: string): Promise<void> {
    await this.#page.evaluate(
      `(() => {
        const { $msg } = window.Strophe.Strophe ? window.Strophe : window;
        window.connection.send($msg({ to: ${JSON.stringify(to)}, type: 'chat' }).c('body').t(${JSON.stringify(body)}));
      })()`,
    );
  }

  async leaves(): Promise<void> {
    await this.#page.evaluate('window.connection.disconnect()');
    await this.hears('disconnected');
    await this.#page.close();
  }

  /** Waits until the page has heard this. */
  async hears(line: string): Promise<void> {
    const deadline = AbortSignal.timeout(deadlineMs);
    while (!this.#heard.includes(line)) {
      await new Promise<void>((resolve, reject) => {
        this.#wake = resolve;
        deadline.onabort = () => reject(new Error(`no "${line}", only ${this.#heard}; ${this.complaints}`));
      });
    }
  }
}
