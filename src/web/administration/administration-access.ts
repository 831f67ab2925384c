import type { Jid } from '../../protocol/jid.ts';
import { StanzaError } from '../../protocol/stanza-error.ts';
import type { BoundOperation } from '../../routing/operation.ts';
import type { Audit } from '../control/audit.ts';
import { type Operator, recordedOperator } from '../control/operator.ts';
import type { RunningServer } from '../control/running-server.ts';

/** What there is to administrate, once the server is complete. */
interface Administrated {
  readonly server: RunningServer;
  /** All operations, also those of extensions. */
  readonly operations: readonly BoundOperation[];
  readonly audit: Audit;
}

/** An administrator who uses a client. */
export interface Administrator extends Operator<RunningServer> {
  /** Runs an operation of an extension, by its method and path. */
  ask(name: string, input: object): Promise<unknown>;
}

/** Lets ad-hoc commands, which are made with the extensions, use operations, which need the complete server. */
export class AdministrationAccess {
  #administrated: Administrated | undefined;

  open(administrated: Administrated): void {
    this.#administrated = administrated;
  }

  /** What an administrator can do. Everything is recorded in the audit log. Throws StanzaError while the server starts. */
  for(jid: Jid): Administrator {
    if (!this.#administrated) throw StanzaError.serviceUnavailable('the server is starting');
    const { server, operations, audit } = this.#administrated;
    const requester = { operator: jid.toString(), origin: 'ad-hoc command' };
    const never = new AbortController().signal;
    return {
      ...recordedOperator(server, audit, requester),
      ask: async (name, input) => {
        const found = operations.find(({ method, path }) => `${method} ${path}` === name);
        if (!found) throw new Error(`there is no operation ${name}`);
        return audit.recorded(requester, found, input, () => found.run(input, never));
      },
    };
  }
}
