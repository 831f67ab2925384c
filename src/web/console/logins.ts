import { createHash, createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Clock } from '../../support/clock.ts';
import type { ConsoleRole } from './roles.ts';

/** The person for whom a link was made. */
export interface Person {
  /** The name of a user of the machine, or a JID. */
  readonly operator: string;
  readonly role: ConsoleRole;
  /** The operator is an account that may come in while it is an administrator. */
  readonly asAdministrator?: boolean | undefined;
}

/** What a page tells about the action before it. */
export interface LoginNotice {
  readonly kind: 'done' | 'failed';
  readonly text: string;
}

/** A secret, and for how long it is good. */
interface Issued {
  readonly token: string;
  readonly forMs: number;
}

/** A link is good for this time. */
const linkMs = 5 * 60_000;
/** A login ends after this time, and earlier if its person does nothing. */
export const loginMs = 12 * 3_600_000;
const idleMs = 30 * 60_000;
/** The oldest ones end when there are more. */
const mostLinks = 16;
const mostLogins = 32;
const mostNotices = 8;

/** A person who has logged in to the console. */
export class Login implements Person {
  readonly operator: string;
  readonly role: ConsoleRole;
  readonly asAdministrator: boolean;
  readonly sinceMs: number;
  usedAtMs: number;
  readonly #formKey = randomBytes(32);
  #notices: LoginNotice[] = [];

  constructor({ operator, role, asAdministrator = false }: Person, nowMs: number) {
    this.operator = operator;
    this.role = role;
    this.asAdministrator = asAdministrator;
    this.sinceMs = nowMs;
    this.usedAtMs = nowMs;
  }

  /** The token of the forms that lead to a path. A page of another site cannot know it. */
  formToken(path: string): string {
    return createHmac('sha256', this.#formKey).update(path).digest('base64url');
  }

  accepts(path: string, token: string): boolean {
    return timingSafeEqual(digest(this.formToken(path)), digest(token));
  }

  /** Keeps a notice for the next page. */
  note(notice: LoginNotice): void {
    this.#notices = [...this.#notices, notice].slice(-mostNotices);
  }

  takeNotices(): readonly LoginNotice[] {
    const notices = this.#notices;
    this.#notices = [];
    return notices;
  }
}

/** Links that log somebody in once, and the logins that came of them. Tokens are kept as hashes, and only in memory. */
export class Logins {
  readonly #clock: Pick<Clock, 'monotonicMs'>;
  readonly #links = new Map<string, Person & { readonly untilMs: number }>();
  readonly #logins = new Map<string, Login>();

  constructor(clock: Pick<Clock, 'monotonicMs'>) {
    this.#clock = clock;
  }

  /** Makes the token of a link. */
  newLink(person: Person): Issued {
    this.#tidy();
    const token = newToken();
    this.#links.set(keyOf(token), { ...person, untilMs: this.#clock.monotonicMs() + linkMs });
    dropOldest(this.#links, mostLinks);
    return { token, forMs: linkMs };
  }

  /** Whether a link can be used. */
  knowsLink(token: string): boolean {
    const link = this.#links.get(keyOf(token));
    return link !== undefined && link.untilMs > this.#clock.monotonicMs();
  }

  /** Uses a link up. Returns a login with a new token, or undefined if the link cannot be used. */
  open(linkToken: string): { readonly token: string; readonly login: Login } | undefined {
    this.#tidy();
    const key = keyOf(linkToken);
    const person = this.#links.get(key);
    if (!person) return undefined;
    this.#links.delete(key);
    const token = newToken();
    const login = new Login(person, this.#clock.monotonicMs());
    this.#logins.set(keyOf(token), login);
    dropOldest(this.#logins, mostLogins);
    return { token, login };
  }

  /** The login with this token, unless it is over. `active`: its person has done something, and did not only leave a page open. */
  find(token: string, active: boolean): Login | undefined {
    const key = keyOf(token);
    const login = this.#logins.get(key);
    if (!login) return undefined;
    const nowMs = this.#clock.monotonicMs();
    if (isOver(login, nowMs)) {
      this.#logins.delete(key);
      return undefined;
    }
    if (active) login.usedAtMs = nowMs;
    return login;
  }

  close(token: string): void {
    this.#logins.delete(keyOf(token));
  }

  clear(): void {
    this.#links.clear();
    this.#logins.clear();
  }

  #tidy(): void {
    const nowMs = this.#clock.monotonicMs();
    for (const [key, { untilMs }] of this.#links) if (untilMs <= nowMs) this.#links.delete(key);
    for (const [key, login] of this.#logins) if (isOver(login, nowMs)) this.#logins.delete(key);
  }
}

function isOver({ sinceMs, usedAtMs }: Login, nowMs: number): boolean {
  return nowMs - sinceMs >= loginMs || nowMs - usedAtMs >= idleMs;
}

function dropOldest(map: Map<string, unknown>, most: number): void {
  const excess = map.size - most;
  for (const key of [...map.keys()].slice(0, Math.max(0, excess))) map.delete(key);
}

function newToken(): string {
  return randomBytes(32).toString('base64url');
}

function keyOf(token: string): string {
  return digest(token).toString('base64');
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
