import { ns } from '../protocol/namespaces.ts';
import type { Extension } from '../routing/extension.ts';
import { xml } from '../xml/element.ts';

/** The program of the server, as others see it. */
export interface Software {
  readonly name: string;
  readonly version: string;
  /** Only if the operator wants to publish it (XEP-0092 §5). */
  readonly os?: string | undefined;
}

/** Software Version (XEP-0092). */
export function version({ name, version, os }: Software): Extension {
  const answer = () =>
    xml(
      'query',
      { xmlns: ns.version },
      xml('name', {}, name),
      xml('version', {}, version),
      os === undefined ? undefined : xml('os', {}, os),
    );
  return {
    name: 'version',
    claims: [{ spec: 'XEP-0092', title: 'Software Version', version: '1.1', status: 'complete' }],
    disco: { domain: [ns.version] },
    iq: [{ name: 'query', ns: ns.version, type: 'get', scopes: ['server'], handle: answer }],
  };
}
