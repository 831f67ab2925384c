import type { HttpAnswer, HttpRequest, HttpRoute } from '../../routing/http-route.ts';
import { formBytes } from '../html/form.ts';
import type { Console, ConsoleDeps } from './console.ts';
import type { Person } from './logins.ts';

/** The console, loaded when somebody first asks for it. */
export class LazyConsole {
  readonly #deps: ConsoleDeps;
  #loaded: Promise<Console> | undefined;

  constructor(deps: ConsoleDeps) {
    this.#deps = deps;
  }

  /** Makes the path of a link that logs a person in, once. */
  async newLink(person: Person): Promise<{ readonly path: string; readonly forMs: number }> {
    return (await this.#load()).newLink(person);
  }

  /** Ends all logins, and makes all links useless. */
  logOutAll(): void {
    this.#loaded?.then((page) => page.logOutAll()).catch(() => undefined);
  }

  get routes(): readonly HttpRoute[] {
    return [
      this.#page('/console', (page, request) => page.show(request)),
      this.#page('/console/:page', (page, request) => page.show(request)),
      { ...this.#page('/console/history', (page, request) => page.history(request)), quiet: true },
      this.#page('/console/watch/stream', (page, request) => page.watch(request)),
      this.#page('/console/login/:token', (page, request) => page.showLogin(request)),
      this.#form('/console/login/:token', (page, request) => page.login(request)),
      this.#form('/console/:page/:action', (page, request) => page.act(request)),
    ];
  }

  #page(path: string, answer: (page: Console, request: HttpRequest) => HttpAnswer | Promise<HttpAnswer>): HttpRoute {
    return { methods: ['GET'], path, handle: async (request) => answer(await this.#load(), request) };
  }

  #form(path: string, answer: (page: Console, request: HttpRequest) => Promise<HttpAnswer>): HttpRoute {
    return {
      methods: ['POST'],
      path,
      bodyBytes: formBytes,
      handle: async (request) => answer(await this.#load(), request),
    };
  }

  #load(): Promise<Console> {
    this.#loaded ??= import('./console.ts').then(({ Console: Loaded }) => new Loaded(this.#deps));
    return this.#loaded;
  }
}
