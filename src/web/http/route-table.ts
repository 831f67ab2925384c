import type { HttpRoute } from '../../routing/http-route.ts';

/** A route that matches a request, with its path parameters. */
export interface RouteMatch {
  readonly route: HttpRoute;
  readonly parameters: Readonly<Record<string, string>>;
}

/** The result for a path: the route for the method, if any, and the allowed methods. */
export interface PathMatch {
  /** The path as its routes have it, with the names of its parameters. */
  readonly pattern: string;
  readonly match: RouteMatch | undefined;
  readonly allowed: readonly string[];
  /** The origins whose pages may read the answers; `*` is every origin. */
  readonly origins: readonly string[];
}

interface CompiledRoute {
  readonly route: HttpRoute;
  readonly segments: readonly string[];
}

/** The characters of a path (RFC 3986 §3.3). */
const pathCharacters = /^\/(?:[\w.~!$&'()*+,;=:@/-]|%[\dA-Fa-f]{2})*$/;

/** The routes of the HTTP listener. Paths are compared as sent, without decoding or normalization. */
export class RouteTable {
  readonly #routes: readonly CompiledRoute[];

  /** Throws if two routes have the same method and path. */
  constructor(routes: readonly HttpRoute[]) {
    const seen = new Set<string>();
    for (const name of routes.flatMap(namesOf)) {
      if (seen.has(name)) throw new Error(`two HTTP routes for ${name}`);
      seen.add(name);
    }
    const compiled = routes.map((route) => ({ route, segments: route.path.split('/') }));
    // Literal paths first.
    this.#routes = compiled.toSorted((one, other) => parametersOf(one) - parametersOf(other));
  }

  /** Finds the routes for a path. Undefined for an unknown or invalid path. */
  find(method: string, path: string): PathMatch | undefined {
    if (!pathCharacters.test(path)) return undefined;
    const segments = path.split('/');
    const fitting = this.#routes.flatMap(({ route, segments: pattern }) => {
      const parameters = parametersFor(pattern, segments);
      return parameters ? [{ route, parameters }] : [];
    });
    const [first] = fitting;
    if (first === undefined) return undefined;
    const methods: readonly string[] = fitting.flatMap(({ route }) => route.methods);
    const wanted = method === 'HEAD' ? 'GET' : method;
    const match = fitting.find(({ route: { methods: its } }) => its.some((one) => one === wanted));
    return {
      pattern: (match ?? first).route.path,
      match,
      allowed: [...new Set([...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'])],
      origins: fitting.flatMap(({ route }) => route.origins ?? []),
    };
  }
}

/** The methods and path of a route, without the names of its parameters. */
function namesOf({ methods, path }: HttpRoute): string[] {
  return methods.map((method) => `${method} ${path.replaceAll(/:[^/]+/g, ':')}`);
}

function parametersOf({ segments }: CompiledRoute): number {
  return segments.filter((segment) => segment.startsWith(':')).length;
}

function parametersFor(
  pattern: readonly string[],
  segments: readonly string[],
): Readonly<Record<string, string>> | undefined {
  if (pattern.length !== segments.length) return undefined;
  const parameters: Record<string, string> = {};
  for (const [index, expected] of pattern.entries()) {
    const segment = segments[index] ?? '';
    if (expected.startsWith(':') && segment !== '') parameters[expected.slice(1)] = segment;
    else if (expected !== segment) return undefined;
  }
  return parameters;
}
