import type { BoundOperation, Operation } from '../../routing/operation.ts';
import { OperationError } from '../../routing/operation-error.ts';
import type { Audit } from '../control/audit.ts';
import type { Requester } from '../control/requester.ts';

/** What can be administrated, once the server is complete. */
interface Administrated {
  /** All operations, also those of extensions. */
  readonly operations: readonly BoundOperation[];
  readonly audit: Pick<Audit, 'recorded'>;
}

/** An administrator who uses a client or the console. */
export interface Administrator {
  /** Runs an operation of the server or of an extension, and records it. Rejects with `failed` if this server does not have it. */
  call<Context, Input extends object, Result>(
    operation: Operation<Context, Input, Result>,
    input: Input,
  ): Promise<Result>;
  /** Whether this server has an operation; those of extensions may be off. */
  readonly has: (operation: Pick<BoundOperation, 'method' | 'path'>) => boolean;
}

/** Lets ad-hoc commands and the console, which are made before the server is complete, use its operations. */
export class AdministrationAccess {
  readonly #stop = new AbortController();
  #audit: Administrated['audit'] | undefined;
  #operations: ReadonlyMap<string, BoundOperation> = new Map();

  open({ operations, audit }: Administrated): void {
    this.#audit = audit;
    this.#operations = new Map(operations.map((one) => [`${one.method} ${one.path}`, one]));
  }

  /** The server stops: operations that wait return what they have. */
  close(): void {
    this.#stop.abort();
  }

  /** Records something that is not an operation, under a name like that of one. */
  async record(requester: Requester, path: string, subject: string): Promise<void> {
    const asked = { method: 'POST', path, recorded: true, subjectOf: () => subject, outcomeOf: () => 'done' } as const;
    await this.#audit?.recorded(requester, asked, undefined, async () => undefined);
  }

  /** What an administrator can do, or undefined while the server starts. Everything is recorded in the audit log. */
  for(requester: Requester): Administrator | undefined {
    const audit = this.#audit;
    if (!audit) return undefined;
    return {
      has: ({ method, path }) => this.#operations.has(`${method} ${path}`),
      call: async <Result>({ method, path }: Pick<BoundOperation, 'method' | 'path'>, input: object) => {
        const found = this.#operations.get(`${method} ${path}`);
        if (!found) throw new OperationError('failed', `This server does not support ${method} ${path}.`);
        const run = () => found.run(input, this.#stop.signal);
        // The same operation, bound to its context, has the same result.
        return (await audit.recorded(requester, found, input, run)) as Result;
      },
    };
  }
}
